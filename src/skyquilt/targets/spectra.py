"""Spectra of targets: a model whose photons in each band fit the profiles of all bands best."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from skyquilt.config.targets import TargetSpectrum
from skyquilt.io.fits_table import Column
from skyquilt.io.schema import Schema
from skyquilt.problem.bands import Bands
from skyquilt.targets.files import FittedTargets
from skyquilt.targets.listing import TargetList
from skyquilt.targets.plan import row_columns
from skyquilt.targets.table import Reference

# 1.0  first version
SCHEMA = Schema("skyquilt/target-spectra", "1.0", "skyquilt targets merge")

_NODE, _WEIGHT = np.polynomial.legendre.leggauss(16)
_BOUNDS = {"index": (-8.0, 3.0), "curvature": (-3.0, 3.0)}
_STEP = 1e-3  # of second derivatives, in the logarithm of the norm, in index and curvature


_ABOUT = {
    "dnde": ("cm-2 s-1 MeV-1", "photon flux density at the pivot"),
    "dnde_err": ("cm-2 s-1 MeV-1", "its standard error"),
    "index": ("", "index at the pivot"),
    "index_err": ("", "its standard error"),
    "curvature": ("", "curvature"),
    "curvature_err": ("", "its standard error"),
    "flux": ("cm-2 s-1", "photon flux in all bands"),
    "eflux": ("MeV cm-2 s-1", "energy flux in all bands"),
    "ts": ("", "test statistic against no source"),
    "ts_curvature": ("", "test statistic of the curvature"),
    "chi2": ("", "twice what ln L of all bands loses to their maxima"),
    "dof": ("", "bands less free parameters"),
    "p_value": ("", "probability of such a chi2 or more"),
}


class BandCurves:
    """Profiles of several bands, asked together.

    Parameters
    ----------
    scan : ndarray of float64, shape (3, n_band, n_point)
        Fluxes, ln L less its maximum, and its slope; NaN beyond the points of a band.
    ts : ndarray of float64, shape (n_band,)
        TS of each band; what ln L loses at 0 is half of it.
    """

    def __init__(self, scan: np.ndarray, ts: np.ndarray):
        self.is_known = np.isfinite(scan).all(axis=0).sum(axis=1) > 1
        self.zero = -np.sum(ts[self.is_known]) / 2
        own = scan[:, self.is_known]
        self._count = np.isfinite(own).all(axis=0).sum(axis=1)
        self._flux, self._loglike, self._slope = own
        self._row = np.arange(len(self._count))

    def sum(self, norm: np.ndarray) -> np.ndarray:
        """Sum of ln L less its maximum over the bands, at their fluxes, shape (..., n_known)."""
        row, flux = self._row, self._flux
        low = np.clip(np.sum(flux < norm[..., np.newaxis], axis=-1) - 1, 0, self._count - 2)
        a, b = flux[row, low], flux[row, low + 1]
        left, right = self._loglike[row, low], self._loglike[row, low + 1]
        t = np.clip((norm - a) / (b - a), 0.0, 1.0)
        chord, step = right - left, b - a
        first = step * self._slope[row, low] - chord
        last = chord - step * self._slope[row, low + 1]
        inside = left + t * chord + t * (1 - t) * ((1 - t) * first + t * last)
        below = np.minimum(norm - a, 0.0) * self._slope[row, low]
        above = np.maximum(norm - b, 0.0) * self._slope[row, low + 1]
        return np.sum(inside + below + above, axis=-1)


@dataclass(frozen=True)
class SpectrumFit:
    """Best spectrum of a target.

    Attributes
    ----------
    dnde, dnde_err : float
        Photon flux density at the pivot [cm-2 s-1 MeV-1].
    index, index_err, curvature, curvature_err : float
        Exponent at the pivot, and how it changes; errors of what is not free are 0.
    flux, eflux : float
        Photon flux [cm-2 s-1] and energy flux [MeV cm-2 s-1] in all bands.
    ts, ts_curvature : float
        Against no source, and against the same without curvature (NaN where it is not free).
    chi2, dof, p_value : float
        Twice what ln L of all bands loses to their maxima, degrees of freedom, and probability of
        as much or more.
    """

    dnde: float
    dnde_err: float
    index: float
    index_err: float
    curvature: float
    curvature_err: float
    flux: float
    eflux: float
    ts: float
    ts_curvature: float
    chi2: float
    dof: float
    p_value: float


_NONE = SpectrumFit(*[np.nan] * len(_ABOUT))


def fit_spectrum(
    curves: BandCurves, reference: Reference, spectrum: TargetSpectrum, pivot: float
) -> SpectrumFit:
    """Fit dN/dE = K (E / pivot)^(index - curvature ln(E / pivot)).

    Parameters
    ----------
    curves : BandCurves
        Profiles of the bands.
    reference : Reference
        The reference spectrum in them.
    spectrum : TargetSpectrum
        The model.
    pivot : float
        Energy [MeV].
    """
    from scipy.optimize import minimize
    from scipy.stats import chi2 as chi2_distribution

    names = spectrum.free
    known = curves.is_known

    def shape(values: np.ndarray, energy: float = 0.0) -> np.ndarray:
        given = {"index": spectrum.index, "curvature": spectrum.curvature}
        given |= dict(zip(names, values[1:], strict=True))
        return band_integrals(reference, pivot, given["index"], given["curvature"], energy)

    def loss(values: np.ndarray) -> float:
        norm = np.exp(values[0]) * shape(values)[known] / reference.flux[known]
        return -float(curves.sum(norm))

    start = np.array([getattr(spectrum, name) for name in names])
    unit = shape(np.append(0.0, start))[known] / reference.flux[known]
    grid = np.log(np.geomspace(1e-4, 1e4, 161) / np.median(unit))
    at = curves.sum(np.exp(grid)[:, np.newaxis] * unit)
    begin = np.append(grid[int(np.argmax(at))], start)
    bounds = [(grid[0] - 10, grid[-1] + 10), *(_BOUNDS[name] for name in names)]
    best = minimize(loss, begin, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13})
    values, lost = best.x, float(best.fun)
    errors = _errors(loss, values)
    found = {"index": spectrum.index, "curvature": spectrum.curvature}
    found |= dict(zip(names, values[1:], strict=True))
    error = dict.fromkeys(found, 0.0) | dict(zip(names, errors[1:], strict=True))
    without = np.nan
    if "curvature" in names:
        fewer = tuple(name for name in names if name != "curvature")
        changed = spectrum.model_copy(update={"free": fewer, "curvature": 0.0})
        without = fit_spectrum(curves, reference, changed, pivot).chi2 - 2 * lost
    norm = float(np.exp(values[0]))
    dof = int(known.sum()) - len(values)
    return SpectrumFit(
        dnde=norm,
        dnde_err=norm * float(errors[0]),
        index=float(found["index"]),
        index_err=float(error["index"]),
        curvature=float(found["curvature"]),
        curvature_err=float(error["curvature"]),
        flux=norm * float(shape(values).sum()),
        eflux=norm * float(shape(values, 1.0).sum()),
        ts=float(2 * (-lost - curves.zero)),
        ts_curvature=without,
        chi2=2 * lost,
        dof=dof,
        p_value=float(chi2_distribution.sf(2 * lost, dof)) if dof > 0 else np.nan,
    )


def band_integrals(
    reference: Reference, pivot: float, index: float, curvature: float, power: float = 0.0
) -> np.ndarray:
    """Integral of E^power (E / pivot)^(index - curvature ln(E / pivot)) in each band [MeV]."""
    low, high = np.log(reference.e_min / pivot), np.log(reference.e_max / pivot)
    half = (high - low)[:, np.newaxis] / 2
    x = (high + low)[:, np.newaxis] / 2 + half * _NODE
    values = np.exp(x * (1 + power + index - curvature * x))
    return np.sum(half * _WEIGHT * values, axis=1) * pivot ** (1 + power)


def spectrum_columns(
    targets: TargetList,
    fitted: FittedTargets,
    bands: Bands,
    spectra: Mapping[str, TargetSpectrum],
) -> dict[str, Column]:
    """Columns of `spectra.ecsv`: a row for each target, profile and spectrum.

    Parameters
    ----------
    targets : TargetList
        The targets.
    fitted : FittedTargets
        All fits.
    bands : Bands
        Bands of the problem.
    spectra : dict of str to TargetSpectrum
        Models by name.
    """
    reference = Reference(bands)
    pivot = float(np.sqrt(reference.e_min.min() * reference.e_max.max()))
    found: dict[tuple[int, str], SpectrumFit] = {}
    for number, (scan, ts) in enumerate(zip(fitted.scan, fitted.numbers["ts"], strict=True)):
        curves = BandCurves(scan, ts)
        for name, spectrum in spectra.items():
            is_possible = curves.is_known.sum() > len(spectrum.free)
            found[number, name] = (
                fit_spectrum(curves, reference, spectrum, pivot) if is_possible else _NONE
            )
    n = len(spectra)
    columns = {
        key: one._replace(values=np.repeat(one.values, n))
        for key, one in row_columns(targets).items()
    }
    names = np.array(list(spectra) * len(targets.rows), dtype=str)
    columns["spectrum"] = Column(names, "", "name of the model")
    columns["pivot"] = Column(np.full(names.size, pivot), "MeV", "energy of dnde and index")
    rows = [found[row.fit, name] for row in targets.rows for name in spectra]
    for field, (unit, about) in _ABOUT.items():
        values = np.array([getattr(row, field) for row in rows], dtype=np.float64)
        columns[field] = Column(values, unit, about)
    return columns


def _errors(loss: Callable[[np.ndarray], float], best: np.ndarray) -> np.ndarray:
    """Standard errors from second differences; NaN where they are none."""
    n = best.size
    steps = _STEP * np.eye(n)
    curvature = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
            values = [a * b * loss(best + a * steps[i] + b * steps[j]) for a, b in signs]
            curvature[i, j] = sum(values) / (4 * _STEP**2)
    try:
        variance = np.diag(np.linalg.inv(curvature))
    except np.linalg.LinAlgError:
        return np.full(n, np.nan)
    return np.sqrt(np.where(variance > 0, variance, np.nan))
