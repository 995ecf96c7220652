"""Showers: from the raw files of Cherenkov telescopes to directions of showers.

What makes event lists knows nothing of fit problems: what reads them takes anyone's.
"""
