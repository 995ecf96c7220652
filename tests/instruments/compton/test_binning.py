import logging
import os
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import h5py
import healpy
import numpy as np
import pytest
from astropy.io import fits
from histpy import Histogram

from skyquilt.config.binning import Binning
from skyquilt.errors import InputError, OutputError
from skyquilt.instruments.compton import binning
from skyquilt.instruments.compton.binning import BinEdges, bin_events, find_cells, make_grid
from skyquilt.instruments.compton.events import Events, open_events
from skyquilt.io.provenance import read_provenance

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("SKYQUILT_DATA", ROOT.parent / "shared" / "data")) / "cosi"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the COSI files (SKYQUILT_DATA)")

START = 1835478000.0
# Edges of the small COSI response [keV].
EDGES = (150, 220, 325, 480, 520, 765, 1120, 1650, 2350, 3450, 5000)


def make_config(events, **changes):
    section = {
        "events": str(events),
        "output": "binned.h5",
        "frame": "local",
        "time_edges": [START, START + 10],
        "energy_edges": [f"{edge} keV" for edge in EDGES],
        "phi_width": "6 deg",
        "nside": 1,
    }
    section |= changes
    return Binning.model_validate({key: v for key, v in section.items() if v is not None})


@pytest.fixture
def run(tmp_path):
    """Bin events; the histogram as dense array, its axes, and the summary."""

    def run(config):
        config = config.model_copy(update={"output": str(tmp_path / "binned.h5")})
        summary = bin_events(config)
        histogram = Histogram.open(config.output)
        return histogram.contents.todense(), histogram.axes, summary

    return run


@pytest.fixture
def columns():
    """Events well inside the bins of `make_config`, in both frames."""
    rng = np.random.default_rng(4)
    n = 500
    return {
        "Energies": rng.uniform(150, 5000, n),
        "TimeTags": START + rng.uniform(0, 10, n),
        "Phi": rng.uniform(0, np.pi, n),
        "Chi local": rng.uniform(0, 2 * np.pi, n),
        "Psi local": np.arccos(rng.uniform(-1, 1, n)),
        "Chi galactic": rng.uniform(0, 360, n),
        "Psi galactic": np.degrees(np.arcsin(rng.uniform(-1, 1, n))),
    }


@pytest.fixture
def write(tmp_path):
    def write(columns):
        path = tmp_path / "events.hdf5"
        with h5py.File(path, "w") as file:
            file.update(columns)
        return path

    return write


def reference_counts(columns, grid, frame):
    """Second implementation: numpy's histogram, pixels from unit vectors."""
    if frame == "local":
        theta, lon = columns["Psi local"], columns["Chi local"]
    else:
        theta = np.radians(90 - columns["Psi galactic"])
        lon = np.radians(columns["Chi galactic"])
    pixels = healpy.vec2pix(
        grid.nside, np.sin(theta) * np.cos(lon), np.sin(theta) * np.sin(lon), np.cos(theta)
    )
    values = [columns["TimeTags"], columns["Energies"], np.degrees(columns["Phi"]), pixels]
    edges = [grid.time, grid.energy, grid.phi, np.arange(12 * grid.nside**2 + 1) - 0.5]
    return np.histogramdd(values, edges)[0]


@needs_data
def test_bin_events_of_crab_sample_in_local_frame_equals_cosipy(run):
    counts, axes, summary = run(make_config(DATA / "unbinned_data_MEGAlib_calc.hdf5"))
    reference = Histogram.open(DATA / "test_event_histogram_localCDS.hdf5")
    assert axes == reference.axes
    np.testing.assert_array_equal(counts, reference.contents.todense())
    assert summary.dropped["without Compton angle"] == 1


