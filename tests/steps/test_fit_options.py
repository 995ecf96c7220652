"""Each option of the section `fit` changes the maps as it says."""

import numpy as np
import pytest

from skyquilt.errors import ConfigError
from skyquilt.problem.file import read_problem


def maps_of(observation, **options):
    observation.settings["fit"] = options
    return observation.run().columns


def test_confidence_level_raises_the_limit(local):
    low, high = (maps_of(local, confidence_level=level) for level in (0.9, 0.99))
    assert np.all(low["flux_ul"] < high["flux_ul"])
    np.testing.assert_array_equal(low["flux_err_hi"], high["flux_err_hi"])


def test_limits_do_not_change_the_fit(local):
    with_limits, without = (maps_of(local, limits=limits) for limits in (True, False))
    for name, values in without.items():
        np.testing.assert_array_equal(with_limits[name], values)


def test_a_free_background_takes_a_wrong_scale(galactic):
    first = maps_of(galactic, background="free")
    galactic.settings["data"]["background"]["scale"] = 0.5
    fixed, free = (maps_of(galactic, background=background) for background in ("fixed", "free"))
    # the same steps with other numbers; limits are as good as models of the likelihood
    np.testing.assert_allclose(free["ts"], first["ts"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(free["flux_ul"], first["flux_ul"], rtol=1e-3)
    np.testing.assert_allclose(free["background_norm"], 2 * first["background_norm"], rtol=1e-9)
    assert fixed["ts"].min() > free["ts"].max()


def test_problem_knows_the_background_of_all_bins(galactic):
    galactic.counts[0, 0] = 0
    galactic.write_counts("counts.h5", galactic.counts)
    folder = galactic.prepare()
    problem = read_problem(f"{folder}/problem.h5")
    # the histogram's sum, added in another order
    assert problem.background_total == pytest.approx(galactic.background.sum(), rel=1e-12)
    assert len(problem.counts) < galactic.background.size


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"allow_negative": True, "background": "free"}, "needs a fixed background"),
        ({"limits": False, "confidence_level": 0.9}, "has no effect with `limits: false`"),
        ({"confidence_level": 95}, "confidence_level"),
        ({"background": "none"}, "'fixed' or 'free'"),
    ],
)
def test_options_that_do_not_fit_are_named(local, options, message):
    local.settings["fit"] = options
    with pytest.raises(ConfigError, match=message):
        local.config()
