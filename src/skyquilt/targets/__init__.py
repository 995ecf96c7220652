"""What data say of a list of places: spectra in bands of energy, one target at a time."""