@needs_data
def test_bin_events_of_crab_sample_in_galactic_frame_has_axes_of_cosipy(run, write):
    # The reference binned radians as degrees: all its counts lie in the pixel at l = b = 0. Only
    # its axes and the sums over PsiChi can be compared.
    with h5py.File(DATA / "unbinned_data_MEGAlib_calc.hdf5") as file:
        columns = {name: file[name][:] for name in ("Energies", "TimeTags", "Phi")}
        columns["Chi galactic"] = np.degrees(file["Chi galactic"][:]) + 180
        columns["Psi galactic"] = 90 - np.degrees(file["Psi galactic"][:])
    counts, axes, _ = run(make_config(write(columns), frame="galactic"))
    reference = Histogram.open(DATA / "test_event_histogram_galacticCDS.hdf5")
    expected = reference.contents.todense()
    assert expected[..., 4].sum() == expected.sum()
    assert axes == reference.axes
    np.testing.assert_array_equal(counts.sum(axis=-1), expected.sum(axis=-1))


@needs_data
@pytest.mark.parametrize("frame", ["local", "galactic"])
def test_bin_events_of_real_events_equals_numpy_histogram(run, frame):
    path = DATA / "polarization_data.hdf5"
    config = make_config(path, frame=frame, time_edges=[0, 1, 4, 13], nside=4)
    counts, _, summary = run(config)
    with h5py.File(path) as file:
        expected = reference_counts({k: v[:] for k, v in file.items()}, make_grid(config), frame)
    np.testing.assert_array_equal(counts, expected)
    assert summary.n_binned == expected.sum()


@needs_data
def test_bin_events_with_galactic_angles_of_megalib_is_refused(run):
    config = make_config(DATA / "unbinned_data_MEGAlib_calc.hdf5", frame="galactic")
    with pytest.raises(InputError, match="look like radians with a colatitude"):
        run(config)


@pytest.mark.parametrize("frame", ["local", "galactic"])
def test_bin_events_in_small_blocks_gives_the_same_counts(run, columns, write, frame, monkeypatch):
    config = make_config(write(columns), frame=frame, nside=8)
    whole, _, summary = run(config)
    monkeypatch.setattr(binning, "open_events", partial(open_events, block_bytes=40 * 7))
    blocks, _, summary_of_blocks = run(config)
    np.testing.assert_array_equal(blocks, whole)
    np.testing.assert_array_equal(whole, reference_counts(columns, make_grid(config), frame))
    assert summary_of_blocks == summary


def test_bin_events_of_more_events_than_cells_gives_the_same_counts(run, columns, write):
    # The other way of counting: 12 cells, 500 events.
    config = make_config(write(columns), energy_edges=["150 keV", "5 MeV"], phi_width="180 deg")
    counts, _, _ = run(config)
    np.testing.assert_array_equal(counts, reference_counts(columns, make_grid(config), "local"))


def test_bin_events_counts_dropped_events_by_first_reason(run, columns, write):
    columns["Phi"][:4] = np.nan
    columns["TimeTags"][[3, 4, 5]] = START - 1  # row 3 counts as without angle
    columns["Energies"][[5, 6]] = 0  # row 5 counts as out of time
    columns["Phi"][7] = np.pi
    _, _, summary = run(make_config(write(columns)))
    assert summary.n_events == 500
    assert summary.n_binned == 492
    assert summary.dropped == {
        "without Compton angle": 4,
        "outside time edges": 2,
        "outside energy edges": 1,
        "Compton angle of 180 deg": 1,
    }


def test_bin_events_keeps_the_last_event(run, columns, write):
    columns["TimeTags"] = np.sort(columns["TimeTags"])
    _, _, summary = run(make_config(write(columns)))
    assert summary.n_binned == 500


def test_bin_events_writes_schema_and_provenance(run, columns, write, tmp_path):
    path = write(columns)
    run(make_config(path))
    with h5py.File(tmp_path / "binned.h5") as file:
        assert file.attrs["schema"] == "skyquilt/histogram"
        record = read_provenance(file)
    assert record["stage"] == "bin-events"
    assert record["settings"]["frame"] == "local"
    assert [item["path"] for item in record["inputs"]] == [str(path)]


