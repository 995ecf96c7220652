"""Figures of an analysis: arrays in, matplotlib figures out."""

from skyquilt.plots.figures import DRAWN, make_plots, plot_names

__all__ = ["DRAWN", "make_plots", "plot_names"]
