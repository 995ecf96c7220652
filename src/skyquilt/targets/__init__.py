"""What data say of a list of positions: spectra in bands of energy, one target at a time."""
