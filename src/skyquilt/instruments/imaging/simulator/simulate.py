"""All files of a simulated imaging observation."""

import logging
import zlib
from pathlib import Path

import numpy as np

from skyquilt.config.imager import SimulatedDiffuse, SimulatedImager, imager_files
from skyquilt.errors import ConfigError
from skyquilt.instruments.imaging.simulator.files import (
    write_cube,
    write_events,
    write_exposure,
    write_point_spread,
)
from skyquilt.instruments.imaging.simulator.photons import (
    Photons,
    draw_energies,
    draw_source,
    draw_times,
    energy_grid,
    expected_photons,
)
from skyquilt.instruments.imaging.simulator.telescope import Telescope, make_telescope
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
    OutputError
        If a file cannot be written.
    """
    target = Path(folder or settings.folder)
    paths = {key: target / name for key, name in imager_files(settings).items()}
    telescope, nside = make_telescope(settings), settings.nside
    directions = ring_to_vec(nside, np.arange(12 * nside**2))
    acceptance = telescope.acceptance(directions)
    expected = {
        name: _expect(name, one, telescope, directions, acceptance)
        for name, one in settings.background.items()
    }
    write_exposure(paths["exposure"], nside, acceptance, telescope)
    write_point_spread(paths["psf"], telescope)
    write_cube(paths["background"], nside, sum(expected.values()), telescope.edges)
    if len(expected) > 1:
        for name, values in expected.items():
            write_cube(paths[f"background-{name}"], nside, values, telescope.edges)
    photons = {
        name: _draw_diffuse(settings, name, telescope, expected[name])
        for name in settings.background
    } | {name: _draw_source(settings, name, telescope) for name in settings.sources}
    is_observed = sum(expected.values()).any(axis=1)
    photons = {name: _observed(name, one, is_observed) for name, one in photons.items()}
    _write_photons(settings, paths, telescope, photons)
    return list(paths.values())


def _expect(
    name: str,
    component: SimulatedDiffuse,
    telescope: Telescope,
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
    steps = expected_photons(component.spectrum, telescope)
    first = np.searchsorted(energy_grid(telescope), telescope.edges[:-1])
    return np.outer(seen, np.add.reduceat(steps, first))


def _draw_diffuse(
    settings: SimulatedImager, name: str, telescope: Telescope, expected: np.ndarray
) -> Photons:
    """Photons even within each pixel; what is expected in it is what is measured in it."""
    rng = _rng(settings, name)
    per_pixel = expected.sum(axis=1)
    n = rng.poisson(per_pixel.sum())
    ipix = rng.choice(per_pixel.size, n, p=per_pixel / per_pixel.sum())
    n_inside = (MAX_NSIDE // settings.nside) ** 2
    place = ring_to_nest(settings.nside, ipix) * n_inside + rng.integers(n_inside, size=n)
    spectrum = settings.background[name].spectrum
    return Photons(nest_to_vec(MAX_NSIDE, place), draw_energies(spectrum, telescope, n, rng))


def _observed(name: str, photons: Photons, is_observed: np.ndarray) -> Photons:
    """Photons in pixels where there is a background; a source at the border loses some."""
    nside = int(np.sqrt(is_observed.size / 12))
    is_in = is_observed[nest_to_ring(nside, vec_to_nest(nside, photons.direction))]
    logger.info(
        "%s: %d photons, %d more outside the field of view",
        *(name, np.count_nonzero(is_in), np.count_nonzero(~is_in)),
    )
    return Photons(photons.direction[is_in], photons.energy[is_in])


def _draw_source(settings: SimulatedImager, name: str, telescope: Telescope) -> Photons:
    return draw_source(settings.sources[name], telescope, _rng(settings, name))


def _rng(settings: SimulatedImager, name: str) -> np.random.Generator:
    """Random numbers of one component: they do not depend on the others."""
    return np.random.default_rng([settings.seed, zlib.crc32(name.encode())])


def _write_photons(
    settings: SimulatedImager,
    paths: dict[str, Path],
    telescope: Telescope,
    photons: dict[str, Photons],
) -> None:
    """Write all photons, in order of time, as a list and counted in pixels."""
    direction, energy = (np.concatenate(parts) for parts in zip(*photons.values(), strict=True))
    source = np.repeat(list(photons), [one.energy.size for one in photons.values()])
    time = draw_times(settings.epochs, energy.size, _rng(settings, "times"))
    order = np.argsort(time, kind="stable")
    write_events(
        *(paths["events"], direction[order], energy[order], time[order], source[order]),
        settings.epochs,
    )
    n_band, npix = telescope.edges.size - 1, 12 * settings.nside**2
    band = np.clip(np.searchsorted(telescope.edges, energy, side="right") - 1, 0, n_band - 1)
    ipix = nest_to_ring(settings.nside, vec_to_nest(settings.nside, direction))
    counts = np.bincount(ipix * n_band + band, minlength=npix * n_band).reshape(npix, n_band)
    write_cube(paths["counts"], settings.nside, counts, telescope.edges)
