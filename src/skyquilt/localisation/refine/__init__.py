"""Cells of a map made finer where the source may be, and fitted there."""
