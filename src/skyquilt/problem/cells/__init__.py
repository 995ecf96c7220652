"""Measurements in cells: all time bins of a data set as one expectation."""

from skyquilt.problem.cells.data import CellData
from skyquilt.problem.cells.near import Near
from skyquilt.problem.cells.sights import CellCounts, CellExpectation, Sights, Views

__all__ = ["CellCounts", "CellData", "CellExpectation", "Near", "Sights", "Views"]
