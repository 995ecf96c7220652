"""Spectra, light curves and shapes of an installed package, by the names of its entry points."""

import sys

import numpy as np
import pytest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError
from skyquilt.model import open_model
from skyquilt.model.file import read_fit
from skyquilt.model.functions import light_curve, source_shape, spectrum_function
from skyquilt.model.shapes import SHAPES
from skyquilt.steps.model.check import check_models
from skyquilt.steps.model.fit import fit_model
from skyquilt.steps.model.prepare import prepare_model

PACKAGE = '''
"""A line, a pulse and a cone for models of skyquilt."""

from typing import Literal

import numpy as np

from skyquilt.config.model_functions import (
    Angle, CurveFunction, Energy, Length, Norm, Pure, ShapeFunction, SpectrumFunction, Time
)
from skyquilt.config.model_parameter import Parameter
from skyquilt.model import LightCurveModel, ShapeModel, SpectrumModel


class LineOptions(SpectrumFunction):
    model: Literal["toy_line"]
    norm: Norm
    centre: Energy
    width: Energy


def line(energy, norm, centre, width):
    return norm * np.exp(-0.5 * ((energy - centre) / width) ** 2)


class PulseOptions(CurveFunction):
    light_curve: Literal["toy_pulse"]
    peak: Parameter
    t0: Time
    width: Length


def pulse(time, peak, t0, width):
    return peak / np.cosh((time - t0) / width) ** 2


class DiskOptions(ShapeFunction):
    model: Literal["toy_disk"]
    size: Angle


def disk(east, north, size):
    return 1 + 0 * east


toy_line = SpectrumModel(line, LineOptions)
toy_pulse = LightCurveModel(pulse, PulseOptions)
toy_disk = ShapeModel(disk, DiskOptions, size="size")
nothing = 3
'''
NAMES = ("toy_line", "toy_pulse", "toy_disk", "nothing", "missing")


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """The package as an installer leaves it: its module, and its entry points beside it."""
    site = tmp_path / "site"
    about = site / "toy_models-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "toy_models.py").write_text(PACKAGE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-models\nVersion: 1.0\n")
    entries = "\n".join(f"{name} = toy_models:{name}" for name in NAMES)
    (about / "entry_points.txt").write_text(f"[skyquilt.models]\n{entries}\n")
    monkeypatch.syspath_prepend(site)
    yield
    sys.modules.pop("toy_models", None)


LINE = {
    "model": "toy_line",
    "norm": "1e-5 cm-2 s-1 keV-1",
    "centre": {"start": "250 keV", "range": ["100 keV", "900 keV"]},
    "width": "100 keV",
}
PULSE = {
    "light_curve": "toy_pulse",
    "peak": {"start": 1000, "range": [0, None]},
    "t0": {"start": "4 s", "range": ["0 s", "10 s"]},
    "width": {"start": "3 s"},
}


@pytest.fixture
def observed(local):
    """Ten seconds of counts, and a model of functions of the package."""
    pulse = np.cosh((np.arange(10.0) - 4.5) / 2) ** -2
    local.write_times(pulse)
    local.settings["model"] = {
        "sources": {
            "a": {
                "position": {"lon": 40.0, "lat": 25.0, "frame": "galactic"},
                "spectrum": LINE,
                "shape": {"model": "toy_disk", "size": "1 deg"},
            }
        },
        "fits": {"joint": {"set": {"a.flux": PULSE}}},
    }
    del local.settings["spectrum"], local.settings["map"]
    return local


def test_fit_of_functions_of_a_package_is_made_and_opened(observed):
    folder = observed.folder / "results" / "model"
    prepare_model(observed.config(), "tiny", folder / "problem.h5")
    fit_model(observed.config(), "tiny", "joint", folder)
    found, _ = read_fit(folder / "joint.h5")
    free = ["a.flux.peak", "a.flux.t0", "a.flux.width", "a.centre"]
    assert sorted(found.names) == sorted(free)
    assert found.status == "good"
    rows = {row.name: row for row in found.rows}
    assert rows["a.flux.t0"].value == pytest.approx(5.0, abs=4 * rows["a.flux.t0"].error)
    assert [row.lower for row in found.rows if row.name == "a.flux.width"] == [0.0]
    opened = open_model(folder.parent, "joint")
    assert opened.log_likelihood(opened.best) == pytest.approx(found.log_likelihood, rel=1e-12)
    x = opened.best + 0.01
    step = 1e-5 * np.eye(x.size)
    both = opened.log_posterior(np.concatenate([x + step, x - step])).reshape(2, -1)
    np.testing.assert_allclose(opened.gradient(x), (both[0] - both[1]) / 2e-5, rtol=1e-4, atol=1e-3)


def test_configuration_with_functions_of_a_package_survives_being_written(observed):
    config = observed.config()
    assert parse_config(config.model_dump(mode="json")) == config


def test_functions_are_found_by_name():
    energy = np.array([100.0, 250.0])
    found = spectrum_function("toy_line")(energy, norm=2.0, centre=250.0, width=150.0)
    np.testing.assert_allclose(found, [2 * np.exp(-0.5), 2.0])
    curve = light_curve("toy_pulse")
    assert curve.parameters == ("peak", "t0", "width")
    assert curve.times == ("t0", "width")
    own, other = SHAPES["disk"](0.1, 1.0), source_shape("toy_disk", 0.1, 1.0)
    for mine, its in zip(own.points(radius=0.7), other.points(size=0.7), strict=True):
        np.testing.assert_allclose(its, mine, atol=1e-12)


@pytest.mark.parametrize(
    ("where", "settings", "message"),
    [
        ("spectrum", LINE | {"width": "3 s"}, "spectrum.width: '3 s' is not a quantity in keV"),
        ("spectrum", LINE | {"wide": 1}, "spectrum.wide: unknown key"),
        ("spectrum", {"model": "toy_disk"}, "'toy_disk' is no model; there are 'power_law'"),
        ("spectrum", {"model": "nothing"}, "'nothing' is no model; there are"),
        ("spectrum", {"model": "missing"}, "'missing': its entry point toy_models:missing cannot"),
        ("shape", {"model": "toy_line"}, "'toy_line' is no model; there are 'point'"),
        ("flux", PULSE | {"light_curve": "toy_line"}, "'toy_line' is no light_curve; there are"),
        (
            "flux",
            PULSE | {"width": {"start": "-1 s"}},
            "a.flux.width: start -1 s: allowed is above",
        ),
    ],
)
def test_what_does_not_fit_is_refused(observed, where, settings, message):
    observed.settings["model"]["sources"]["a"][where] = settings
    observed.settings["model"]["fits"] = {"joint": {}}
    with pytest.raises(ConfigError, match=message):
        check_models(observed.config())


def test_function_of_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"'toy_line': its entry point of skyquilt\.models is a "):
        light_curve("toy_line")
    with pytest.raises(ValueError, match="'gaussians' is no light curve: broken"):
        light_curve("gaussians")
