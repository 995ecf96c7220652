"""Figures of an analysis: arrays in, matplotlib figures out."""

from skyquilt.plots.figures import make_plots, plot_names

__all__ = ["make_plots", "plot_names"]
