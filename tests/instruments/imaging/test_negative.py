"""Fluxes below zero of imaging instruments: bins and places without counts bound them."""

import json

import numpy as np
import pytest
import yaml

from skyquilt.cli.main import main
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.io.provenance import Provenance
from skyquilt.likelihood.options import FluxOptions
from skyquilt.maps.file import read_skymap
from skyquilt.problem.file import read_problem, write_problem
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.spectra.models import evaluate
from skyquilt.status import AT_BOUND
from skyquilt.testing.analyses import ask_one

DIRECTIONS = nest_to_vec(8, np.arange(0, 768, 7))
OPTIONS = FluxOptions(allow_negative=True, confidence_level=0.9)


def analysis_of(settings, **fit):
    return ask_one(settings | {"fit": fit})


def both(settings):
    """Problems with and without the bins that bound fluxes below zero."""
    return (make_problem(analysis_of(settings, allow_negative=below)) for below in (True, False))


@pytest.mark.parametrize("kind", ["events", "counts"])
def test_fluxes_above_zero_are_the_same_bit_for_bit(make_sky, kind):
    sky = make_sky(background_counts=1000.0, source_counts=50.0).write(kind)
    below, above = both(sky.settings(kind))

    found, expected = fit_pixels(below, DIRECTIONS, OPTIONS), fit_pixels(above, DIRECTIONS)

    is_above = expected.flux > 0
    assert 10 < is_above.sum() < 0.9 * len(is_above)
    for name in ("ts", "flux", "flux_err", "npred", "status"):
        values = getattr(found, name)[is_above], getattr(expected, name)[is_above]
        np.testing.assert_array_equal(*values)
    assert np.all(found.flux[~is_above] <= 0)


def test_model_of_a_cube_is_negative_in_no_bin(make_sky):
    sky = make_sky(background_counts=1000.0).write("counts")
    problem = make_problem(analysis_of(sky.settings("counts"), allow_negative=True))
    assert problem.counts.size == 3072 * 4

    fit = fit_pixels(problem, DIRECTIONS, OPTIONS)

    block = problem.expectation.block(DIRECTIONS)
    for flux, start, stop in zip(fit.flux, block.indptr[:-1], block.indptr[1:], strict=True):
        seen = block.bin[start:stop]
        assert np.all(problem.background[seen] + flux * block.unit_counts[start:stop] >= 0)
    assert np.any(fit.status == AT_BOUND)


@pytest.mark.parametrize("place", [(0, 0), (1500, 2)])
def test_bins_without_background_leave_nothing_to_take(make_sky, place):
    sky = make_sky(background_counts=1000.0).write("counts")
    counts, expected = sky.counts(), sky.expected()
    counts[place] = expected[place] = 0
    sky.write_cube("counts.fits", counts)
    sky.write_cube("background.fits", expected)
    problem = make_problem(analysis_of(sky.settings("counts"), allow_negative=True))

    here = nest_to_vec(8, np.arange(768))
    empty = np.flatnonzero(problem.background < 1e-100)
    block = problem.expectation.block(here)
    pixel = block.direction
    sees = np.unique(pixel[np.isin(block.bin, empty) & (block.unit_counts > 0)])

    assert empty.size == 1
    fit = fit_pixels(problem, here, OPTIONS)
    assert np.all(fit.flux[sees] >= 0)
    assert np.any(fit.flux < 0)


def test_model_of_events_is_negative_at_no_energy(make_sky, tmp_path):
    """The source's density, which is largest at its place, against the background there."""
    sky = make_sky(background_counts=1000.0).write("events")
    analysis = analysis_of(sky.settings(), allow_negative=True)
    write_problem(tmp_path / "p.h5", make_problem(analysis), Provenance("prepare", {}))
    problem = read_problem(tmp_path / "p.h5")

    fit = fit_pixels(problem, DIRECTIONS, OPTIONS)

    energy = np.geomspace(10.0, 999.0, 50)  # GeV
    width = np.radians(0.8 * (energy / 10.0) ** -0.2)
    shape = 1 + 0.3 * DIRECTIONS[:, 2:]
    spectrum = evaluate(analysis.spectrum, 1e6 * energy)
    source = fit.flux[:, np.newaxis] * spectrum * 1e11 * shape / (2 * np.pi * width**2)
    background = 1000.0 / (4 * np.pi) * shape * energy**-2 / (1 / 10 - 1 / 1000) * 1e-6
    assert np.all(background + source >= -0.02 * background)  # both are interpolated
    # the strictest energy leaves nothing at the bound
    at_bound = (background + source).min(axis=1)[fit.status == AT_BOUND] / background.max()
    assert np.all(at_bound < 0.02)
    assert np.any(fit.status == AT_BOUND)
    assert np.any(fit.flux < 0)


@pytest.mark.slow
def test_best_position_regions_and_limits_are_those_of_fluxes_above_zero(make_sky, monkeypatch):
    # a hole that is far more significant than the source
    sky = make_sky(background_counts=60000.0, source_counts=45.0).write("counts")
    counts = sky.counts()
    counts[2000:2100] = 0
    sky.write_cube("counts.fits", counts)
    monkeypatch.chdir(sky.folder)
    summaries, maps = [], []
    for name, below in (("above", False), ("below", True)):
        settings = sky.settings("counts") | {
            "map": {"nside": 8},
            "refine": {"max_order": 6},
            "fit": {"allow_negative": below},
            "sources": {"threshold": 25},
        }
        config = {"analyses": {name: settings}}
        (sky.folder / "config.yaml").write_text(yaml.safe_dump(config))
        assert main(["run", "--config", "config.yaml"]) == 0
        summaries.append(json.loads((sky.folder / f"results/{name}/summary.json").read_text()))
        maps.append(read_skymap(sky.folder / f"results/{name}/maps.fits")[0])
    above, below = summaries

    assert maps[1].columns["ts"].max() > above["best"]["ts"]
    assert maps[1].columns["sqrt_ts"].min() < -5
    assert below["best"]["flux"] > 0
    for key in ("ts", "flux", "flux_ul", "uniq"):
        assert below["best"][key] == pytest.approx(above["best"][key], rel=1e-12)
    for kind in ("containment", "credible"):
        areas = ([region["area_deg2"] for region in one[kind]] for one in summaries)
        assert next(areas) == pytest.approx(next(areas), rel=1e-12)
    np.testing.assert_allclose(maps[1].columns["flux_ul"], maps[0].columns["flux_ul"], rtol=1e-3)
    paths = [sky.folder / f"results/{name}/sources.ecsv" for name in ("above", "below")]
    names = [[line for line in path.read_text().splitlines() if "SQ J" in line] for path in paths]
    assert [line[:19] for line in names[0]] == [line[:19] for line in names[1]]
    assert names[0]
