"""Model what the sources do: linked parameters over time bins, data sets and sources.

The section `model` of an analysis has the sources, their parameters, and the fits; docs/model.md
tells of each key.
"""

from skyquilt.cli import (
    model_collect,
    model_fit,
    model_graph,
    model_plot,
    model_prepare,
    model_profile,
    model_sample,
)

VERBS = {
    "prepare": model_prepare,
    "fit": model_fit,
    "profile": model_profile,
    "sample": model_sample,
    "collect": model_collect,
    "plot": model_plot,
    "graph": model_graph,
}
"""Modules of the verbs of this group, in the order of making."""
