"""Maps and positions of sources from data, in one call."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from skyquilt.api.inputs import Inputs, Workplace
from skyquilt.api.localisation import Localisation
from skyquilt.api.maps import Maps
from skyquilt.api.settings import make_config
from skyquilt.host import n_cores
from skyquilt.runs.guard import claim, remove_leftovers
from skyquilt.steps.run import run_analysis

logger = logging.getLogger(__name__)


def fit_map(
    *,
    spectrum: Any,
    counts: Any = None,
    background: Any = None,
    response: Any = None,
    orientation: Any = None,
    events: Any = None,
    exposure: Any = None,
    psf: Any = None,
    dataset: Any = None,
    interval: Sequence[Any] | None = None,
    data: Mapping[str, Any] | None = None,
    energy: Mapping[str, Any] | None = None,
    shape: Mapping[str, Any] | None = None,
    flux_range: Sequence[str] | None = None,
    nside: int = 16,
    map: Mapping[str, Any] | None = None,  # noqa: A002 (as in the configuration)
    fit: Mapping[str, Any] | None = None,
    name: str = "map",
    results: str | Path | None = None,
    cache: str | Path | None = None,
    threads: int | None = None,
) -> Maps:
    """Maps of test statistic and flux of the whole sky.

    What is computed is what `skyquilt run` computes of the same settings, bit for bit.

    Parameters
    ----------
    spectrum : PowerLaw, CutoffPowerLaw, BrokenPowerLaw, LogParabola, Band, GaussianLine or dict
        Spectrum of the source; also a model of gammapy or astromodels, see `to_spectrum`.
    counts : path, object or list
        Photons in bins; of a Compton telescope a histogram, or several, which are added.
    background : path or object, or dict of str to these
        Expected background; several components by name are added.
    response : path
        Response of a Compton telescope.
    orientation : path
        Orientation of a Compton telescope.
    events : path or object
        Photons one by one, of a telescope that makes images.
    exposure, psf : path or object
        Exposure and point spread function of a telescope that makes images.
    dataset : path or object
        All of a telescope that makes images in one: MapDataset of gammapy, or its file.
    interval : pair
        Start and end, UNIX s or date and time in UTC.
    data : dict, optional
        Further keys of section `data` of a configuration, as `frame`, `zero_background`.
    energy, shape, fit : dict, optional
        Sections of the configuration, as ``{"channels": [2, 3]}``.
    flux_range : pair of str, optional
        Energies in which photon fluxes are told.
    nside : int, optional
        Resolution.
    map : dict, optional
        Further keys of section `map`, as `region`, `frame`.
    name : str, optional
        Name of the analysis.
    results : path, optional
        Folder to keep files in, as `results/{name}/maps.fits`: what is there and answers the same
        is not made again. Without it they lie in a temporary folder, as long as the maps live.
    cache : path, optional
        Folder of contracted responses, which other calls use again; beside the results if left out.
    threads : int, optional
        Threads; as many as this process may use if left out.

    Returns
    -------
    Maps
        The maps.

    Raises
    ------
    ConfigError
        If an argument is missing, unknown or wrong.
    InputError
        If a file is damaged, or files do not fit each other.

    See Also
    --------
    localise : Also where the source is.

    Examples
    --------
    >>> fit_map(counts="counts.h5", spectrum={"Powerlaw": {"K": 1e-3, "piv": 100, "index": -2}})
    Traceback (most recent call last):
        ...
    skyquilt.errors.ConfigError: no instrument: give `response` (of a Compton telescope), ...
    """
    given = {
        **{"counts": counts, "background": background, "response": response},
        **{"orientation": orientation, "events": events, "exposure": exposure, "psf": psf},
        **{"dataset": dataset, "interval": interval, "more": data},
    }
    sections = {
        **{"energy": energy, "shape": shape, "flux_range": flux_range, "fit": fit},
        "map": {"nside": nside, **(map or {})},
    }
    folder, kept = _run(given, spectrum, sections, "maps", name, results, cache, threads)
    return Maps.read(folder / "maps.fits", keep=kept)


def localise(
    *,
    spectrum: Any,
    levels: Sequence[float] = (0.9,),
    prior: str = "flat",
    systematic_error: float | str = "auto",
    true_position: Any = None,
    refine: Mapping[str, Any] | None = None,
    name: str = "source",
    results: str | Path | None = None,
    cache: str | Path | None = None,
    threads: int | None = None,
    nside: int = 16,
    map: Mapping[str, Any] | None = None,  # noqa: A002 (as in the configuration)
    energy: Mapping[str, Any] | None = None,
    shape: Mapping[str, Any] | None = None,
    flux_range: Sequence[str] | None = None,
    fit: Mapping[str, Any] | None = None,
    **measurement: Any,
) -> Localisation:
    """Where the source is: maps, the map refined, probability of positions, regions.

    Parameters
    ----------
    spectrum, nside, map, energy, shape, flux_range, fit, name, results, cache, threads
        See `fit_map`.
    levels : sequence of float, optional
        Levels of the regions that are written; others can be asked for afterwards.
    prior : {"flat", "exposure"}, optional
        Where sources are expected before the data.
    systematic_error : float or "auto", optional
        Standard error of the position along each axis besides the statistical one [deg].
    true_position : SkyCoord, optional
        Where the source is known to be, to compare with.
    refine : dict, optional
        Section `refine` of a configuration.
    **measurement
        The data, as of `fit_map`: `counts`, `background`, `response`, `orientation`, `events`,
        `exposure`, `psf`, `dataset`, `interval`, `data`.

    Returns
    -------
    Localisation
        Position, regions, flux; its `maps` are those of `fit_map`.

    Raises
    ------
    ConfigError
        If an argument is missing, unknown or wrong.
    InputError
        If a file is damaged, or files do not fit each other.

    Examples
    --------
    >>> localise(spectrum="hard")
    Traceback (most recent call last):
        ...
    skyquilt.errors.ConfigError: no instrument: give `response` (of a Compton telescope), ...
    """
    if unknown := [key for key in measurement if key not in _MEASUREMENT]:
        raise TypeError(f"localise() got an unexpected keyword argument {unknown[0]!r}")
    given = {("more" if key == "data" else key): one for key, one in measurement.items()}
    sections = {
        **{"energy": energy, "shape": shape, "flux_range": flux_range, "fit": fit},
        **{"map": {"nside": nside, **(map or {})}, "refine": refine},
        "localise": {
            "levels": list(levels),
            "prior": prior,
            "systematic_error": systematic_error,
            "true_position": _position(true_position),
        },
    }
    folder, kept = _run(given, spectrum, sections, "localisation", name, results, cache, threads)
    return Localisation.read(folder, keep=kept)


_MEASUREMENT = (
    *("counts", "background", "response", "orientation", "events", "exposure", "psf"),
    *("dataset", "interval", "data"),
)


def _run(
    given: Mapping[str, Any],
    spectrum: Any,
    sections: Mapping[str, Any],
    until: str,
    name: str,
    results: str | Path | None,
    cache: str | Path | None,
    threads: int | None,
) -> tuple[Path, Workplace]:
    """Run the steps; folder of the analysis, and the temporary one that must live on."""
    kept = Workplace()
    here = kept.path
    folder = Path(results).expanduser() if results is not None else here / "results"
    beside = (here if results is None else folder.parent) / "cache"
    folders = {"results": str(folder), "cache": str(cache if cache is not None else beside)}
    config = make_config(name, folders, given, spectrum, sections, Inputs(here))
    with claim(folder):
        remove_leftovers(folder)
        run_analysis(config, name, threads or n_cores(), until=until)
    return folder / name, kept


def _position(position: Any) -> dict[str, Any] | None:
    """Section of a position from a SkyCoord; mappings are taken as they are."""
    if position is None:
        return None
    if isinstance(position, Mapping):
        return dict(position)
    icrs = position.icrs
    return {"lon": float(icrs.ra.deg), "lat": float(icrs.dec.deg), "frame": "icrs"}
