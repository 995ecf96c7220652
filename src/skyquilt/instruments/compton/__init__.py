"""Compton telescopes (COSI and its like): files in, a fit problem out; a simulator."""
