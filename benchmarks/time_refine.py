"""Refined maps against the full map of nside 512: cost and answer."""

import math
from typing import NamedTuple

import numpy as np
from dc2 import all_directions, burst_direction, burst_problem
from measuring import Figure, at_least, cost_of

from skyquilt.config.refine import RefineOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.localisation.refine.cells import make_goal
from skyquilt.localisation.refine.fit import fit_cells
from skyquilt.localisation.refine.start import start_cells
from skyquilt.localisation.refine.steps import refine_map
from skyquilt.maps.containment import find_region
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem import FitProblem
from skyquilt.sky.frames import rotate, rotation, separation
from skyquilt.sky.pixels import nside_to_npix

NSIDE, NSIDE_FULL = 16, 512
FLUXES = (0.1, 0.6, 3.0)
LEVEL = 0.9
N_RUNS = 5


class Answer(NamedTuple):
    """What a map says of the burst.

    Attributes
    ----------
    n_fitted : int
        Pixels and cells fitted for it.
    order : int
        Finest order.
    ts : float
        Largest TS.
    area : float
        Area of the 90 % region [deg2].
    offset : float
        Distance of the best cell from the burst [deg].
    """

    n_fitted: int
    order: int
    ts: float
    area: float
    offset: float

    def __str__(self):
        return (
            f"TS {self.ts:.3f}, {self.area:.4g} deg2, {self.offset:.3f} deg off; "
            f"{self.n_fitted:,} fits, order {self.order}"
        )


def time_refined_against_full_map() -> list[Figure]:
    """Bursts of the shape of DC2: nside 16 and its refinement against nside 512, one thread."""
    return [figure for flux in FLUXES for figure in _compare(flux)]


def _compare(flux: float) -> list[Figure]:
    problem, answers = burst_problem(flux), {}

    def run(name: str, make) -> float:
        def measured() -> None:
            answers[name] = _answer(*make(problem))

        return cost_of(measured).cpu

    cpu_full = run("full", _full)
    cpu = float(np.median([run("refined", refined) for _ in range(N_RUNS)]))
    names = {"full": f"nside {NSIDE_FULL}", "refined": f"nside {NSIDE}, refined"}
    return [
        *(Figure(f"flux {flux:g}: {name}", str(answers[key])) for key, name in names.items()),
        Figure(
            f"flux {flux:g}: CPU, nside {NSIDE_FULL}; nside {NSIDE}, refined",
            f"{cpu_full:.1f} s; {cpu:.3f} s",
        ),
        at_least(f"flux {flux:g}: times less CPU", cpu_full / cpu, 33, "{:,.0f}"),
    ]


def _full(problem: FitProblem) -> tuple[MultiOrderMap, int]:
    return MultiOrderMap.from_skymap(_map(problem, NSIDE_FULL, "icrs")), nside_to_npix(NSIDE_FULL)


def refined(problem: FitProblem) -> tuple[MultiOrderMap, int]:
    """TS of nside 16, refined, and number of fits."""
    skymap, n_fitted = _map(problem, NSIDE, "galactic"), [nside_to_npix(NSIDE)]

    def evaluate(uniq: np.ndarray) -> dict[str, np.ndarray]:
        n_fitted.append(uniq.size)
        return fit_cells(problem, uniq)

    goal = make_goal(RefineOptions(), (LEVEL,), int(math.log2(NSIDE)))
    return refine_map(start_cells(skymap, goal), evaluate, goal), sum(n_fitted)


def _map(problem: FitProblem, nside: int, frame: str) -> SkyMap:
    directions = rotate(rotation(frame, problem.frame), all_directions(nside))
    ts = fit_pixels(problem, directions).ts
    return SkyMap(nside, frame, np.arange(nside_to_npix(nside)), {"ts": ts})


def _answer(cells: MultiOrderMap, n_fitted: int) -> Answer:
    best = cells.centres[np.nanargmax(cells.ts)]
    truth = rotation("galactic", "icrs") @ burst_direction()
    return Answer(
        n_fitted,
        cells.max_order,
        float(np.nanmax(cells.ts)),
        find_region(cells, LEVEL).area,
        float(separation(best, truth)),
    )
