"""A fit that was made, read back with all that it was of."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from skyquilt.errors import ProductError
from skyquilt.inference.profile import Range
from skyquilt.model.file import fit_identity, read_fit_of, read_recipe
from skyquilt.model.layer import Layer
from skyquilt.model.likelihood import Posterior
from skyquilt.model.problem import ModelProblem, read_model_problem
from skyquilt.model.recipe import Recipe
from skyquilt.model.result import Found


class MadeFit(NamedTuple):
    """A fit that was made.

    Attributes
    ----------
    problem : ModelProblem
        Its measurement.
    recipe : Recipe
        How what was climbed is built.
    posterior : Posterior
        What was climbed.
    found : Found
        What it found.
    """

    problem: ModelProblem
    recipe: Recipe
    posterior: Posterior
    found: Found

    @property
    def identity(self) -> str:
        """Digest of all that samples and profiles of it follow from."""
        return fit_identity(self.found, self.recipe, self.problem.identity)

    @property
    def layer(self) -> Layer:
        """Its parameters."""
        return self.posterior.layer

    @property
    def ranges(self) -> Range:
        """Ranges of the free numbers."""
        return Range(self.layer.lower, self.layer.upper)

    @property
    def x(self) -> np.ndarray:
        """Best free numbers, shape (p,); starts where there are no data."""
        return np.where(self.found.is_free, self.found.x, self.layer.start)


def read_made_fit(folder: str | Path, fit: str) -> MadeFit:
    """Read a fit that was made.

    Parameters
    ----------
    folder : str or Path
        Folder of a model, as "results/burst/model".
    fit : str
        Name of the fit.

    Raises
    ------
    ProductError
        If a file is missing, damaged, or of another measurement.
    """
    path, of_fit = Path(folder) / "problem.h5", Path(folder) / f"{fit}.h5"
    problem = read_model_problem(path)
    found = read_fit_of(of_fit, problem.identity, path)
    recipe = read_recipe(of_fit)
    try:
        posterior = recipe.make(problem)
    except ValueError as error:
        raise ProductError(f"{of_fit}: cannot be built from {path}: {error}.") from error
    return MadeFit(problem, recipe, posterior, found)
