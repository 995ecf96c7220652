"""A model from its files, as plain arrays: any optimiser or sampler takes it unchanged."""

from pathlib import Path

import numpy as np

from skyquilt.inference.arrow import Arrow
from skyquilt.inference.profile import Interval, Profile, Range, profile
from skyquilt.model.fit import Fit, fit
from skyquilt.model.layer import Values
from skyquilt.model.likelihood import Posterior
from skyquilt.model.made import read_made_fit
from skyquilt.model.profiles import profile_values
from skyquilt.model.result import Found
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
    made = read_made_fit(Path(folder) / "model", fit)
    return OpenModel(made.posterior, made.found, is_split=made.recipe.is_split)


class OpenModel:
    """A model over its data.

    Parameters
    ----------
    posterior : Posterior
        Likelihood and priors.
    found : Found
        What its fit found.
    is_split : bool
        Whether each time bin was fitted by itself.

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
    """

    def __init__(self, posterior: Posterior, found: Found, *, is_split: bool = False) -> None:
        layer = posterior.layer
        self._posterior, self._layer, self._is_split = posterior, layer, is_split
        self.names, self.units = list(layer.names), list(layer.units)
        self.start = layer.start.copy()
        self.ranges = np.column_stack([layer.lower, layer.upper])
        by_name = dict(zip(found.names, found.x, strict=True))
        self.best = np.array([by_name[name] for name in self.names])
        self.found = found

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
        return (fit_split if self._is_split else fit)(self._posterior, start)

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
