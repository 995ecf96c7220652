"""Model what the sources do: linked parameters over time bins, data sets and sources.

The section `model` of an analysis has the sources, their parameters, and the fits; docs/model.md
tells of each key.
"""

from skyquilt.cli import model_collect, model_fit, model_prepare

VERBS = {"prepare": model_prepare, "fit": model_fit, "collect": model_collect}
"""Modules of the verbs of this group, in the order of making."""
