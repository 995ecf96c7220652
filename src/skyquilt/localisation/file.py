"""Files of a localisation: sky maps of many orders and of one, regions as MOC and for DS9."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from skyquilt.io.fits import write_maps
from skyquilt.io.fits_table import Column, write_table
from skyquilt.io.schema import Schema
from skyquilt.io.seal import seal_text, write_sealed
from skyquilt.localisation.ds9 import format_ds9
from skyquilt.localisation.posterior import Posterior, flatten_probability
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.multiorder_file import write_multiorder
from skyquilt.maps.region import Region
from skyquilt.sky.moc import merge_ranges, ranges_to_uniq
from skyquilt.sky.regions import full_sky

KINDS = ("containment", "credible")
MULTIORDER, FLAT = "skymap.multiorder.fits", "skymap.fits"

# 1.0  first version
# 1.1  keyword SYSERR of both sky maps
SKYMAP = Schema("skyquilt/skymap", "1.1", "skyquilt localise")
_FLAT = Schema("skyquilt/flat-skymap", "1.1", "skyquilt localise")
_REGION = Schema("skyquilt/region", "1.0", "skyquilt localise")

_UNIX_EPOCH_MJD = 40587


def region_files(kind: str, level: float) -> dict[str, str]:
    """Names of the files of a region.

    Parameters
    ----------
    kind : {"containment", "credible"}
        Kind of region.
    level : float
        Its level.

    Examples
    --------
    >>> region_files("credible", 0.9)
    {'moc': 'regions/credible-90.fits', 'ds9': 'regions/credible-90.reg'}
    """
    stem = f"regions/{kind}-{100 * level:g}"
    return {"moc": f"{stem}.fits", "ds9": f"{stem}.reg"}


def write_localisation(
    folder: str | Path,
    localisation: Posterior,
    name: str,
    max_nside: int,
    error: float,
    record: Mapping[str, Any],
) -> None:
    """Write the sky maps and all regions.

    Parameters
    ----------
    folder : str or Path
        Where to write.
    localisation : Posterior
        Posterior and regions, in ICRS.
    name : str
        Name of the analysis.
    max_nside : int
        Largest resolution of the flat map; it follows the finest cells up to this.
    error : float
        Systematic error of the position that the posterior allows for [deg].
    record : dict
        Provenance; its `description` tells of the fit problem.
    """
    folder, cells = Path(folder), localisation.cells
    cards = _event_cards(name, record["description"])
    posterior = cards | {"SYSERR": (error, "[deg] systematic error in it, along an axis")}
    write_multiorder(folder / MULTIORDER, cells, record, SKYMAP, posterior)
    nside = min(1 << cells.max_order, max_nside)
    prob = flatten_probability(cells, localisation.density, nside)
    columns = {"PROB": Column(prob, "pix-1", "probability of the pixel")}
    write_maps(
        folder / FLAT,
        nside,
        "nested",
        "icrs",
        full_sky(nside),
        [(np.arange(prob.size), columns)],
        lambda: dict(record),
        _FLAT,
        posterior,
    )
    _remove_regions(folder)
    for kind in KINDS:
        for region in getattr(localisation, kind):
            _write_region(folder, cells, kind, region, cards, record)


def _remove_regions(folder: Path) -> None:
    """Remove the regions of an earlier run, which may be of other levels."""
    for kind in KINDS:
        for ending in ("fits", "reg"):
            for old in folder.glob(f"regions/{kind}-*.{ending}"):
                old.unlink()


def _write_region(
    folder: Path,
    cells: MultiOrderMap,
    kind: str,
    region: Region,
    cards: Mapping[str, Any],
    record: Mapping[str, Any],
) -> None:
    files = region_files(kind, region.level)
    about = f"{100 * region.level:g} % {kind} region"
    ranges = merge_ranges(cells.ranges[region.cells])
    uniq = ranges_to_uniq(ranges, cells.max_order)
    moc = {
        "PIXTYPE": ("HEALPIX", "HEALPix pixelisation"),
        "ORDERING": ("NUNIQ", "pixels of many orders"),
        "COORDSYS": ("C", "ICRS"),
        "MOCORDER": (cells.max_order, "finest order"),
        "LEVEL": (region.level, about),
    }
    column = {"UNIQ": Column(uniq, "", "4 * 4^order + nested pixel")}
    write_table(folder / files["moc"], _REGION, column, moc | dict(cards), record, name="MOC")
    comments = (
        seal_text(_REGION, record),
        f"{cards['OBJECT'][0]}: {about}, {region.area:.6g} deg2, {len(region.parts)} part(s)",
        f"made by skyquilt {record['skyquilt']}, {record['ended_utc'][:19]} UTC",
    )
    write_sealed(folder / files["ds9"], format_ds9(uniq, comments, f"{100 * region.level:g} %"))


def _event_cards(name: str, description: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """Keywords that tell alert programs of the event."""
    cards = {
        "OBJECT": (name, "name of the analysis"),
        "INSTRUME": (description["instrument"], "kind of instrument"),
    }
    if description.get("time_span"):
        for when, unix in zip(("OBS", "END"), description["time_span"], strict=True):
            cards |= _time_cards(when, unix)
    return cards


def _time_cards(when: str, unix: float) -> dict[str, tuple[Any, str]]:
    what = {"OBS": "start", "END": "end"}[when]
    date = datetime.fromtimestamp(unix, UTC).isoformat(timespec="microseconds")[:26]
    mjd = _UNIX_EPOCH_MJD + unix / 86400
    return {
        f"DATE-{when}": (date, f"{what} of the observation, UTC"),
        f"MJD-{when}": (mjd, f"{what} of the observation, UTC"),
    }
