"""Maxima, errors and profiles of any log-likelihood, given as functions of arrays.

Nothing here knows what a parameter means. Problems that are linear and concave, fluxes and factors
of backgrounds, have their own exact solver in `skyquilt.likelihood.fluxes`.
"""
