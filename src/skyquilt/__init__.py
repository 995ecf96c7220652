"""All-sky maps of test statistic and flux from gamma-ray data."""

__version__ = "0.1.0"

RESULTS_VERSION = 6
"""Raised when the same inputs give other numbers: results made before are then made again."""
