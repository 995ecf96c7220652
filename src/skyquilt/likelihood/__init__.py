"""Poisson likelihood on plain arrays."""
