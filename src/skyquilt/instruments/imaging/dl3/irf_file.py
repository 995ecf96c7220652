"""Responses of a DL3 file: which tables there are, and what is wrong with them."""

import logging
from typing import Any, NamedTuple

import numpy as np

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.dl3.irfs import (
    EffectiveArea,
    EnergyDispersion,
    FieldBackground,
    PointSpreadGauss,
    PointSpreadOfField,
    PointSpreadRings,
)
from skyquilt.instruments.imaging.dl3.tables import read_irf_table
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.quantities import FaultError

logger = logging.getLogger(__name__)

_ENERGY_OFFSET = {"ENERG": "keV", "THETA": "rad"}
_NORM = 0.05  # difference of a norm from 1 that is worth a warning
_RATE = "keV-1 s-1 sr-1"
_NEEDED = {
    "effective area": ("AEFF_2D",),
    "energy dispersion": ("EDISP_2D",),
    "point spread function": ("PSF_3GAUSS", "PSF_TABLE"),
    "background": ("BKG_2D", "BKG_3D"),
}
_KINDS = {
    **{"EFF_AREA": "effective area", "EDISP": "energy dispersion"},
    **dict.fromkeys(("PSF", "RPSF"), "point spread function"),
    "BKG": "background",
}


class FieldResponse(NamedTuple):
    """Responses of a telescope with a field of view, without its background.

    Attributes
    ----------
    path : str
        The file.
    area : EffectiveArea
        Effective area.
    dispersion : EnergyDispersion
        Energy dispersion.
    psf : PointSpreadRings or PointSpreadGauss
        Point spread function.
    thresholds : tuple of float or None
        Energies between which the responses can be trusted [keV] (LO_THRES, HI_THRES), if the file
        says.
    """

    path: str
    area: EffectiveArea
    dispersion: EnergyDispersion
    psf: PointSpreadOfField
    thresholds: tuple[float, float] | None = None


def read_field_response(path: str) -> FieldResponse:
    """Effective area, energy dispersion and point spread function of a file.

    Raises
    ------
    InputError
        If one is missing, damaged, of a kind that is not known, or made with a cut on the angle
        from the source (point-like).
    """
    with open_fits(path) as file:
        try:
            area = _read_area(_find(file, path, "effective area"))
            dispersion = _read_dispersion(_find(file, path, "energy dispersion"), path)
            psf = _read_psf(_find(file, path, "point spread function"))
            thresholds = _thresholds(_find(file, path, "effective area").header)
        except (FaultError, KeyError) as error:
            raise InputError(f"{path}: {error.args[0]}") from error
    return FieldResponse(path, area, dispersion, psf, thresholds)


def read_field_background(path: str) -> FieldBackground:
    """Background of the field of view of a file.

    Raises
    ------
    InputError
        If it is missing, damaged, turns during an observation, or is 0 everywhere.
    """
    with open_fits(path) as file:
        try:
            return _read_background(_find(file, path, "background"), path)
        except (FaultError, KeyError) as error:
            raise InputError(f"{path}: {error.args[0]}") from error


def _find(file: Any, path: str, what: str) -> Any:
    """The table of a response.

    Raises
    ------
    InputError
        If there is none, several, or one of another kind.
    """
    there = [hdu for hdu in file if _kind_of(hdu) == what]
    known = ", ".join(f"{hdu.name} ({_text(hdu, 'HDUCLAS4') or '?'})" for hdu in file[1:])
    if not there:
        advice = (
            "give a file that has one as `data.background.path`"
            if what == "background"
            else "give a file that has all of them as `data.irf.path`"
        )
        raise InputError(
            f"{path}: no {what} ({' or '.join(_NEEDED[what])}); {advice}. There are: {known}."
        )
    if len(there) > 1:
        raise InputError(f"{path}: {len(there)} tables are the {what}; one is needed: {known}.")
    hdu = there[0]
    if _text(hdu, "HDUCLAS3") == "POINT-LIKE":
        raise InputError(
            f"{path}: table {hdu.name} is POINT-LIKE: it holds after a cut on the angle from one "
            "source, and says nothing of photons elsewhere, so it makes no map; give responses "
            "of full enclosure."
        )
    if _text(hdu, "HDUCLAS4") not in _NEEDED[what]:
        raise InputError(
            f"{path}: table {hdu.name} is of the kind {_text(hdu, 'HDUCLAS4') or 'unknown'}; known "
            f"for the {what}: {', '.join(_NEEDED[what])}."
        )
    return hdu


def _kind_of(hdu: Any) -> str | None:
    kind = _text(hdu, "HDUCLAS4")
    for what, kinds in _NEEDED.items():
        if kind in kinds:
            return what
    return _KINDS.get(_text(hdu, "HDUCLAS2"))


def _text(hdu: Any, key: str) -> str:
    return str(hdu.header.get(key) or "").strip().upper()


