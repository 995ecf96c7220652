"""The programs that are compared fit the same; the helpers read what the system writes."""

from pathlib import Path

import numpy as np
import pytest
from dc2_files import write_analysis
from numpy_fit import Tables, fit_by_block, fit_by_pixel
from rank_job import kilobytes, resident_of
from time_files import job_seconds
from time_fit import check_equal, passes_of

from skyquilt.fit.pixels import fit_pixels
from skyquilt.likelihood.poisson import FluxFit
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.testing.toy import Telescope


@pytest.fixture(scope="module")
def problem():
    telescope = Telescope()
    direction = np.array([0.0, 0.6, 0.8])
    return telescope.observe(direction, 0.3, np.random.default_rng(1))


@pytest.fixture(scope="module")
def directions():
    return nest_to_vec(4, np.arange(192))


@pytest.mark.parametrize("program", [fit_by_pixel, fit_by_block])
def test_numpy_programs_fit_the_same_ts(problem, directions, program):
    ts = program(Tables(problem), directions)
    # sums of rows in float32 against float64: 6e-8 for each of 400 counts, at random, twice in TS
    np.testing.assert_allclose(ts, fit_pixels(problem, directions).ts, atol=5e-6)


def test_check_equal_when_programs_differ_raises(problem, directions):
    tables = Tables(problem)
    check_equal(problem, directions, (fit_by_pixel, tables))
    tables.background = 1.01 * tables.background
    with pytest.raises(RuntimeError, match="fit_by_pixel: TS differs by up to"):
        check_equal(problem, directions, (fit_by_pixel, tables))


def test_passes_of_counts_no_pass_for_pixels_at_the_bound():
    nothing = np.zeros(4)
    fit = FluxFit(*8 * [nothing], n_iter=np.array([0, 1, 3, 4]), status=nothing, template=nothing)
    assert passes_of(fit) == (1.25, 0.5)


def test_kilobytes_adds_up_the_lines_of_one_key():
    text = "Rss:  8 kB\nPss:  4 kB\nPss_Dirty:  3 kB\nPss:  1 kB\n"
    assert kilobytes("Pss", text) == 5 * 1024


def test_resident_of_a_mapped_file_is_what_was_touched(tmp_path):
    path = tmp_path / "rows"
    np.ones(1 << 20).tofile(path)
    rows = np.memmap(path, mode="r")
    before = resident_of(str(path))
    rows.sum()
    assert before < resident_of(str(path)) == rows.size


def test_job_seconds_adds_up_the_chunks(tmp_path):
    of_grb = "plan_sky.tsv", "fit_chunk/0-of-2.tsv", "fit_chunk/1-of-2.tsv"
    paths = [Path("grb/benchmarks", name) for name in of_grb]
    for path in (tmp_path / name for name in (*paths, "_inputs/benchmarks/list_reports.tsv")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("s\th:m:s\n1.5\t0:00:01\n")
    assert job_seconds(tmp_path) == {
        "list_reports": [1.5],
        "fit_chunk": [1.5, 1.5],
        "plan_sky": [1.5],
    }


@pytest.mark.parametrize("shape", ["small", "dc2"])
def test_configuration_of_the_files_is_a_valid_one(tmp_path, shape):
    import json

    from dc2_files import make_config

    from skyquilt.config import load_config

    path = tmp_path / "all.yaml"
    path.write_text(json.dumps(make_config(tmp_path, shape, nside=16)))
    assert load_config(path).simulation.sources.keys() == {"grb"}
    config = load_config(write_analysis(path, tmp_path / "alone", nside=64))
    assert config.simulation is None
    assert config.analyses["grb"].map.nside == 64


def test_galactic_configuration_is_a_valid_one(tmp_path):
    import json

    from dc2_files import make_galactic_config

    from skyquilt.config import load_config

    path = tmp_path / "galactic.yaml"
    path.write_text(json.dumps(make_galactic_config(tmp_path)))
    config = load_config(write_analysis(path, tmp_path / "alone", nside=32))
    assert config.analyses["crab"].map.nside == 32
    assert config.analyses["crab"].data.frame == "galactic"


def test_response_of_counts_is_the_dense_one_to_a_count(tmp_path):
    from response_counts import LARGEST, write_response_of_counts

    from skyquilt.config.simulation import SimulatedResolution
    from skyquilt.instruments.compton.response import open_response
    from skyquilt.instruments.compton.simulator.instrument import make_instrument
    from skyquilt.instruments.compton.simulator.responses import write_detector_response

    dense, counts = tmp_path / "dense.h5", tmp_path / "counts.h5"
    resolution = SimulatedResolution(
        nside_local=1, nside_psichi=1, n_phi=6, energy_edges=["100 keV", "300 keV", "1000 keV"]
    )
    write_detector_response(dense, make_instrument(resolution), nside=1)
    write_response_of_counts(dense, counts)
    with open_response(str(dense)) as one, open_response(str(counts)) as other:
        want, found = (response.read(0, 12, slice(0, 2)) for response in (one, other))
    step = want.max(axis=(0, 2, 3, 4), keepdims=True) / LARGEST
    assert np.all(np.abs(found - want) <= 0.5001 * step)
