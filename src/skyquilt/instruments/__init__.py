"""Instruments: their files in, a fit problem out."""
