"""Models: parameters that are fixed, free, linked, or functions of others, fitted jointly.

`Layer` turns free numbers into named quantities, `Posterior` puts data and priors on them, `fit`
climbs. Data are functions written in NumPy, or sources in fit problems. Nothing here knows an
instrument or a map.
"""

from skyquilt.model.cells import Cells, one_axis
from skyquilt.model.fit import Fit, fit
from skyquilt.model.functions import LightCurveModel, ShapeModel, SpectrumModel
from skyquilt.model.layer import Layer
from skyquilt.model.likelihood import NormalData, PoissonData, Posterior
from skyquilt.model.opened import OpenModel, open_model
from skyquilt.model.problem import ModelProblem, read_model_problem
from skyquilt.model.problems import CellLikelihood, ProblemData
from skyquilt.model.quantities import Curve, Expression, Fixed, Free, Link, Prior
from skyquilt.model.sources import Background, Offset, Source

__all__ = [
    "Background",
    "CellLikelihood",
    "Cells",
    "Curve",
    "Expression",
    "Fit",
    "Fixed",
    "Free",
    "Layer",
    "LightCurveModel",
    "Link",
    "ModelProblem",
    "NormalData",
    "Offset",
    "OpenModel",
    "PoissonData",
    "Posterior",
    "Prior",
    "ProblemData",
    "ShapeModel",
    "Source",
    "SpectrumModel",
    "fit",
    "one_axis",
    "open_model",
    "read_model_problem",
]