@pytest.mark.parametrize(
    "changes",
    [
        {"time_edges": [START + 10, START + 20]},
        {"energy_edges": ["5 MeV", "6 MeV"]},
    ],
)
def test_bin_events_with_empty_selection_says_why_and_writes_nothing(
    run, columns, write, tmp_path, changes
):
    config = make_config(write(columns), **changes)
    with pytest.raises(InputError, match=r"none of 500 events .*; dropped: 500 outside \w+ edges"):
        run(config)
    assert [path.name for path in tmp_path.iterdir()] == ["events.hdf5"]


def test_bin_events_of_file_without_events_is_refused(run, columns, write):
    path = write({name: values[:0] for name, values in columns.items()})
    with pytest.raises(InputError, match=r"none of 0 events falls in the bins; dropped: none"):
        run(make_config(path))


def test_bin_events_of_damaged_file_leaves_earlier_output(run, columns, write, tmp_path):
    path = write(columns)
    run(make_config(path))
    before = (tmp_path / "binned.h5").read_bytes()
    columns["Energies"][499] = np.nan
    path.unlink()
    with pytest.raises(InputError, match="not finite"):
        run(make_config(write(columns)))
    assert (tmp_path / "binned.h5").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["binned.h5", "events.hdf5"]


def test_bin_events_into_folder_that_is_a_file_is_refused(columns, write, tmp_path):
    path = write(columns)
    with pytest.raises(OutputError, match=r"events\.hdf5/binned\.h5"):
        bin_events(make_config(path, output=str(path / "binned.h5")))


def test_bin_events_logs_progress_and_result(run, columns, write, monkeypatch, caplog):
    monkeypatch.setattr(binning, "_PROGRESS_S", 0)
    monkeypatch.setattr(binning, "open_events", partial(open_events, block_bytes=40 * 200))
    columns["Phi"][0] = np.nan
    with caplog.at_level(logging.INFO, logger=binning.__name__):
        run(make_config(write(columns)))
    messages = [record.getMessage() for record in caplog.records]
    assert [message.split(": ")[1].split(",")[0] for message in messages[:3]] == [
        "200/500 events",
        "400/500 events",
        "500/500 events",
    ]
    assert messages[0].endswith("s left")
    assert messages[3].endswith("499 of 500 events binned; dropped: 1 without Compton angle")


def test_find_cells_at_edges_includes_lower_and_excludes_upper():
    grid = BinEdges(np.array([0.0, 1, 2]), np.array([10.0, 20, 30]), np.array([0.0, 90, 180]), 1)
    below = np.nextafter
    time = np.array([0, 1, below(1, 0), below(2, 0), 2, below(0, -1)])
    same = np.full(time.size, 10.0)
    events = Events(time, same, np.zeros(time.size), same, same)
    dropped = Counter()
    cells = find_cells(events, grid, dropped)
    time_bins = np.unravel_index(cells, grid.shape)[0]
    assert time_bins.tolist() == [0, 1, 0, 1]
    assert dropped["outside time edges"] == 2


@pytest.mark.parametrize(("lon", "other"), [(0.0, 360.0), (-90.0, 270.0), (180.0, -180.0)])
def test_find_cells_at_equal_longitudes_gives_equal_pixels(lon, other):
    grid = BinEdges(np.array([0.0, 1]), np.array([10.0, 20]), np.array([0.0, 180]), 8)
    same = np.full(2, 0.5)
    events = Events(same, 10 + same, same, np.array([lon + 1e-3, other + 1e-3]), same)
    first, second = find_cells(events, grid, Counter())
    assert first == second


def test_make_grid_with_time_bin_fills_interval_with_equal_bins():
    settings = {"time_bin": "0.1 s", "interval": [START, START + 1], "time_edges": None}
    section = make_config("events", **settings)
    grid = make_grid(section)
    assert grid.shape == (10, 10, 30, 12)
    assert grid.time[[0, -1]].tolist() == [START, START + 1]
    # Stamps near 2e9 s are exact to 2.4e-7 s.
    np.testing.assert_allclose(np.diff(grid.time), 0.1, atol=1e-6, rtol=0)


