"""Whole runs: who works on a tree of results, what is done, what is whole."""
