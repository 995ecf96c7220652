"""Refinement of a burst of the toy telescope, against its full map."""

import numpy as np
import pytest

from skyquilt.config.refine import RefineOptions
from skyquilt.fit.pixels import fit_pixels, fitted_columns
from skyquilt.likelihood.options import FluxOptions
from skyquilt.localisation.refine.cells import make_goal
from skyquilt.localisation.refine.fit import fit_cells
from skyquilt.localisation.refine.start import start_cells
from skyquilt.localisation.refine.steps import refine_map
from skyquilt.maps.containment import find_region
from skyquilt.maps.merge import derive_columns
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.testing.toy import Telescope


@pytest.fixture(scope="module")
def problem():
    telescope, rng = Telescope(), np.random.default_rng(11)
    return telescope.observe(telescope.random_direction(rng), 1.0, rng)


def full_map(problem, nside, frame):
    ipix = np.arange(12 * nside**2)
    directions = rotate(rotation(frame, problem.frame), nest_to_vec(nside, ipix))
    fit = fit_pixels(problem, directions)
    columns = {name: getattr(fit, name) for name in fitted_columns()}
    return SkyMap(nside, frame, ipix, derive_columns(columns, problem.photon_flux))


def test_refined_map_of_a_burst_equals_the_full_one_in_its_region(problem):
    skymap = full_map(problem, 4, "galactic")
    goal = make_goal(RefineOptions(), (0.9,), 2)
    n_evaluated = []

    def evaluate(uniq):
        n_evaluated.append(uniq.size)
        return fit_cells(problem, uniq)

    cells = refine_map(start_cells(skymap, goal), evaluate, goal)
    full = full_map(problem, 1 << cells.max_order, "icrs")

    inside = find_region(MultiOrderMap.from_skymap(full), 0.9).cells
    place = cells.find(nest_to_vec(full.nside, inside))
    assert inside.size >= 79
    assert cells.max_order == 7
    np.testing.assert_array_equal(cells.ipix[place], inside)
    for name, values in full.columns.items():
        np.testing.assert_array_equal(cells.columns[name][place], values[inside])
    assert sum(n_evaluated) < 0.02 * full.ipix.size


def test_cells_are_fitted_at_their_centres_in_the_frame_of_the_problem(problem):
    uniq = np.array([16, 17, 18, 64 + 12, 64 + 13, 64 + 14, 64 + 15, 4 + 5])
    centres = MultiOrderMap("icrs", uniq, {}).centres

    columns = fit_cells(problem, uniq)

    fit = fit_pixels(problem, rotate(rotation("icrs", "galactic"), centres))
    np.testing.assert_array_equal(columns["ts"], fit.ts)
    np.testing.assert_array_equal(columns["photon_flux"], fit.flux * problem.photon_flux)


def test_cells_do_not_depend_on_threads_and_progress_is_told(problem):
    uniq, told = 4 * 8**2 + np.arange(768), []

    columns = fit_cells(problem, uniq, threads=2, on_progress=lambda *done: told.append(done))

    np.testing.assert_array_equal(columns["ts"], fit_cells(problem, uniq)["ts"])
    assert told[-1] == (768, 768)


def test_negative_fluxes_are_fitted_when_allowed(problem):
    uniq = 4 * 8**2 + np.arange(768)

    assert np.min(fit_cells(problem, uniq)["flux"]) == 0
    assert np.min(fit_cells(problem, uniq, FluxOptions(allow_negative=True))["flux"]) < 0
