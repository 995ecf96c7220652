"""A model from its files, as plain arrays: any optimiser or sampler takes it unchanged."""

from pathlib import Path

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.profile import Interval, Profile, Range, profile
from skyquilt.model.fit import Fit, fit
from skyquilt.model.layer import Values
from skyquilt.model.made import MadeFit, read_made_fit
from skyquilt.model.problem import ModelProblem
from skyquilt.model.problems import CellLikelihood
from skyquilt.model.profiles import profile_values
from skyquilt.model.simulated import simulate
from skyquilt.model.split import fit_split


def open_model(folder: str | Path, fit: str) -> "OpenModel":
    """A fit of a model, ready to be evaluated.

    Parameters
    ----------
    folder : str or Path
        Folder of an analysis, as "results/burst".
    fit : str
        Name of one of its fits, which was made.

    Raises
    ------
    ProductError
        If a file is missing, damaged, or of another measurement.

    Examples
    --------
    >>> model = open_model("results/burst", fit="pulse")  # doctest: +SKIP
    >>> scipy.optimize.minimize(
    ...     lambda x: -model.log_posterior(x), model.start, jac=lambda x: -model.gradient(x)
    ... )  # doctest: +SKIP
    """
    return OpenModel(read_made_fit(Path(folder) / "model", fit))


