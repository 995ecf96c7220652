"""The examples of H.E.S.S. and HAWC against what other programs find in the same files."""

import numpy as np
import pytest

from skyquilt.config import load_config
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.analyses import prepare
from skyquilt.problem.join import join
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import cone, ipix_from_ranges
from skyquilt.testing.analyses import ask_datasets, ask_one

CRAB = lonlat_to_vec(np.array([83.63308]), np.array([22.0145]))


@pytest.fixture
def example(imaging_data, monkeypatch, request):
    """`example(file, name)`: the analysis of an example."""
    monkeypatch.setenv("SKYQUILT_DATA", str(imaging_data))

    def example(file, name):
        return load_config(request.config.rootpath / "config/examples" / file).analyses[name]

    return example


def test_hess_crab_has_the_significance_and_flux_of_gammapy(example):
    problem = prepare(ask_one(example("hess-crab.yaml", "hess-crab")), "cache").problem

    fit = fit_pixels(problem, CRAB)

    # gammapy 2.1 on the same pixels, and its free 3D fit: README of the data
    assert np.sqrt(fit.ts[0]) == pytest.approx(39.5, abs=0.5)
    assert fit.flux[0] * problem.photon_flux == pytest.approx(2.80e-11, rel=0.04)
    assert problem.counts.sum() == 7790


@pytest.mark.slow
def test_hess_event_lists_have_the_flux_of_their_pixels(example):
    pixels = prepare(ask_one(example("hess-crab.yaml", "hess-crab")), "cache").problem
    events = prepare(ask_one(example("hess-dl3.yaml", "hess-dl3")), "cache").problem

    binned, fit = (fit_pixels(one, CRAB) for one in (pixels, events))

    flux = fit.flux[0] * events.photon_flux
    assert flux == pytest.approx(binned.flux[0] * pixels.photon_flux, rel=0.03)
    # gammapy's free 3D fit: README of the data
    assert flux == pytest.approx(2.79e-11, rel=0.03)
    assert np.sqrt(fit.ts[0]) == pytest.approx(39.5, abs=0.5)
    # background of each run over its counts farther than 0.3 deg from the source, as gammapy's
    near = np.linalg.norm(
        np.concatenate([p.expectation.direction for p in events.expectation.parts]) - CRAB, axis=1
    ) < np.radians(0.3)
    for one in events.backgrounds:
        run = slice(one.first_bin, one.first_bin + len(one.counts))
        assert np.count_nonzero(~near[run]) / one.totals.sum() == pytest.approx(1.0, abs=0.09)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "significance"), [("hawc-crab", 23.7), ("hawc-crab-curved", 25.3)]
)
def test_hawc_crab_has_the_significance_of_gammapy(example, name, significance):
    asked = ask_datasets(example("hawc-crab.yaml", name))
    problems = {key: prepare(one, "cache").problem for key, one in asked.items()}
    near = ipix_from_ranges(cone(1024, CRAB[0], 0.15))

    fit = fit_pixels(join(problems, 1.0), nest_to_vec(1024, near))

    # gammapy 2.1: TSMapEstimator with its own spectrum, and the summed likelihood of its model maps
    # with the spectrum of Abeysekara et al. 2017
    assert np.sqrt(fit.ts.max()) == pytest.approx(significance, abs=0.3)
