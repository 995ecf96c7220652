"""Populations: which fraction of the events comes from each, and which event from which."""
