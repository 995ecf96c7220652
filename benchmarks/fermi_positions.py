"""How often position errors of sources of Fermi-LAT hold what they say, and why not always.

    SKYQUILT_DATA=<folder of the data> python benchmarks/fermi_positions.py

The sources of the example fermi-2fhl (photons above 50 GeV) are compared with the positions of
3FHL, which were made of ten times as many photons, from 10 GeV on. Then sources are simulated with
the point spread function of the fit, once with as many photons as were found, and once with 15
times as many: what is missing there is not the point spread function's fault.
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

from skyquilt.config.analysis import Analysis
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.healpix_cube import read_exposure
from skyquilt.instruments.imaging.point_spread_file import read_point_spread
from skyquilt.instruments.imaging.response import Response
from skyquilt.localisation.systematic import systematic_error
from skyquilt.problem import FitProblem
from skyquilt.problem.buckets import Buckets
from skyquilt.sky.frames import lonlat_to_vec, rotation, separation
from skyquilt.sky.tangent import from_tangent, tangent_axes
from skyquilt.sources.position import refine_positions
from skyquilt.spectra.models import evaluate

LEVELS = (0.5, 0.68, 0.9, 0.95)
THRESHOLD = 25.0
BACKGROUND = 1.2  # photons per deg2, as far from the galactic plane, of index -2.4
_INDEX = -2.4
_RADIUS = 3.0  # of the simulated background [deg]
_GRID = np.linspace(-0.3, 0.3, 13)


class Offsets(NamedTuple):
    """Offsets of sources from where they are, and the errors of their positions.

    Attributes
    ----------
    offset : ndarray of float64, shape (n, 2)
        Offsets in the tangent plane [deg].
    covariance : ndarray of float64, shape (n, 2, 2)
        Statistical ones [deg2].
    """

    offset: np.ndarray
    covariance: np.ndarray

    def inside(self, error: float) -> list[float]:
        """Fraction within the ellipses of each level, with a systematic error [deg]."""
        whole = self.covariance + error**2 * np.eye(2)
        distance = np.einsum("ni,nij,nj->n", self.offset, np.linalg.inv(whole), self.offset)
        return [float(np.mean(distance <= -2 * np.log1p(-level))) for level in LEVELS]


def real_offsets(root: Path) -> tuple[Offsets, np.ndarray]:
    """Offsets of 2FHL sources from those of 3FHL, and all expected counts of the list."""
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
    kept = np.flatnonzero(is_same & (sigma < 0.6 * statistical))
    axes = tangent_axes(place[kept], np.array([0.0, 0.0, 1.0]))
    east, north = (np.sum(axis * better.direction[nearest[kept]], axis=1) for axis in axes)
    angle = np.radians(np.array(found["err_pa"])[kept])
    along = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    across = np.stack([np.cos(angle), -np.sin(angle)], axis=1)
    covariance = sum(
        (np.array(found[name])[kept] ** 2 - system[kept] ** 2)[:, None, None]
        * direction[:, :, None]
        * direction[:, None, :]
        for name, direction in (("err_major", along), ("err_minor", across))
    )
    return Offsets(np.degrees(np.stack([east, north], axis=1)), covariance), np.array(
        found["npred"]
    )


def simulated_offsets(
    analysis: Analysis, problem: FitProblem, response: Response, counts: np.ndarray, seed: int
) -> Offsets:
    """Offsets of simulated sources of so many expected photons each, the response known."""
    rng, pole = np.random.default_rng(seed), rotation("icrs", problem.frame)[:, 2]
    truth = np.array([[1.0, 0.0, 0.0]])  # towards the Galactic centre, where it does not matter
    axes = tangent_axes(truth, pole)
    x, y = (values.reshape(1, -1) for values in np.meshgrid(_GRID, _GRID))
    start = from_tangent(truth, axes, x, y)[0]
    offsets, covariances = [], []
    for expected in counts:
        sky = _simulate(analysis, problem, response, rng.poisson(expected), rng, axes)

        def ts_at(directions: np.ndarray, sky: FitProblem = sky) -> np.ndarray:
            return fit_pixels(sky, directions).ts

        ts = ts_at(start)
        found = refine_positions(ts_at, start[[np.argmax(ts)]], problem.frame, 0.1)
        if found.is_fitted[0] and found.ts[0] > THRESHOLD:
            own = tangent_axes(found.direction, pole)
            offsets.append([np.degrees(float(axis[0] @ truth[0])) for axis in own])
            covariances.append(found.covariance[0])
    return Offsets(np.array(offsets), np.array(covariances))


def _simulate(
    analysis: Analysis,
    problem: FitProblem,
    response: Response,
    n: int,
    rng: np.random.Generator,
    axes: tuple[np.ndarray, np.ndarray],
) -> FitProblem:
    """Photons of a source at the origin of the axes, and of a flat background."""
    truth, energies = np.array([[1.0, 0.0, 0.0]]), np.geomspace(5e7, 2e9, 400)
    n_background = rng.poisson(BACKGROUND * np.pi * _RADIUS**2)
    weight = (energies * evaluate(analysis.spectrum, energies), energies ** (_INDEX + 1))
    source, background = (
        rng.choice(energies, size, p=share / share.sum())
        for size, share in zip((n, n_background), weight, strict=True)
    )
    place = response.psf_shares(source)
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
            psf_place=response.psf_shares(energy),
            exposure_place=response.exposure_shares(energy),
            buckets=buckets,
        ),
    )


def rows(root: Path) -> Iterator[str]:
    """Lines of the table."""
    analysis = fermi_sky.load_example("2fhl").analyses["fermi-2fhl"]
    problem = fermi_sky.make_example("2fhl")
    response = Response(read_exposure(analysis.data.exposure), read_point_spread(analysis.data.psf))
    auto = systematic_error("auto", 0.0, problem.description.sharpness_deg)
    real, counts = real_offsets(root)
    counts = np.random.default_rng(1).permutation(counts)[:200]
    kinds = {
        "2FHL against 3FHL": real,
        f"simulated, median {np.median(counts):.0f} photons": simulated_offsets(
            analysis, problem, response, counts, 1
        ),
        f"simulated, median {np.median(15 * counts):.0f} photons": simulated_offsets(
            analysis, problem, response, 15 * counts, 2
        ),
    }
    header = ["positions", "sources", "systematic error [deg]", *(f"{q:.0%}" for q in LEVELS)]
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for name, offsets in kinds.items():
        for error in (0.0, auto):
            inside = (f"{part:.2f}" for part in offsets.inside(error))
            yield f"| {name} | {len(offsets.offset)} | {error:.4f} | {' | '.join(inside)} |"


if __name__ == "__main__":
    if "SKYQUILT_DATA" not in os.environ:
        raise SystemExit("set SKYQUILT_DATA to the folder of the data, above fermi/")
    for row in rows(Path(os.environ["SKYQUILT_DATA"])):
        print(row)