def test_make_grid_with_energies_in_mixed_units_gives_kev():
    grid = make_grid(make_config("events", energy_edges=["100 keV", "0.2 MeV", "1 GeV"]))
    assert grid.energy.tolist() == [100, 200, 1e6]


def test_make_grid_with_phi_width_gives_degrees_up_to_180():
    grid = make_grid(make_config("events", phi_width="0.5 deg"))
    np.testing.assert_array_equal(grid.phi, 0.5 * np.arange(361))


MEASURE = """
import sys
from skyquilt.config.binning import Binning
from skyquilt.instruments.compton.binning import bin_events

bin_events(Binning.model_validate_json(sys.argv[1]))
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_bin_events_of_gzipped_file_larger_than_memory_limit_stays_below_limit(tmp_path):
    n_events = 5_000_000  # 600 MB of rows as cosipy writes them: 15 numbers of 8 bytes
    rng = np.random.default_rng(5)
    varied = {
        "Energies": rng.integers(150, 5000, n_events),
        "TimeTags": START + np.linspace(0, 9.99, n_events),
        "Phi": rng.integers(0, 180, n_events) * (np.pi / 180),
        "Chi local": rng.integers(0, 6, n_events),
        "Psi local": rng.integers(0, 3, n_events),
    }
    table = [fits.Column(name, "D", array=values) for name, values in varied.items()]
    table.append(fits.Column("Zpointings (glon,glat)", "10D", array=np.zeros((n_events, 10))))
    path = tmp_path / "events.fits"
    fits.BinTableHDU.from_columns(table).writeto(path)
    del varied, table
    subprocess.run(["gzip", "-1", path], check=True)
    config = make_config(
        f"{path}.gz",
        output=str(tmp_path / "binned.h5"),
        time_edges=None,
        time_bin="0.001 s",
        interval=[START, START + 10],
        nside=8,
    )
    code = [sys.executable, "-c", MEASURE, config.model_dump_json(exclude_none=True)]
    peak_kb = int(subprocess.run(code, check=True, capture_output=True, text=True).stdout)
    # 400 MB measured: 220 for the libraries, 40 for the cells, the rest for blocks of 32 MB.
    assert peak_kb / 1024 < 500


@needs_data
def test_bin_events_of_megalib_gives_the_histogram_of_cosipy(run):
    name = "GalacticScan.inc1.id1.crab10sec.extracted.testsample.nopointinginfo.tra.gz"
    wanted = Histogram.open(DATA / "test_event_histogram_localCDS.hdf5").contents.todense()

    counts, _, summary = run(make_config(DATA / name))

    np.testing.assert_array_equal(counts, wanted)
    assert summary.dropped["incomplete"] == 1


@needs_data
def test_bin_events_of_megalib_takes_the_pointings_of_the_orientation_file(run):
    name = "GalacticScan.inc1.id1.crab10sec.extracted.testsample.nopointinginfo.tra.gz"
    orientation = str(DATA / "20280301_first_10sec.ori")

    counts, _, summary = run(
        make_config(
            DATA / name, frame="galactic", orientation=orientation, time_edges=[START, START + 5]
        )
    )

    assert counts.sum() == summary.n_binned
    assert summary.dropped["outside time edges"] > 1000


def test_bin_events_near_the_galactic_centre_that_look_like_radians_may_be_accepted(
    tmp_path, columns, run, caplog
):
    columns |= {
        "Chi galactic": columns["Chi galactic"] % 3,
        "Psi galactic": np.abs(columns["Psi galactic"]) % 3,
    }
    with h5py.File(tmp_path / "small.hdf5", "w") as file:
        file.update(columns)
    config = make_config(tmp_path / "small.hdf5", frame="galactic")

    with pytest.raises(
        InputError, match=r"look like radians .*`accept: \[radians\]` under the bin"
    ):
        run(config)
    _, _, summary = run(config.model_copy(update={"accept": ("radians",)}))

    assert summary.n_binned > 0
    assert "look like radians" in caplog.text
