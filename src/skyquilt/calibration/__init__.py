"""Simulated skies: is a source real, and do errors and regions hold what they say."""
