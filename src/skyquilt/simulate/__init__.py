"""Simulated skies: counts or photons drawn from a fit problem and the sources put into it.

What is drawn follows from a seed and from names and numbers of what it is for, never from how the
work is cut. A source is a direction and a flux; whoever has a model of more than that (several
spectra, factors on backgrounds) hands over the expected counts in all bins, and draws with
`draw_counts`.
"""

from skyquilt.simulate.counts import draw_counts, sample_counts
from skyquilt.simulate.directions import draw_direction
from skyquilt.simulate.seeds import generator
from skyquilt.simulate.skies import InjectedSource, draw_sky, expected_sky, hit_bins, observe

__all__ = [
    "InjectedSource",
    "draw_counts",
    "draw_direction",
    "draw_sky",
    "expected_sky",
    "generator",
    "hit_bins",
    "observe",
    "sample_counts",
]
