"""Total counts against the expected background: what is refused, warned of, and fine."""

import numpy as np
import pytest

from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.totals import check_totals
from skyquilt.problem import CountsSpectrum
from skyquilt.testing.analyses import ask_one


@pytest.fixture
def make_analysis():
    """Analysis of a cube, with options of the fit and checks that are accepted."""

    def make(background="fixed", accept=()):
        files = {name: {"path": f"{name}.fits"} for name in ("background", "exposure", "psf")}
        settings = {
            "instrument": "imaging",
            "data": {"counts": {"path": "counts.fits"}, **files, "accept": list(accept)},
            "spectrum": {
                "model": "power_law",
                "norm": "1e-16 cm-2 s-1 keV-1",
                "pivot": "1 GeV",
                "index": -2,
            },
            "fit": {"background": background},
        }
        return ask_one(settings)

    return make


@pytest.mark.parametrize(
    ("counts", "background"),
    [
        (0, 0.001),  # nothing, and nothing expected
        (0, 3),
        (0, 12),  # 4.9 sigma
        (60, 42),  # a burst
        (300, 30),  # a bright one: a warning
        (5, 0.0026),
        (32684, 28548.6),  # Galactic centre of Fermi-LAT, sources on a background
        (1e6, 1.1e6),  # a background known to 10 %
        (970, 1000),
    ],
)
@pytest.mark.parametrize("norm", ["fixed", "free"])
def test_counts_that_real_data_have_are_fine(make_analysis, counts, background, norm):
    check_totals(make_analysis(norm), counts, background)


@pytest.mark.parametrize(
    ("counts", "background", "factor"),
    [(0, 13, "infinitely"), (100, 16200, "162 times"), (2442, 4915, "2.01 times")],
)
def test_background_far_above_the_counts_is_refused(make_analysis, counts, background, factor):
    with pytest.raises(InputError, match=rf"counts\.fits: {counts} counts, .*{factor} as many.*\["):
        check_totals(make_analysis(), counts, background)


def test_refused_totals_are_accepted_by_name(make_analysis, caplog):
    check_totals(make_analysis(accept=["totals"]), 100, 16200)

    assert "162 times as many" in caplog.text
    assert "accepted: totals" in caplog.text


def test_free_background_finds_its_own_norm_with_a_warning(make_analysis, caplog):
    check_totals(make_analysis("free"), 100, 900)

    assert "9 times as many" in caplog.text
    with pytest.raises(InputError, match="162 times as many"):
        check_totals(make_analysis("free"), 100, 16200)


@pytest.mark.parametrize(
    ("counts", "background", "is_told"),
    [
        (750, 1000, True),
        (900, 1000, False),
        (900, 1.05 * 900, False),
        (3000, 1000, True),
        (1900, 1000, False),
        (5, 0.5, False),
    ],
)
def test_notable_totals_are_a_warning(make_analysis, caplog, counts, background, is_told):
    check_totals(make_analysis(), counts, background)

    assert bool(caplog.text) == is_told


def bands(data, model, is_selected=(True, True)):
    counts = {"data": np.array(data, float), "background model": np.array(model, float)}
    return [CountsSpectrum(np.array([1e6, 3e6, 1e7]), np.array(is_selected), counts)]


@pytest.mark.parametrize("norm", ["fixed", "free"])
def test_band_that_is_all_but_empty_is_refused(make_analysis, norm):
    # a list cut above 3 GeV, with a source that hides it in the total
    spectra = bands([0, 5000], [3300, 1600])

    with pytest.raises(InputError, match=r"0 counts in 1.3 GeV, .*expects \d+.*`energy`"):
        check_totals(make_analysis(norm), 5000, 4900, spectra)
    check_totals(make_analysis(norm), 5000, 1600, bands([0, 5000], [3300, 1600], (False, True)))
    check_totals(make_analysis(norm, ["totals"]), 5000, 4900, spectra)


def test_name_of_no_check_is_refused(make_analysis):
    with pytest.raises(ConfigError, match=r"data\.accept\.0: must be 'totals', "):
        make_analysis(accept=["total"])
    with pytest.raises(ConfigError, match=r"name each check once"):
        make_analysis(accept=["totals", "totals"])
