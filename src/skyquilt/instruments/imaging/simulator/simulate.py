"""All files of a simulated imaging observation."""

import logging
from pathlib import Path

import numpy as np

from skyquilt.config.imager import SimulatedDiffuse, SimulatedImager, imager_files
from skyquilt.errors import ConfigError
from skyquilt.instruments.imaging.simulator.files import (
    write_cube,
    write_dataset,
    write_events,
    write_exposure,
    write_point_spread,
)
from skyquilt.instruments.imaging.simulator.photons import (
    MeasuredPhotons,
    draw_energies,
    draw_source,
    draw_times,
    expected_bands,
    expected_photons,
    mean_factor,
    measure,
)
from skyquilt.instruments.imaging.simulator.telescope import SimulatedTelescope, make_telescope
from skyquilt.simulate import generator
from skyquilt.simulate.light_curves import check_light_curve
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec, vec_to_nest
from skyquilt.sky.pixels import MAX_NSIDE, nest_to_ring, ring_to_nest

logger = logging.getLogger(__name__)


def simulate(settings: SimulatedImager, folder: Path | None = None) -> list[Path]:
    """Simulate an observation and write its files.

    Parameters
    ----------
    settings : SimulatedImager
        Section `simulation` of the configuration.
    folder : Path, optional
        Folder of the files instead of that of the configuration.

    Returns
    -------
    list of Path
        Files written.

    Raises
    ------
    ConfigError
        If nothing of a component is seen.
    InputError
        If the map of a shape is no brightness of integral 1.
    OutputError
        If a file cannot be written.
    """
    target = Path(folder or settings.folder)
    paths = {key: target / name for key, name in imager_files(settings).items()}
    telescope, nside = make_telescope(settings), settings.nside
    factors = {}
    for name, source in settings.sources.items():
        check_light_curve(name, source.light_curve, settings.observed(name))
        factors[name] = mean_factor(source.light_curve, settings.epochs)
    directions = ring_to_vec(nside, np.arange(12 * nside**2))
    acceptance = telescope.acceptance(directions)
    expected = {
        name: _expect(name, one, telescope, directions, acceptance)
        for name, one in settings.background.items()
    }
    photons = {
        name: _draw_diffuse(settings, name, telescope, expected[name])
        for name in settings.background
    } | {name: _draw_source(settings, name, telescope, factors[name]) for name in factors}
    whole = np.sum(list(expected.values()), axis=0)
    is_observed = whole.any(axis=1)
    photons = {name: _observed(name, one, is_observed) for name, one in photons.items()}
    write_exposure(paths["exposure"], nside, acceptance, telescope)
    write_point_spread(paths["psf"], telescope)
    write_cube(paths["background"], nside, whole, telescope.edges)
    if len(expected) > 1:
        for name, values in expected.items():
            write_cube(paths[f"background-{name}"], nside, values, telescope.edges)
    counts = _write_photons(settings, paths, telescope, photons)
    if "dataset" in paths:
        write_dataset(paths["dataset"], nside, counts, whole, acceptance, telescope)
    return list(paths.values())


def _expect(
    name: str,
    component: SimulatedDiffuse,
    telescope: SimulatedTelescope,
    directions: np.ndarray,
    acceptance: np.ndarray,
) -> np.ndarray:
    """Expected counts of a component of the background, shape (npix, n_band)."""
    brightness = np.ones(len(directions))
    if component.latitude_scale is not None:
        latitude = np.degrees(np.arcsin(directions[:, 2]))
        brightness = np.exp(-np.abs(latitude) / component.latitude_scale)
    seen = brightness / brightness.sum() * acceptance
    if not seen.any():
        raise ConfigError(f"simulation.background.{name}: no photon of it is seen; widen `field`.")
    return np.outer(seen, expected_bands(component.spectrum, telescope))


