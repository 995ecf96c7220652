from pathlib import Path

import pytest

from skyquilt.report.text import describe_result


@pytest.fixture
def summary():
    region = {
        "level": 0.9,
        "area_deg2": 100.0,
        "is_resolved": True,
        "is_cut": False,
        "n_parts": 1,
        "contains_true_position": None,
        "files": {"moc": "regions/credible-90.fits"},
    }
    best = {
        "icrs": {"lon": 266.41, "lat": -29.01},
        "galactic": {"lon": 359.94, "lat": -0.05},
        "ts": 20.25,
        "sqrt_ts": 4.5,
        "flux": 2.0,
        "flux_err": 0.4,
        "flux_err_lo": 0.38,
        "flux_err_hi": 0.42,
        "flux_ul": 2.7,
        "photon_flux": 0.02,
    }
    return {
        "analysis": "burst",
        "best": best,
        "energy_range_keV": [251.0, 398.0],
        "credible": [region],
        "offset_deg": None,
        "files": {"multiorder": "skymap.multiorder.fits"},
    }


def lines(summary):
    return describe_result(summary, Path("results/burst"), 0.95).splitlines()


def test_result_has_significance_position_region_and_flux(summary):
    head, position, region, flux, files = lines(summary)

    assert head == "burst: TS 20.2, sqrt(TS) 4.5, 251\N{EN DASH}398 keV"
    assert "RA 266.410, Dec -29.010 (ICRS); l 359.940, b -0.050 deg" in position
    # 2 pi (1 - cos 5.64 deg) = 100 deg2
    assert "90 % credible: 100 deg2, as a circle of radius 5.64 deg -> results/burst/reg" in region
    assert (
        "0.02 -0.0038 +0.0042 ph cm-2 s-1, 95 % upper limit 0.027 ph cm-2 s-1, 251\N{EN DASH}398"
        in flux
    )
    assert "results/burst/skymap.multiorder.fits, results/burst/summary.json" in files


def test_result_without_limits_has_the_standard_error(summary):
    for key in ("flux_err_lo", "flux_err_hi", "flux_ul"):
        del summary["best"][key]

    assert "0.02 -0.004 +0.004 ph cm-2 s-1, 251\N{EN DASH}398 keV" in lines(summary)[3]


def test_region_tells_what_is_wrong_with_it(summary):
    summary["credible"][0] |= {"is_resolved": False, "is_cut": True, "n_parts": 3}

    region = lines(summary)[2]

    assert "not resolved by its cells (`refine.max_order`), in 3 parts, reaches the end" in region


def test_best_of_several_spectra_is_named(summary):
    summary["best"]["template"] = "soft"

    assert lines(summary)[3].endswith("398 keV, spectrum `soft`")


@pytest.mark.parametrize(("inside", "text"), [(True, "in 90 %"), (False, "not in 90 %")])
def test_true_position_is_compared(summary, inside, text):
    summary["offset_deg"] = 1.234
    summary["credible"][0]["contains_true_position"] = inside

    assert lines(summary)[4] == f"  truth     1.23 deg off, {text}"


def test_result_without_a_source_is_one_line(summary):
    summary["best"] = None

    assert lines(summary) == ["burst: no pixel prefers a source -> results/burst/summary.json"]
