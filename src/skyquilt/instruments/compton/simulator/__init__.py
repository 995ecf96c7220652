"""A Compton telescope made of formulas, in the file formats of COSI."""

from skyquilt.instruments.compton.simulator.simulate import simulate

__all__ = ["simulate"]
