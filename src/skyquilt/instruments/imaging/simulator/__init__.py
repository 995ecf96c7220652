"""Simulated data of an imaging instrument, in the file formats that are read."""

from skyquilt.instruments.imaging.simulator.simulate import simulate

__all__ = ["simulate"]
