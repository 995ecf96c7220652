"""Event lists of Cherenkov telescopes with their responses: DL3 in the format GADF."""
