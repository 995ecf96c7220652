"""Ask which population the events come from: fractions, parameters, and each event's probability.

The section `populations` of an analysis has the populations, their place and their spectra;
docs/populations.md tells of each key.
"""

from skyquilt.cli import (
    populations_classify,
    populations_infer,
    populations_marginalise,
    populations_prepare,
)

VERBS = {
    "prepare": populations_prepare,
    "marginalise": populations_marginalise,
    "infer": populations_infer,
    "classify": populations_classify,
}
"""Modules of the verbs of this group, in the order of making."""
