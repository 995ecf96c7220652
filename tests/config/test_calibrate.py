"""Section `calibrate`."""

import pytest
from pydantic import ValidationError

from skyquilt.config.calibrate import CalibrateOptions


@pytest.mark.parametrize(("n_skies", "n_jobs"), [(500, 1), (501, 2), (1000, 2)])
def test_jobs_hold_all_skies(n_skies, n_jobs):
    options = CalibrateOptions(null_skies=n_skies, skies_per_job=500)

    assert (options.n_skies("null"), options.n_jobs("null")) == (n_skies, n_jobs)


@pytest.mark.parametrize(("fluxes", "n_fluxes"), [("auto", 6), ([1.0, 2.0], 2)])
def test_injected_skies_are_so_many_for_each_flux(fluxes, n_fluxes):
    options = CalibrateOptions(injections=20, fluxes=fluxes)

    assert options.n_skies("injected") == 20 * n_fluxes


@pytest.mark.parametrize(
    "wrong",
    [{"null_skies": 99}, {"injections": 19}, {"fluxes": []}, {"fluxes": [0.0]}, {"seed": -1}],
)
def test_option_out_of_range_is_refused(wrong):
    with pytest.raises(ValidationError):
        CalibrateOptions(**wrong)
