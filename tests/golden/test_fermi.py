"""Sources of the catalogues 2FHL and 3FHL in the photons of Fermi-LAT."""

from dataclasses import replace

import fermi_sky
import numpy as np
import pytest

from skyquilt.config import load_config
from skyquilt.config.energy import EnergySelection
from skyquilt.config.shape import Disk
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.extended import extend
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.sky.frames import position_to_vec
from skyquilt.testing.analyses import ask_one


@pytest.fixture(autouse=True)
def _data(imaging_data, monkeypatch):
    monkeypatch.setenv("SKYQUILT_DATA", str(imaging_data))


@pytest.mark.slow
def test_2fhl_sources_have_the_flux_and_significance_of_the_catalogue(imaging_data):
    catalogue = fermi_sky.read_catalogue(imaging_data, "2fhl")

    found = fermi_sky.compare("2fhl", fermi_sky.make_example("2fhl"), catalogue)

    # an unbinned program of others on the same files: 0.993, 0.996, 331 (README of the data)
    assert len(catalogue.flux) == 335
    assert 0.97 < np.median(found.ratio) < 1.03
    assert found.correlation > 0.99
    assert np.sum(found.fit.ts > 16) >= 330


@pytest.mark.slow
def test_3fhl_sources_at_high_latitude_have_the_flux_of_the_catalogue(imaging_data):
    catalogue = fermi_sky.at_high_latitude(fermi_sky.read_catalogue(imaging_data, "3fhl"), 20)

    found = fermi_sky.compare("3fhl", fermi_sky.make_example("3fhl"), catalogue)

    # a binned program of others on the same files: 0.98, 0.56
    assert len(catalogue.flux) == 982
    assert 0.95 < np.median(found.ratio) < 1.05
    significance = np.sqrt(found.fit.ts) / catalogue.significance
    assert np.median(significance) == pytest.approx(0.56, abs=0.02)


@pytest.mark.slow
def test_w30_as_a_disk_in_the_galactic_centre_cube():
    analysis = load_config(fermi_sky.EXAMPLES / "fermi-gc.yaml").analyses["fermi-gc"]
    asked, disk = ask_one(analysis), Disk(model="disk", radius=0.378)
    bands = [EnergySelection(channels=(band, band + 1)) for band in range(11)]

    joint, *each = (
        _ts_at_w30(extend(make_problem(replace(asked, energy=energy)), disk))
        for energy in (EnergySelection(), *bands)
    )
    point = _ts_at_w30(make_problem(asked))

    # another program, over the given background, each band with a flux of its own: 695
    assert sum(each) == pytest.approx(695, abs=5)
    # one spectrum of index -2.3 for all bands
    assert joint == pytest.approx(674, abs=2)
    assert point == pytest.approx(236, abs=2)


def _ts_at_w30(problem):
    direction = position_to_vec(8.397, -0.095, "galactic", problem.frame)
    return float(fit_pixels(problem, direction[np.newaxis]).ts[0])
