"""Responses of an observation at the nodes of true energy and angles that an expectation has."""

import logging
from itertools import pairwise

import numpy as np

from skyquilt.config.spectrum import Spectrum
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.components import choose_known
from skyquilt.instruments.imaging.dl3.irf_file import FieldResponse
from skyquilt.instruments.imaging.quantities import FaultError
from skyquilt.problem.event_response import EventResponse
from skyquilt.problem.profiles import linear_integral
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.spectra.models import corners, evaluate

logger = logging.getLogger(__name__)

_NODES_PER_DECADE = 40
"""Of true energy: bins of 6 %, at most about as wide as the dispersion of any telescope."""
_MEASURED_PER_DECADE = 100
"""Measured energies, between which the dispersion times a power of energy is linear."""
_OFFSET_STEP = np.radians(0.25)
"""Largest step between angles from the pointing. Between them the product of area, dispersion and
point spread function is linear, where each of them is: they differ by the square of the step."""
_FARTHEST = 20.0  # ratio of true and measured energy beyond which no photon is looked for
_SEEN = 1e-9  # probability below which a node is left out


def make_response(
    response: FieldResponse,
    spectrum: Spectrum,
    edges: np.ndarray,
    farthest: float,
    livetime: float,
    *,
    normalise: bool,
) -> tuple[EventResponse, np.ndarray]:
    """Response at nodes, and the angles of its patterns [rad].

    Parameters
    ----------
    response : FieldResponse
        What was read.
    spectrum : Spectrum
        Reference spectrum; its corners are borders of nodes.
    edges : ndarray of float64, shape (n_band + 1,)
        Edges of the bands of measured energy [keV].
    farthest : float
        Angle from the pointing up to which a source may be [rad].
    livetime : float
        Time without the time that the telescope was dead [s].
    normalise : bool
        Divide the point spread function by its integral.

    Raises
    ------
    InputError
        If the response does not reach so far, or is not known where photons are expected.
    """
    try:
        return _make(response, spectrum, edges, farthest, livetime, normalise=normalise)
    except FaultError as error:
        raise InputError(f"{response.path}: {error}") from error


def _make(
    response: FieldResponse,
    spectrum: Spectrum,
    edges: np.ndarray,
    farthest: float,
    livetime: float,
    *,
    normalise: bool,
) -> tuple[EventResponse, np.ndarray]:
    area, dispersion, psf = response.area, response.dispersion, response.psf
    offset = _offsets(response, farthest)
    bounds = _true_edges(response, edges)
    true = np.sqrt(bounds[1:] * bounds[:-1])
    rows = dispersion.rows(true, offset)
    seen = dispersion.fractions(rows, true, edges)
    is_used = np.flatnonzero((seen.sum(axis=0) > _SEEN).any(axis=0))
    if not is_used.size:
        raise FaultError("no true energy is measured in the chosen energies.")
    used = slice(int(is_used[0]), int(is_used[-1]) + 1)
    true, rows, seen = true[used], rows[:, used], seen[..., used]
    axis = TrueEnergy.of_bins(bounds[used.start : used.stop + 1], corners(spectrum))
    effective = area.at(true, offset) * livetime
    theta, profile = psf.profiles(true, offset, response.path, normalise=normalise)
    integral = linear_integral(theta, profile.reshape(-1, theta.size)).reshape(effective.shape)
    is_known = (integral > 0) & (rows.sum(axis=-1) > 0)
    _check_known(response.path, axis, spectrum, true, effective, is_known)
    measured = _measured_energies(edges)
    found = EventResponse(
        axis=axis,
        area=np.where(is_known, effective, 0.0),
        measured=measured,
        dispersion=dispersion.density(rows, true, measured),
        seen=seen * integral,
        theta=theta,
        profile=profile,
    )
    return found, offset


def _offsets(response: FieldResponse, farthest: float) -> np.ndarray:
    """Angles of the patterns: those of the responses, and enough between them."""
    each = (response.area, response.dispersion, response.psf)
    inner = np.concatenate([one.offset.nodes for one in each])
    ends = np.unique(np.concatenate([[0.0, farthest], inner[(inner > 0) & (inner < farthest)]]))
    ends = ends[np.append(True, np.diff(ends) > 1e-6)]
    parts = [
        np.linspace(low, high, int(np.ceil((high - low) / _OFFSET_STEP - 1e-6)) + 1)[:-1]
        for low, high in pairwise(ends)
    ]
    return np.append(np.concatenate(parts), ends[-1])


def _true_edges(response: FieldResponse, edges: np.ndarray) -> np.ndarray:
    """Edges of the nodes [keV]: true energies that may be measured between the edges."""
    each = (response.area, response.dispersion, response.psf)
    first, last = response.dispersion.migra.span
    low = max(edges[0] / min(last, _FARTHEST), *(one.energy.span[0] for one in each))
    high = min(edges[-1] / max(first, 1 / _FARTHEST), *(one.energy.span[1] for one in each))
    if not low < high:
        raise FaultError(
            f"its true energies end before the chosen energies, {edges[0]:.6g} to {edges[-1]:.6g} "
            "keV, begin, or begin after they end: choose others with `energy.range`."
        )
    n = int(np.ceil(np.log10(high / low) * _NODES_PER_DECADE))
    return np.geomspace(low, high, n + 1)


def _measured_energies(edges: np.ndarray) -> np.ndarray:
    n = int(np.ceil(np.log10(edges[-1] / edges[0]) * _MEASURED_PER_DECADE))
    return np.geomspace(edges[0], edges[-1], max(n, 2) + 1)


def _check_known(
    path: str,
    axis: TrueEnergy,
    spectrum: Spectrum,
    true: np.ndarray,
    effective: np.ndarray,
    is_known: np.ndarray,
) -> None:
    """Refuse responses that are not known where photons are expected."""
    flux = axis.flux(lambda energy: evaluate(spectrum, energy))
    photons = flux * effective
    some, energy = is_known.ravel(), np.broadcast_to(true, effective.shape).ravel()
    choose_known(some, photons.ravel(), energy, path)
