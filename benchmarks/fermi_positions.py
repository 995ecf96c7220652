"""How often position errors of sources of Fermi-LAT hold what they say, and why not always.

    SKYQUILT_DATA=<folder of the data> python benchmarks/fermi_positions.py

The sources of the example fermi-2fhl (photons above 50 GeV) are compared with the positions of
3FHL, which were made of ten times as many photons, from 10 GeV on, these among them. Then sources
are simulated with the point spread function of the fit, once with as many photons as were found,
and once with 15 times as many: what is missing there is not the point spread function's fault.

Of each source there are the ellipse of `sources`, and the containment and credible regions of a
map around it that is refined as `skyquilt refine` does. A statistical error of 3FHL makes offsets
larger where its photons are others, and smaller where they are the same: ellipses for both.
"""

import one_thread  # noqa: F401

# isort: split
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import fermi_sky
import numpy as np

from skyquilt.config.instrument_analysis import ImagingAnalysis
from skyquilt.config.refine import RefineOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import refine_positions
from skyquilt.instruments.imaging.healpix_cube import read_exposure
from skyquilt.instruments.imaging.point_spread_file import read_point_spread
from skyquilt.instruments.imaging.response import ImagingResponse
from skyquilt.localisation.posterior import localise
from skyquilt.localisation.refine.cells import make_goal, refine
from skyquilt.localisation.refine.fit import fit_cells
from skyquilt.localisation.systematic import systematic_error
from skyquilt.maps.containment import containment_threshold
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.problem import FitProblem
from skyquilt.problem.buckets import Buckets
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, separation
from skyquilt.sky.healpix import nest_to_vec, vec_to_nest
from skyquilt.sky.neighbours import neighbours
from skyquilt.sky.tangent import from_tangent, tangent_axes
from skyquilt.sky.uniq import to_uniq
from skyquilt.spectra.models import evaluate
from skyquilt.testing.analyses import ask_one

LEVELS = (0.5, 0.68, 0.9, 0.95)
KINDS = ("ellipses", "containment", "credible")
THRESHOLD = 25.0
BACKGROUND = 1.2  # photons per deg2, as far from the galactic plane, of index -2.4
_INDEX = -2.4
_RADIUS = 3.0  # of the simulated background [deg]
_GRID = np.linspace(-0.3, 0.3, 13)
_ORDER = 8  # of the map of the example
_POLE = np.array([0.0, 0.0, 1.0])
_AXES = ("err_major", "err_minor")
_OTHERS = {"ellipses of both, other photons": 1.0, "ellipses, the same among more photons": -1.0}
_AROUND = 0.7  # of the maps around sources [deg]


class Held(NamedTuple):
    """Sources, and whether what is said of their positions holds where they are.

    Attributes
    ----------
    offset : ndarray of float64, shape (n, 2)
        Offsets in the tangent plane [deg].
    covariance : ndarray of float64, shape (n, 2, 2)
        Statistical ones [deg2].
    other : ndarray of float64, shape (n,)
        Standard errors along each axis of the positions that these are compared with [deg].
    drop : ndarray of float64, shape (n,)
        TS of the peak less that where the source is.
    regions : ndarray of bool, shape (n, 2, 2, n_level)
        Without and with a systematic error, the containment and the credible region.
    """

    offset: np.ndarray
    covariance: np.ndarray
    other: np.ndarray
    drop: np.ndarray
    regions: np.ndarray

    def ellipses(self, error: float, sign: float = 0.0) -> np.ndarray:
        """Fraction within the ellipses of each level, with a systematic error [deg].

        Variances of the other positions are added with a sign.
        """
        more = error**2 + sign * self.other**2
        whole = self.covariance + more[:, None, None] * np.eye(2)
        distance = np.einsum("ni,nij,nj->n", self.offset, np.linalg.inv(whole), self.offset)
        return np.mean(distance[:, None] <= -2 * np.log1p(-np.array(LEVELS)), axis=0)


class _One(NamedTuple):
    """A source: that of `Held`, of one."""

    offset: np.ndarray
    covariance: np.ndarray
    other: float
    drop: float
    regions: np.ndarray


def _held(sources: list[_One]) -> Held:
    return Held(*(np.array(column) for column in zip(*sources, strict=True)))


