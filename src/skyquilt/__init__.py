"""All-sky maps of test statistic and flux from gamma-ray data."""

__version__ = "0.1.0"
