"""All-sky maps of test statistic and flux from gamma-ray data."""