def _in_regions(
    problem: FitProblem, peak: np.ndarray, truth: np.ndarray, error: float
) -> tuple[float, np.ndarray]:
    """Drop of TS at the truth, and whether regions hold it; both directions ICRS."""
    ipix = vec_to_nest(1 << _ORDER, peak[np.newaxis])
    while (wider := _with_neighbours(ipix, peak)).size > ipix.size:
        ipix = wider

    def evaluate(uniq: np.ndarray) -> dict[str, np.ndarray]:
        return fit_cells(problem, uniq)

    uniq = to_uniq(_ORDER, ipix)
    start = MultiOrderMap("icrs", uniq, evaluate(uniq))
    goal = make_goal(RefineOptions(), LEVELS, _ORDER, error, problem.description.sharpness_deg)
    cells = refine(start, evaluate, goal)
    held = []
    for one in (0.0, error):
        found = localise(cells, LEVELS, error=one)
        place = found.cells.find(truth[np.newaxis])[0]
        held.append([[place in region.cells for region in kind] for kind in found[1:]])
    here = rotate(rotation("icrs", problem.frame), truth[np.newaxis])
    return float(np.nanmax(cells.ts) - fit_pixels(problem, here).ts[0]), np.array(held)


def _with_neighbours(ipix: np.ndarray, peak: np.ndarray) -> np.ndarray:
    beside = neighbours(1 << _ORDER, ipix)
    every = np.union1d(ipix, beside[beside >= 0])
    return every[nest_to_vec(1 << _ORDER, every) @ peak > np.cos(np.radians(_AROUND))]


def real_sources(root: Path, problem: FitProblem, error: float) -> tuple[Held, np.ndarray]:
    """Sources of 2FHL at the positions of 3FHL, and all expected counts of the list."""
    from astropy.table import Table

    with tempfile.TemporaryDirectory() as folder:
        fermi_sky.run_example("2fhl", Path(folder), leave_out=("refine",))
        found = Table.read(Path(folder) / "results/fermi-2fhl/sources.ecsv")
    found = found[(found["status"] == 0) & (found["ts"] > THRESHOLD)]
    place = lonlat_to_vec(np.array(found["ra"]), np.array(found["dec"]))
    better = fermi_sky.read_catalogue(root, "3fhl")
    nearest = np.argmax(place @ better.direction.T, axis=1)
    sigma = better.r95[nearest] / np.sqrt(-2 * np.log(0.05))
    system = np.array(found["pos_err_sys"])
    statistical = np.sqrt(np.maximum(np.array(found["pos_err"]) ** 2 - system**2, 0))
    is_same = separation(place, better.direction[nearest]) < 0.25
    sources = []
    for row in np.flatnonzero(is_same & (sigma < 0.6 * statistical)):
        truth, axes = better.direction[nearest[row]], tangent_axes(place[[row]], _POLE)
        angle = np.radians(found["err_pa"][row])
        along = np.array([np.sin(angle), np.cos(angle)])
        across = np.array([np.cos(angle), -np.sin(angle)])
        major, minor = (found[name][row] ** 2 - system[row] ** 2 for name in _AXES)
        covariance = major * np.outer(along, along) + minor * np.outer(across, across)
        offset = np.degrees([float(axis[0] @ truth) for axis in axes])
        drop, regions = _in_regions(problem, place[row], truth, error)
        sources.append(_One(offset, covariance, float(sigma[row]), drop, regions))
    return _held(sources), np.array(found["npred"])


def simulated_sources(
    analysis: ImagingAnalysis,
    problem: FitProblem,
    response: ImagingResponse,
    counts: np.ndarray,
    error: float,
    seed: int,
) -> Held:
    """Simulated sources of so many expected photons each, the response known."""
    rng, pole = np.random.default_rng(seed), rotation("icrs", problem.frame)[:, 2]
    to_icrs = rotation(problem.frame, "icrs")
    center = np.array([[1.0, 0.0, 0.0]])  # the Galactic centre, which does not matter
    x, y = (values.reshape(1, -1) for values in np.meshgrid(_GRID, _GRID))
    sources = []
    for expected in counts:
        # anywhere in a cell of the finest map
        shift = rng.uniform(-0.1, 0.1, (2, 1, 1))
        truth = from_tangent(center, tangent_axes(center, pole), *shift)[0]
        axes = tangent_axes(truth, pole)
        start = from_tangent(truth, axes, x, y)[0]
        sky = _simulate(analysis, problem, response, rng.poisson(expected), rng, truth)

        def ts_at(directions: np.ndarray, sky: FitProblem = sky) -> np.ndarray:
            return fit_pixels(sky, directions).ts

        ts = ts_at(start)
        found = refine_positions(ts_at, start[[np.argmax(ts)]], problem.frame, 0.1)
        if found.is_fitted[0] and found.ts[0] > THRESHOLD:
            own = tangent_axes(found.direction, pole)
            offset = np.degrees([float(axis[0] @ truth[0]) for axis in own])
            turned = rotate(to_icrs, np.concatenate([found.direction, truth]))
            drop, regions = _in_regions(sky, *turned, error)
            sources.append(_One(offset, found.covariance[0], 0.0, drop, regions))
    return _held(sources)


