"""The page of all analyses."""

import re

from skyquilt.report.overview import Entry, overview_page


def test_brightest_analysis_comes_first_and_is_linked(summary, calibration):
    faint = summary | {"analysis": "faint", "best": summary["best"] | {"ts": 9.0}}
    none = summary | {"analysis": "none", "best": None}
    entries = [
        Entry("none/report.html", none, None),
        Entry("faint/report.html", faint, None),
        Entry("burst/report.html", summary, calibration),
    ]

    page = overview_page(entries)

    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page)
    assert links == [
        ("burst/report.html", "burst &lt;1&gt;"),
        ("faint/report.html", "faint"),
        ("none/report.html", "none"),
    ]
    assert "&lt; 10⁻⁶ (extrapolated)" in page
    assert "17.5 deg² (90 %)" in page


def test_probability_too_small_to_write_is_not_0(summary, calibration):
    calibration["null"] |= {"p_value": 0.0, "p_value_from": "extrapolation"}

    page = overview_page([Entry("burst/report.html", summary, calibration)])

    assert "&lt; 10⁻⁶ (extrapolated)" in page


def test_pictures_and_notes_stand_beside_the_names(summary):
    entries = [Entry("a/report.html", summary, None, "a/plots/ts.png", "of another run")]

    page = overview_page(entries)

    assert '<img src="a/plots/ts.png"' in page
    assert "of another run" in page
    assert "1 analysis" in page
    assert "0.600 ± 0.069" in page
