import numpy as np
import pytest

from skyquilt.blocks import DenseBlock
from skyquilt.errors import InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood.poisson import fit_flux
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.status import STATUS_NAMES

FLUX = 1e-3 * 100**2 * (1 / np.array([100.0, 300]) - 1 / np.array([300.0, 900]))  # index -2


def with_zeros(observation, bins, counts=3.0):
    """Bins (Em, Phi, PsiChi) without background, and with counts."""
    for index in bins:
        observation.background[index] = 0
        observation.counts[index] = counts
    observation.write_counts("background.h5", observation.background)
    observation.write_counts("counts.h5", observation.counts)


def test_counts_without_background_are_refused_with_number_and_bins(local):
    with_zeros(local, [(1, 0, 4), (2, 2, 11)])
    local.settings["energy"] = {"channels": [1, 3]}
    total = f"{local.counts[1:].sum():g}"

    with pytest.raises(
        InputError,
        match=rf"background\.h5: 2 bins have counts \(6 of {total}\) but no background, "
        r"the first at \(channel, Phi, PsiChi\) = \(1, 0, 4\), \(2, 2, 11\); .*mask",
    ):
        local.problem()


def test_refusal_names_five_bins_at_most(local):
    with_zeros(local, [(0, 0, index) for index in range(7)])

    with pytest.raises(InputError, match=r"7 bins .*\(0, 0, 4\);"):
        local.problem()


def test_bins_without_counts_and_background_are_kept_when_refusing(local):
    with_zeros(local, [(1, 0, 4)], counts=0.0)

    problem = local.problem()

    assert problem.description.n_bins == 108
    assert problem.description.n_masked_bins == 0
    wanted = np.einsum("e,nemps->n", FLUX, local.area)
    np.testing.assert_allclose(problem.expectation.totals, wanted, rtol=1e-6)


def test_masked_bins_leave_data_and_totals_and_are_counted(local, caplog):
    # cosipy zeroes the data and keeps the expected counts
    caplog.set_level("INFO")
    with_zeros(local, [(1, 0, 4), (2, 2, 11)])
    with_zeros(local, [(0, 0, 0)], counts=0.0)
    local.settings["data"]["zero_background"] = "mask"

    problem = local.problem()

    about = problem.description
    assert (about.n_bins, about.n_masked_bins, about.n_masked_counts) == (105, 3, 6)
    assert "3 bins without background masked, with 6 of" in caplog.text
    kept = local.background > 0
    np.testing.assert_array_equal(problem.counts, local.counts[kept & (local.counts > 0)])
    wanted = np.einsum("e,nemps->nmps", FLUX, local.area)[:, kept].sum(axis=1)
    np.testing.assert_allclose(problem.expectation.totals, wanted, rtol=1e-6)


def test_masked_map_equals_one_without_these_bins(galactic):
    with_zeros(galactic, [(1, 0, 4), (2, 2, 11)])
    galactic.settings["data"]["zero_background"] = "mask"
    problem = galactic.problem()
    kept = (galactic.background > 0).ravel()
    rows = np.einsum("e,nemps->nmps", FLUX, 10 * galactic.area).reshape(12, -1)[:, kept]
    counts, background = galactic.counts.ravel()[kept], galactic.background.ravel()[kept]

    found = fit_pixels(problem, ring_to_vec(1, np.arange(12)))

    wanted = fit_flux(counts, background, DenseBlock(rows, rows.sum(axis=1), np.zeros(12)))
    # float32 rows
    np.testing.assert_allclose(found.ts, wanted.ts, rtol=1e-6)
    np.testing.assert_allclose(found.flux, wanted.flux, rtol=1e-6)


def test_pixel_seen_in_masked_bins_only_has_no_exposure(galactic):
    galactic.area[5] = 0
    galactic.area[5, :, 1, 0, 4] = 0.3
    galactic.write_sky_response()
    with_zeros(galactic, [(1, 0, 4)])
    galactic.settings["data"] |= {"zero_background": "mask", "interpolation": "nearest"}

    status = fit_pixels(galactic.problem(), ring_to_vec(1, np.arange(12))).status

    assert STATUS_NAMES[int(status[5])] == "no_exposure"


def test_counts_in_masked_bins_only_are_refused(local):
    local.counts[:] = 0
    local.counts[0, 0, 0] = 2
    local.background[0, 0, 0] = 0
    local.write_counts("counts.h5", local.counts)
    local.write_counts("background.h5", local.background)
    local.settings["data"]["zero_background"] = "mask"

    with pytest.raises(InputError, match=r"counts\.h5: all counts lie in bins without background"):
        local.problem()


def test_channels_without_counts_give_a_problem_without_hits(local):
    local.counts[2] = 0
    local.write_counts("counts.h5", local.counts)
    local.settings["energy"] = {"channels": [2, 3]}

    problem = local.problem()

    assert problem.counts.size == 0
    assert problem.background_total == local.background[2].sum()
    assert problem.expectation.totals.min() > 0
