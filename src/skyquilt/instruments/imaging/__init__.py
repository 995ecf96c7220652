"""Imaging instruments: photons with a position and an energy, exposure, point spread function."""