class OpenModel:
    """A model over its data.

    Parameters
    ----------
    made : MadeFit
        A fit of it.
    best : ndarray of float64, shape (p,), optional
        Best free numbers, where they are not those of the fit.

    Attributes
    ----------
    names, units : list of str
        Free numbers, as "burst.flux[3]", and their units.
    start : ndarray of float64, shape (p,)
        Where the fit began.
    best : ndarray of float64, shape (p,)
        Where it ended; NaN for numbers without data.
    ranges : ndarray of float64, shape (p, 2)
        Lowest and highest values.
    found : Found
        What the fit found.

    Examples
    --------
    >>> from skyquilt.testing.models import toy_model
    >>> model = toy_model()
    >>> model.names
    ['a.flux', 'background']
    >>> best = model.fit()
    >>> bool(model.log_posterior(best.x) > model.log_posterior(model.start))
    True
    >>> model.log_posterior(np.stack([best.x, model.start])).shape, model.gradient(best.x).shape
    ((2,), (2,))
    >>> float(model.quantities(best.x)["a.index"])
    -2.0
    >>> simulated = model.simulate(best.x, np.random.default_rng(1))
    >>> bool(np.all(np.abs(simulated.fit().x - best.x) < 5 * best.errors))
    True
    """

    def __init__(self, made: MadeFit, best: np.ndarray | None = None) -> None:
        self._made, self._posterior = made, made.posterior
        layer = self._layer = made.layer
        self.names, self.units = list(layer.names), list(layer.units)
        self.start = layer.start.copy()
        self.ranges = np.column_stack([layer.lower, layer.upper])
        by_name = dict(zip(made.found.names, made.found.x, strict=True))
        self.best = np.array([by_name[name] for name in self.names]) if best is None else best
        self.found = made.found

    def log_likelihood(self, x: np.ndarray) -> float:
        """Log-likelihood of free numbers, shape (p,); -inf where they are not possible."""
        with np.errstate(all="ignore"):
            return self._posterior.likelihood.value(self._layer.values(self._numbers(x)))

    def log_posterior(self, x: np.ndarray) -> np.ndarray:
        """Log-likelihood plus logarithm of the priors; -inf outside the ranges.

        Parameters
        ----------
        x : ndarray of float64, shape (p,) or (m, p)
            Free numbers of one point, or of several.

        Returns
        -------
        ndarray of float64, shape () or (m,)
            The values.
        """
        rows = np.atleast_2d(self._numbers(x))
        is_inside = np.all((rows >= self.ranges[:, 0]) & (rows <= self.ranges[:, 1]), axis=1)
        total = np.full(len(rows), -np.inf)
        if np.any(is_inside):
            lanes = np.zeros(np.count_nonzero(is_inside), dtype=np.int64)
            total[is_inside] = self._posterior.value(rows[is_inside], lanes)
        return total if np.ndim(x) > 1 else total[0]

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Derivatives of the log-posterior by the free numbers, shape (p,)."""
        return self._posterior.derivatives(*self._one(x)).gradient[0]

    def curvature(self, x: np.ndarray) -> np.ndarray:
        """Gauss and Newton's curvature, which stands for minus the second derivatives, (p, p)."""
        found = self._posterior.derivatives(*self._one(x)).curvature
        return found.to_dense() if isinstance(found, Arrow) else found[0]

    def quantities(self, x: np.ndarray) -> Values:
        """All quantities of the model: numbers, or arrays over the cells."""
        return self._layer.values(self._numbers(x))

    def fit(self, start: np.ndarray | None = None) -> Fit:
        """Fit it again, from the start of its parameters or another one."""
        return (fit_split if self._made.recipe.is_split else fit)(self._posterior, start)

    def profile(self, name: str, values: np.ndarray | None = None) -> Profile:
        """Largest log-posterior at given values of a free number, all others fitted.

        Parameters
        ----------
        name : str
            One of `names`.
        values : ndarray of float64, shape (n,), optional
            Its values; 21 within three errors of the best if not given.

        Raises
        ------
        ValueError
            If there is no such free number.
        """
        number = self._number(name)
        best = self.fit(np.where(np.isfinite(self.best), self.best, self.start))
        if values is None:
            values = profile_values(best.x[number], best.errors[number], *self.ranges[number])
        ranges = Range(self._layer.lower, self._layer.upper)
        return profile(self._posterior, best.climb, number, np.asarray(values), ranges)

    def interval(self, name: str, fall: float = 1.0) -> Interval:
        """Where 2 ln L has fallen by so much along a free number, the others fitted."""
        self._number(name)
        best = self.fit(np.where(np.isfinite(self.best), self.best, self.start))
        return best.interval(name, fall)

    def simulate(self, x: np.ndarray, rng: np.random.Generator) -> "OpenModel":
        """The same model over counts that are drawn from it.

        Counts are drawn, and fitted, in the bins that have counts in the data in some time bin: the
        file of a model knows no others.

        Parameters
        ----------
        x : ndarray of float64, shape (p,)
            Free numbers, the truth; `best` of what is returned.
        rng : Generator
            Draws.

        Raises
        ------
        ValueError
            If photons are known one by one.
        """
        truth = self._numbers(x)
        values = self._layer.values(truth)
        drawn = simulate(self._made.problem, self._likelihood_of, values, rng)
        posterior = self._made.recipe.make(drawn)
        return OpenModel(self._made._replace(problem=drawn, posterior=posterior), truth)

    @property
    def counts(self) -> np.ndarray:
        """Counts of each cell, shape (n_cell,)."""
        return self._made.problem.counts

    def _likelihood_of(self, problem: ModelProblem) -> CellLikelihood:
        likelihood = self._made.recipe.make(problem).likelihood
        assert isinstance(likelihood, CellLikelihood)
        return likelihood

    def _number(self, name: str) -> int:
        if name not in self.names:
            raise ValueError(f"no free number {name!r}; there are: {', '.join(self.names)}")
        return self.names.index(name)

    def _numbers(self, x: np.ndarray) -> np.ndarray:
        numbers = np.asarray(x, dtype=np.float64)
        if numbers.ndim not in (1, 2) or numbers.shape[-1] != len(self.names):
            raise ValueError(
                f"free numbers of shape {numbers.shape}: {len(self.names)} are needed, or rows of "
                "so many"
            )
        return numbers

    def _one(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._numbers(x)[np.newaxis], np.zeros(1, dtype=np.int64)