def _simulate(
    analysis: ImagingAnalysis,
    problem: FitProblem,
    response: ImagingResponse,
    n: int,
    rng: np.random.Generator,
    truth: np.ndarray,
) -> FitProblem:
    """Photons of a source at a direction, shape (1, 3), and of a flat background around it."""
    energies = np.geomspace(5e7, 2e9, 400)
    n_background = rng.poisson(BACKGROUND * np.pi * _RADIUS**2)
    weight = (energies * evaluate(analysis.spectrum, energies), energies ** (_INDEX + 1))
    source, background = (
        rng.choice(energies, size, p=share / share.sum())
        for size, share in zip((n, n_background), weight, strict=True)
    )
    place = response.psf_positions(source)
    row = place.astype(int) + (rng.random(n) < place - place.astype(int))
    theta = response.psf.theta
    density = response.psf.profile * np.sin(theta)
    within = np.cumsum((density[:, 1:] + density[:, :-1]) / 2 * np.diff(theta), axis=1)
    within = np.pad(within / within[:, -1:], ((0, 0), (1, 0)))
    chance = rng.random(n)
    angle = [np.interp(one, within[k], theta) for one, k in zip(chance, row, strict=True)]
    radius = np.concatenate([np.degrees(angle), _RADIUS * np.sqrt(rng.random(n_background))])
    turn = rng.uniform(0, 2 * np.pi, radius.size)
    x, y = radius * np.cos(turn), radius * np.sin(turn)
    axes = tangent_axes(truth, rotation("icrs", problem.frame)[:, 2])
    direction = from_tangent(truth, axes, x[np.newaxis], y[np.newaxis])[0]
    energy = np.concatenate([source, background])
    buckets, order = Buckets.sort(32, direction)
    direction, energy = np.ascontiguousarray(direction[order]), energy[order]
    low, high = (edge ** (_INDEX + 1) / (_INDEX + 1) for edge in (5e7, 2e9))
    return replace(
        problem,
        counts=np.ones(energy.size),
        background=BACKGROUND * np.degrees(1) ** 2 / (high - low) * energy**_INDEX,
        expectation=replace(
            problem.expectation,
            direction=direction,
            flux_density=evaluate(analysis.spectrum, energy),
            psf_node=response.psf_positions(energy),
            exposure_node=response.exposure_positions(energy),
            buckets=buckets,
        ),
        known_bands=None,
        known_backgrounds=(),
    )


def rows(root: Path) -> Iterator[str]:
    """Lines of the table."""
    analysis = ask_one(fermi_sky.load_example("2fhl").analyses["fermi-2fhl"])
    problem = fermi_sky.make_example("2fhl")
    response = ImagingResponse(
        read_exposure(analysis.data.exposure), read_point_spread(analysis.data.psf)
    )
    auto = systematic_error("auto", 0.0, problem.description.sharpness_deg)
    real, counts = real_sources(root, problem, auto)
    counts = np.random.default_rng(1).permutation(counts)[:200]
    held: dict[str, Held] = {"2FHL against 3FHL": real} | {
        f"simulated, median {np.median(factor * counts):.0f} photons": simulated_sources(
            analysis, problem, response, factor * counts, auto, seed
        )
        for factor, seed in ((1, 1), (15, 2))
    }
    header = ["positions", "sources", "what", "systematic error [deg]"]
    yield f"| {' | '.join([*header, *(f'{q:.0%}' for q in LEVELS)])} |"
    yield f"|{'---|' * (len(header) + len(LEVELS))}"
    for name, sources in held.items():
        n = len(sources.offset)
        for place, error in enumerate((0.0, auto)):
            inside = [sources.ellipses(error), *sources.regions[:, place].mean(axis=0)]
            for kind, fractions in zip(KINDS, inside, strict=True):
                yield _row(name, n, kind, error, fractions)
        within = [np.mean(sources.drop <= containment_threshold(level)) for level in LEVELS]
        yield _row(name, n, "containment, by TS at the place itself", 0.0, within)
    for what, sign in _OTHERS.items():
        for error in (0.0, auto):
            yield _row(
                "2FHL against 3FHL", len(real.offset), what, error, real.ellipses(error, sign)
            )


def _row(name: str, n: int, kind: str, error: float, fractions: np.ndarray) -> str:
    inside = (f"{part:.2f}" for part in fractions)
    return f"| {name} | {n} | {kind} | {error:.4f} | {' | '.join(inside)} |"


if __name__ == "__main__":
    if "SKYQUILT_DATA" not in os.environ:
        raise SystemExit("set SKYQUILT_DATA to the folder of the data, above fermi/")
    for row in rows(Path(os.environ["SKYQUILT_DATA"])):
        print(row)
