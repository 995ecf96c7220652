"""Several spectra in one problem: a fit takes the best of them in each direction."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.fit.pixels import fit_pixels
from skyquilt.io.provenance import Provenance
from skyquilt.likelihood.options import FluxOptions
from skyquilt.problem.file import check_rows, read_problem, write_problem
from skyquilt.problem.problem import Description, FitProblem
from skyquilt.problem.sky_table import SkyTable
from skyquilt.problem.templates import Templates, join_templates, photon_fluxes, split_templates
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.status import GOOD, NO_EXPOSURE

N_HIT = 40
DIRECTIONS = nest_to_vec(2, np.arange(48))


def problem_of(seed, photon_flux=1.0):
    rng = np.random.default_rng(seed)
    rows = rng.gamma(0.5, 1, (48, N_HIT)).astype(np.float32)
    table = SkyTable(rows, rows.sum(axis=1, dtype=float), 2, "NESTED", "nearest")
    counts, background = np.random.default_rng(0).poisson(3.0, N_HIT) + 1.0, np.full(N_HIT, 1.5)
    about = Description("compton", f"spectrum {seed}", (1.0, 2.0))
    return FitProblem(counts, background, table, "icrs", photon_flux, about, background_total=70.0)


@pytest.fixture
def each():
    return {"soft": problem_of(1, 3.0), "hard": problem_of(2, 5.0), "harder": problem_of(3, 7.0)}


OPTIONS = FluxOptions(confidence_level=0.95, free_background=True)


def test_fit_takes_the_largest_ts_of_each_pixel(each):
    fits = [fit_pixels(problem, DIRECTIONS, OPTIONS) for problem in each.values()]
    found = fit_pixels(join_templates(each), DIRECTIONS, OPTIONS)
    assert np.array_equal(found.ts, np.max([fit.ts for fit in fits], axis=0))
    assert set(found.template) == {0, 1, 2}
    for pixel, template in enumerate(found.template):
        own = [values[pixel] for values in fits[template][:-1]]
        np.testing.assert_array_equal([values[pixel] for values in found[:-1]], own)


def test_fit_where_one_spectrum_fails_takes_the_others(each):
    table = each["soft"].expectation
    rows, totals = table.rows.copy(), table.totals.copy()
    rows[7], totals[7] = 0, 0
    each["soft"] = replace(each["soft"], expectation=replace(table, rows=rows, totals=totals))
    found = fit_pixels(join_templates(each), DIRECTIONS)
    alone = fit_pixels(each["soft"], DIRECTIONS)
    assert alone.status[7] == NO_EXPOSURE
    assert found.status[7] != NO_EXPOSURE
    assert found.template[7] > 0


def test_fit_without_exposure_for_any_spectrum_says_so(each):
    table = each["soft"].expectation
    empty = replace(table, rows=0 * table.rows, totals=0 * table.totals)
    problem = join_templates({name: replace(each["soft"], expectation=empty) for name in each})
    found = fit_pixels(problem, DIRECTIONS)
    assert set(found.status) == {NO_EXPOSURE}
    assert np.isnan(found.ts).all()


def test_fit_of_equal_spectra_takes_the_first(each):
    problem = join_templates({"first": each["soft"], "second": each["soft"]})
    found = fit_pixels(problem, DIRECTIONS)
    assert GOOD in found.status
    assert not found.template.any()


def test_fit_reports_progress_up_to_all(each):
    calls = []
    fit_pixels(join_templates(each), DIRECTIONS, on_progress=lambda *call: calls.append(call))
    assert calls == [(16, 48), (32, 48), (48, 48)]


def test_problem_survives_writing_and_reading(each, tmp_path):
    problem, path = join_templates(each), tmp_path / "problem.h5"
    identity = write_problem(path, problem, Provenance("prepare"))
    check_rows(path)
    found = read_problem(path)
    assert found.identity == identity
    assert found.expectation.names == ("soft", "hard", "harder")
    assert found.description.templates == {
        "soft": "spectrum 1",
        "hard": "spectrum 2",
        "harder": "spectrum 3",
    }
    assert photon_fluxes(found).tolist() == [3.0, 5.0, 7.0]
    before, after = (fit_pixels(one, DIRECTIONS, OPTIONS) for one in (problem, found))
    assert all(a.tobytes() == b.tobytes() for a, b in zip(before, after, strict=True))


def test_order_of_spectra_is_part_of_the_identity(each, tmp_path):
    identities = {
        write_problem(tmp_path / f"{n}.h5", join_templates(order), Provenance("prepare"))
        for n, order in enumerate((each, dict(reversed(each.items()))))
    }
    assert len(identities) == 2


def test_split_of_one_spectrum_is_the_problem(each):
    assert split_templates(each["soft"]) == [each["soft"]]


def test_work_is_that_of_all_spectra(each):
    one, all_three = each["soft"].expectation, join_templates(each).expectation
    cost, alone = all_three.cost(DIRECTIONS, 16), one.cost(DIRECTIONS, 16)
    assert cost.seconds == pytest.approx(3 * alone.seconds)
    assert (cost.n_bins, cost.n_fits) == (3 * alone.n_bins, 3)
    assert all_three.entries_per_direction == 3 * N_HIT


def test_join_of_other_counts_is_refused(each):
    each["hard"] = replace(each["hard"], counts=each["hard"].counts + 1)
    with pytest.raises(ValueError, match="the spectra have other counts"):
        join_templates(each)


def test_templates_that_do_not_fit_are_refused(each):
    tables = tuple(problem.expectation for problem in each.values())
    with pytest.raises(ValueError, match="2 names, 3 expectations, 3 photon fluxes"):
        Templates(("a", "b"), tables, np.ones(3))