def _thresholds(header: Any) -> tuple[float, float] | None:
    """LO_THRES and HI_THRES [keV], which are in TeV."""
    low, high = header.get("LO_THRES"), header.get("HI_THRES")
    if low is None or high is None:
        return None
    try:
        ends = 1e9 * float(low), 1e9 * float(high)
    except (TypeError, ValueError) as error:
        raise FaultError(f"LO_THRES {low!r} and HI_THRES {high!r} must be numbers.") from error
    return ends if 0 <= ends[0] < ends[1] else None


def _read_area(hdu: Any) -> EffectiveArea:
    table = read_irf_table(hdu, _ENERGY_OFFSET, {"EFFAREA": "cm2"})
    values = _finite(hdu, "EFFAREA", table.values["EFFAREA"])
    if not values.any():
        raise FaultError(f"table {hdu.name}: the effective area is 0 everywhere.")
    energy, offset = table.axes
    return EffectiveArea(energy, offset, values)


def _read_dispersion(hdu: Any, path: str) -> EnergyDispersion:
    axes = {**_ENERGY_OFFSET, "MIGRA": None}
    table = read_irf_table(hdu, axes, {"MATRIX": None})
    values = _known_rows(hdu, "MATRIX", table.values["MATRIX"])
    energy, offset, migra = table.axes
    found = EnergyDispersion(energy, offset, migra, values)
    low, high = found.norm
    if not high > 0:
        raise FaultError(f"table {hdu.name}: the energy dispersion is 0 everywhere.")
    if max(abs(low - 1), abs(high - 1)) > _NORM:
        logger.warning(
            "%s: the energy dispersion has integrals of %.4g to %.4g, not 1; each is divided by "
            "its own",
            *(path, low, high),
        )
    return found


def _read_psf(hdu: Any) -> PointSpreadOfField:
    if _text(hdu, "HDUCLAS4") == "PSF_TABLE":
        table = read_irf_table(hdu, {**_ENERGY_OFFSET, "RAD": "rad"}, {"RPSF": "sr-1"})
        energy, offset, ring = table.axes
        values = _known_rows(hdu, "RPSF", table.values["RPSF"])
        return PointSpreadRings(energy, offset, ring, values)
    columns = {"SIGMA_1": "rad", "SIGMA_2": "rad", "SIGMA_3": "rad", "AMPL_2": None, "AMPL_3": None}
    table = read_irf_table(hdu, _ENERGY_OFFSET, columns)
    known = {name: np.nan_to_num(one) for name, one in table.values.items()}
    sigma = np.stack([known[f"SIGMA_{number}"] for number in (1, 2, 3)], axis=-1)
    height = np.stack([np.ones_like(sigma[..., 0]), known["AMPL_2"], known["AMPL_3"]], axis=-1)
    if np.any(sigma < 0) or np.any(height < 0) or not sigma.any():
        raise FaultError(
            f"table {hdu.name}: SIGMA_n and AMPL_n must be 0 or more, and not 0 everywhere."
        )
    energy, offset = table.axes
    return PointSpreadGauss(energy, offset, sigma, height)


def _read_background(hdu: Any, path: str) -> FieldBackground:
    column = "BGD" if "BGD" in hdu.columns.names else "BKG"
    if _text(hdu, "HDUCLAS4") == "BKG_2D":
        table = read_irf_table(hdu, _ENERGY_OFFSET, {column: _RATE})
    else:
        alignment = _text(hdu, "FOVALIGN")
        if not alignment:
            logger.warning("%s: table %s does not say FOVALIGN; RADEC is taken", path, hdu.name)
        elif alignment != "RADEC":
            raise FaultError(
                f"table {hdu.name} has FOVALIGN {alignment}: it turns on the sky during an "
                "observation; known are RADEC, and BKG_2D, which depends on the angle alone."
            )
        axes = {"ENERG": "keV", "DETX": "rad", "DETY": "rad"}
        table = read_irf_table(hdu, axes, {column: _RATE})
    values = _finite(hdu, column, table.values[column])
    if not values.any():
        raise FaultError(f"table {hdu.name}: the background is 0 everywhere.")
    return FieldBackground(table.axes[0], table.axes[1:], values)


def _finite(hdu: Any, name: str, values: np.ndarray) -> np.ndarray:
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        raise FaultError(
            f"table {hdu.name}: {np.count_nonzero(bad)} values of {name} are negative or not "
            f"finite, as {values[bad][0]}: allowed are numbers of 0 or more."
        )
    return values


def _known_rows(hdu: Any, name: str, values: np.ndarray) -> np.ndarray:
    """Values by energy and offset, all 0 where some are NaN, as for those that are not known."""
    if np.any(values < 0) or np.isinf(values).any():
        raise FaultError(f"table {hdu.name}: some values of {name} are negative or infinite.")
    known = np.isfinite(values).all(axis=-1)
    return np.where(known[..., np.newaxis], values, 0.0)
