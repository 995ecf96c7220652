"""Light curves: `functions` of time whose parameters are fitted, `factors` on simulated spectra.

What counts is the mean over a time of observation, never the value in the middle.
"""
