"""Ask a list of targets: the spectrum of each in bands of energy, over its neighbours.

The section `targets` of an analysis has rosters, profiles and bands; docs/targets.md tells of each
key.
"""

from skyquilt.cli import (
    targets_baseline,
    targets_fit,
    targets_list,
    targets_merge,
    targets_plot,
    targets_prepare,
)

VERBS = {
    "prepare": targets_prepare,
    "baseline": targets_baseline,
    "list": targets_list,
    "fit": targets_fit,
    "merge": targets_merge,
    "plot": targets_plot,
}
"""Modules of the verbs of this group, in the order of making."""
