"""The section of a page on a model."""

import numpy as np
import pytest

from skyquilt.model.result import Found, Row
from skyquilt.plots.style import new_figure, save
from skyquilt.report.model import ModelProducts, section
from skyquilt.report.numbers import MINUS


def row(name, value, error, status="good", kind="free", **others):
    numbers = {"start": 1.0, "error_low": np.nan, "error_high": np.nan}
    numbers |= {"lower": -np.inf, "upper": np.inf}
    made = Row(name, "s", kind, "", value=value, error=error, prior="", status=status, **numbers)
    return made._replace(**others)


@pytest.fixture
def model(tmp_path):
    rows = [
        row("a.t0", 20.04, 0.47, error_low=0.48, error_high=0.46),
        row("a.index", -2.2, np.nan, "fixed", "fixed"),
        *(row(f"a.flux[{k}]", 0.1 * k, 0.05) for k in range(4)),
        row("a.flux[4]", 0.0, np.nan, "at_bound"),
    ]
    empty = np.zeros(0)
    found = Found(
        *(rows, [], empty, empty, empty, empty.astype(bool), empty.astype(bool)),
        *(-10.0, -11.0, 5, "at_bound", ["a with b", "c", "d", "e"], {}),
    )
    plots = [tmp_path / f"{name}.png" for name in ("corner-joint", "light-curve-a", "mine")]
    for path in plots:
        save(new_figure(4, 3), path)
    fit = {"status": "at_bound", "log_likelihood": -10.0, "n_free": 6, "aic": 34.0}
    pair = {"fits": ["small", "joint"], "ts": 12.3, "dof": 3, "p_value": 0.0064, "note": ""}
    comparison = {"fits": {"joint": fit}, "comparisons": [pair]}
    return ModelProducts({"joint": found}, comparison, plots, ["model/joint-bins.ecsv"])


def test_numbers_have_errors_and_status(model):
    fits, compared, parameters = section(model).tables
    assert fits.rows == [["joint", "at bound", f"{MINUS}10.0000", "6", "34.0000"]]
    assert compared.rows == [["small and joint", "12.3", "3", "0.00640", ""]]
    assert [one[:2] + one[4:] for one in parameters.rows] == [
        ["a.t0", f"20.04 {MINUS}0.48 +0.46", "good"],
        ["a.index", f"{MINUS}2.2", "fixed"],
        ["a.flux (5 numbers)", "0 to 0.300", "4 good, 1 at bound"],
    ]


def test_figures_are_in_the_order_of_a_story_and_files_are_linked(model):
    made = section(model)
    assert [picture.alt for picture in made.figures] == [
        "Light curve of a.",
        "Samples of joint.",
        "Figure mine of the model.",
    ]
    assert [link.path for link in made.links] == ["model/joint-bins.ecsv"]
    assert made.texts == ["joint: not determined: a with b; c; d; and 1 more."]