def _draw_diffuse(
    settings: SimulatedImager, name: str, telescope: SimulatedTelescope, expected: np.ndarray
) -> MeasuredPhotons:
    """Photons even within each pixel; what is expected in it is what is measured in it."""
    rng, spectrum = _rng(settings, name), settings.background[name].spectrum
    per_pixel = expected.sum(axis=1)
    n_expected = per_pixel.sum()
    if telescope.dispersion.settings is not None:  # more come than are measured in the bands
        every, measured = (
            count(spectrum, telescope).sum() for count in (expected_photons, expected_bands)
        )
        n_expected *= every / measured
    n = rng.poisson(n_expected)
    ipix = rng.choice(per_pixel.size, n, p=per_pixel / per_pixel.sum())
    n_inside = (MAX_NSIDE // settings.nside) ** 2
    pixel = ring_to_nest(settings.nside, ipix) * n_inside + rng.integers(n_inside, size=n)
    direction = nest_to_vec(MAX_NSIDE, pixel)
    return measure(direction, draw_energies(spectrum, telescope, n, rng), telescope, rng)


def _observed(name: str, photons: MeasuredPhotons, is_observed: np.ndarray) -> MeasuredPhotons:
    """Photons in pixels where there is a background; a source at the border loses some."""
    nside = int(np.sqrt(is_observed.size / 12))
    is_in = is_observed[nest_to_ring(nside, vec_to_nest(nside, photons.direction))]
    logger.info(
        "%s: %d photons, %d more outside the field of view",
        *(name, np.count_nonzero(is_in), np.count_nonzero(~is_in)),
    )
    return photons.keep(is_in)


def _draw_source(
    settings: SimulatedImager, name: str, telescope: SimulatedTelescope, factor: float
) -> MeasuredPhotons:
    return draw_source(settings.sources[name], telescope, factor, _rng(settings, name))


def _rng(settings: SimulatedImager, *names: str) -> np.random.Generator:
    """Random numbers of one component: they do not depend on the others."""
    return generator(settings.seed, *names)


def _draw_times(settings: SimulatedImager, photons: dict[str, MeasuredPhotons]) -> np.ndarray:
    """Times of all photons [UNIX s], those of constant components from one draw."""
    sizes = {name: one.energy.size for name, one in photons.items()}
    curves = {name: getattr(settings.sources.get(name), "light_curve", None) for name in photons}
    n_even = sum(size for name, size in sizes.items() if curves[name] is None)
    even, times, used = draw_times(None, settings.epochs, n_even, _rng(settings, "times")), [], 0
    for name, size in sizes.items():
        if curves[name] is None:
            times.append(even[used : used + size])
            used += size
        else:
            rng = _rng(settings, name, "times")
            times.append(draw_times(curves[name], settings.epochs, size, rng))
    return np.concatenate(times)


def _write_photons(
    settings: SimulatedImager,
    paths: dict[str, Path],
    telescope: SimulatedTelescope,
    photons: dict[str, MeasuredPhotons],
) -> np.ndarray:
    """Write all photons, in order of time, as a list and counted in pixels; return the counts."""
    every = MeasuredPhotons(
        *(np.concatenate(parts) for parts in zip(*photons.values(), strict=True))
    )
    source = np.repeat(list(photons), [one.energy.size for one in photons.values()])
    time = _draw_times(settings, photons)
    order = np.argsort(time, kind="stable")
    write_events(
        *(paths["events"], every.keep(order), time[order], source[order]),
        settings.epochs,
        with_true_energy=settings.dispersion is not None,
    )
    n_band, npix = telescope.edges.size - 1, 12 * settings.nside**2
    band = np.searchsorted(telescope.edges, every.energy, side="right") - 1
    band = np.clip(band, 0, n_band - 1)
    ipix = nest_to_ring(settings.nside, vec_to_nest(settings.nside, every.direction))
    counts = np.bincount(ipix * n_band + band, minlength=npix * n_band).reshape(npix, n_band)
    write_cube(paths["counts"], settings.nside, counts, telescope.edges)
    return counts
