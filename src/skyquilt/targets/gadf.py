"""Likelihood profiles of targets as others read them: `seds.fits` and `sed/NAME.PROFILE.fits`.

gammapy reads a table FLUXPOINTS of that name only, takes the fluxes of a scan from its first row
for all, and `stat_scan` as -2 ln L; fermipy takes the first table of a file, and `dloglike_scan` as
ln L less its maximum. So both are there, on the fluxes of all bands' scans together; and `norm_ul`
of a target is the limit of the profile, as both recompute it.

References
----------
Data formats for gamma-ray astronomy, flux points and likelihood profiles:
https://gamma-astro-data-formats.readthedocs.io/en/latest/spectra/
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.io.fits_table import label as label_header
from skyquilt.io.fits_table import record_hdu, sign
from skyquilt.io.products import new_product
from skyquilt.io.schema import Schema
from skyquilt.likelihood.curve import Curve
from skyquilt.problem.bands import Bands
from skyquilt.targets.files import FittedTargets
from skyquilt.targets.listing import TargetList
from skyquilt.targets.table import SCHEMA, Reference

# 1.0  first version
SED = Schema("skyquilt/sed", "1.0", "skyquilt targets merge")


def curve_of(scan: np.ndarray) -> Curve:
    """Profile of a band from its points, of shape (3, n_point)."""
    known = np.isfinite(scan).all(axis=0)
    return Curve(*scan[:, known])


def common_scan(scan: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes of all bands together, and ln L of each band there.

    Parameters
    ----------
    scan : ndarray of float64, shape (3, n_band, n_point)
        Scan of a target.

    Returns
    -------
    norm : ndarray of float64, shape (n,)
        Fluxes, ascending from 0.
    delta_loglike : ndarray of float64, shape (n_band, n)
        Ln L less its maximum; NaN of bands without a fit.
    """
    known = np.isfinite(scan).all(axis=0)
    norm = np.unique(np.append(scan[0][known], 0.0))
    curves = np.full((scan.shape[1], norm.size), np.nan)
    for band in range(scan.shape[1]):
        if known[band].any():
            curves[band] = np.maximum(curve_of(scan[:, band]).at(norm), -1e30)
    return norm, curves


def write_sed(
    path: Path,
    name: str,
    fitted: FittedTargets,
    number: int,
    bands: Bands,
    confidence_level: float,
    record: Mapping[str, Any],
) -> None:
    """Write the flux points and profiles of one target.

    Parameters
    ----------
    path : Path
        File to write.
    name : str
        Name of the target.
    fitted : FittedTargets
        All fits.
    number : int
        Number of that of the target.
    bands : Bands
        Bands of the problem.
    confidence_level : float
        Of limits.
    record : dict
        Provenance.
    """
    from astropy.io import fits

    reference = Reference(bands)
    each = {key: values[number] for key, values in fitted.numbers.items()}
    norm, delta_loglike = common_scan(fitted.scan[number])
    delta_loglike[:, 0] = -each["ts"] / 2  # at 0, which a scan may not reach
    stat = np.zeros(bands.n_band)
    columns = [
        ("e_min", reference.e_min, "MeV"),
        ("e_max", reference.e_max, "MeV"),
        ("e_ref", reference.e_ref, "MeV"),
        *(
            (f"ref_{key}", getattr(reference, key), unit)
            for key, (unit, _) in reference.units.items()
        ),
        *((key, each[key], "") for key in ("norm", "norm_err", "norm_errn", "norm_errp")),
        ("norm_ul", each["norm_ul_profile"], ""),
        ("ts", each["ts"], ""),
        ("sqrt_ts", np.sqrt(each["ts"]), ""),
        ("stat", stat, ""),
        ("stat_null", each["ts"], ""),
        ("norm_scan", np.tile(norm, (bands.n_band, 1)), ""),
        ("stat_scan", -2 * delta_loglike, ""),
        ("dloglike_scan", delta_loglike, ""),
    ]
    table = fits.BinTableHDU.from_columns(
        [_column(key, values, unit) for key, values, unit in columns], name="FLUXPOINTS"
    )
    table.header["SED_TYPE"] = ("likelihood", "kind of flux points")
    table.header["UL_CONF"] = (confidence_level, "confidence level of limits")
    table.header["SRCNAME"] = (name, "target")
    _write(path, table, [], SED, record)


def write_seds_cube(
    path: Path,
    targets: TargetList,
    fitted: FittedTargets,
    bands: Bands,
    confidence_level: float,
    record: Mapping[str, Any],
) -> None:
    """Write the profiles of all targets in one file, tables SCANDATA and EBOUNDS.

    A row is a target with its profile, in the order of `targets.fits`. Scans of bands end with
    repetitions of their last point where others have more.
    """
    from astropy.io import fits

    reference = Reference(bands)
    scan = _padded(fitted.scan)
    numbers = fitted.numbers
    columns = [
        _column("name", np.array([one.name for one in targets.fits])),
        _column("profile", np.array([one.profile for one in targets.fits])),
        *(_column(key, values) for key, values in numbers.items() if key != "status"),
        _column("status", numbers["status"].astype(np.int32)),
        _column("norm_scan", scan[:, 0]),
        _column("dloglike_scan", scan[:, 1]),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SCANDATA")
    table.header["UL_CONF"] = (confidence_level, "confidence level of limits")
    edges = [
        _column("E_MIN", bands.edges[:, 0], "keV"),
        _column("E_REF", np.sqrt(bands.edges.prod(axis=1)), "keV"),
        _column("E_MAX", bands.edges[:, 1], "keV"),
        *(
            _column(f"REF_{key.upper()}", getattr(reference, key), unit)
            for key, (unit, _) in reference.units.items()
        ),
    ]
    bounds = fits.BinTableHDU.from_columns(edges, name="EBOUNDS")
    _write(path, table, [bounds], SCHEMA, record)


def _padded(scan: np.ndarray) -> np.ndarray:
    """Scans of which each band repeats its last point to the end."""
    known = np.isfinite(scan).all(axis=1)
    last = np.maximum(known.shape[-1] - 1 - np.argmax(known[..., ::-1], axis=-1), 0)
    index = np.minimum(np.arange(known.shape[-1]), last[..., np.newaxis])
    return np.take_along_axis(scan, index[:, np.newaxis], axis=-1)


def _column(name: str, values: np.ndarray, unit: str = "") -> Any:
    from astropy.io import fits

    kinds = {"f": "D", "i": "J"}
    if values.dtype.kind == "U":
        form = f"{max(values.dtype.itemsize // 4, 1)}A"
    else:
        form = f"{int(np.prod(values.shape[1:]))}{kinds[values.dtype.kind]}"
    dim = f"({','.join(map(str, values.shape[:0:-1]))})" if values.ndim > 2 else None
    return fits.Column(name, form, unit=unit or None, array=values, dim=dim)


def _write(path: Path, table: Any, more: list, schema: Schema, record: Mapping[str, Any]) -> None:
    from astropy.io import fits

    label_header(table.header, schema)
    sign(table.header, record)
    file = fits.HDUList([fits.PrimaryHDU(), table, *more, record_hdu(record)])
    with new_product(path) as partial:
        file.writeto(partial, checksum=True)
