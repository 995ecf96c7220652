"""Reconstruct showers from raw files of Cherenkov telescopes.

The section `showers` of the configuration has the runs and how they are reconstructed;
docs/showers.md tells of each key.
"""

from skyquilt.cli import showers_reconstruct

VERBS = {"reconstruct": showers_reconstruct}
"""Modules of the verbs of this group, in the order of making."""
