"""Models: parameters that are fixed, free, linked, or functions of others, fitted jointly.

`Layer` turns free numbers into named quantities, `Posterior` puts data and priors on them, `fit`
climbs. Data are functions written in NumPy, or sources in fit problems. Nothing here knows an
instrument or a map.
"""

from skyquilt.model.cells import Cells, one_axis
from skyquilt.model.fit import Fit, fit
from skyquilt.model.layer import Layer
from skyquilt.model.likelihood import NormalData, PoissonData, Posterior
from skyquilt.model.problems import ProblemData, Source
from skyquilt.model.quantities import Curve, Expression, Fixed, Free, Link, Prior

__all__ = [
    "Cells",
    "Curve",
    "Expression",
    "Fit",
    "Fixed",
    "Free",
    "Layer",
    "Link",
    "NormalData",
    "PoissonData",
    "Posterior",
    "Prior",
    "ProblemData",
    "Source",
    "fit",
    "one_axis",
]
