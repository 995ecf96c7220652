"""The result for alerts."""

from pathlib import Path

import pytest

from skyquilt.report.notice import format_circular, make_notice


@pytest.fixture
def make(summary):
    """Text of the circular for a p-value and where it comes from."""
    summary["files"] = {"multiorder": "skymap.multiorder.fits"}

    def circular(p_value, origin):
        notice = make_notice(summary, Path("results/b"), 0.95, None, p_value, origin)
        return " ".join(format_circular(notice).split())

    return circular


@pytest.mark.parametrize(
    ("p_value", "origin", "text"),
    [
        (0.012, "skies", "with a probability of 0.012."),
        (0.003, "limit", "with a probability of less than 0.003."),
        (0.0002, "extrapolation", "with a probability of 0.0002 (extrapolated)."),
        (2e-8, "extrapolation", "with a probability of less than 1e-6 (extrapolated)."),
    ],
)
def test_circular_says_how_far_a_p_value_was_simulated(make, p_value, origin, text):
    assert text in make(p_value, origin)


def test_circular_without_simulated_skies_has_no_p_value(make):
    assert "probability of" not in make(None, None).replace("probability of the position", "")
