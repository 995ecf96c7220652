import h5py
import numpy as np
import pytest
from histpy import Histogram

from skyquilt.config.simulation import Simulation, simulation_files
from skyquilt.errors import ConfigError
from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.instruments.compton.simulator import simulate
from skyquilt.spectra import integrate


def test_simulate_writes_the_announced_files_and_no_others(simulated, simulation):
    announced = {str(name) for name in simulation_files(simulation).values()}
    assert {path.name for path in simulated.iterdir()} == announced


@pytest.fixture(scope="module")
def brief(settings):
    """Five minutes of it, which are enough for all kinds of files."""
    return Simulation.model_validate(settings | {"duration": "5 min"})


@pytest.fixture(scope="module")
def briefly_simulated(brief, tmp_path_factory):
    folder = tmp_path_factory.mktemp("brief")
    simulate(brief, folder)
    return folder


def test_simulate_with_the_same_seed_gives_the_same_arrays(briefly_simulated, brief, tmp_path):
    paths = simulate(brief, tmp_path)
    for path in paths:
        if path.suffix in (".h5", ".hdf5"):
            _compare(briefly_simulated / path.name, path)
    text = (tmp_path / "orientation.ori").read_text()
    assert text == (briefly_simulated / "orientation.ori").read_text()


def test_simulate_with_another_seed_gives_other_counts(briefly_simulated, brief, tmp_path):
    simulate(brief.model_copy(update={"seed": 8}), tmp_path)
    with h5py.File(briefly_simulated / "grb.h5") as one, h5py.File(tmp_path / "grb.h5") as other:
        name = "hist/contents/data"
        assert not np.array_equal(one[name][:], other[name][:])


def test_simulate_to_the_folder_of_the_configuration(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    only = {"crab": settings["sources"]["crab"] | {"events": None}}
    paths = simulate(Simulation.model_validate(settings | {"sources": only, "folder": "made"}))
    assert {path.parent.name for path in paths} == {"made"}
    assert not (tmp_path / "made" / "response.h5").exists()


def test_burst_without_steady_source_makes_no_galactic_files(settings, tmp_path):
    only = {"grb": settings["sources"]["grb"]}
    paths = simulate(Simulation.model_validate(settings | {"sources": only}), tmp_path)
    names = ["orientation.ori", "response.h5", "background.h5", "grb.h5"]
    assert [path.name for path in paths] == names


def test_background_time_axis_has_the_stamps_of_the_burst(simulated, simulation):
    start = simulation.start
    edges = Histogram.open(simulated / "background.h5").axes["Time"].edges.to_value("s")
    np.testing.assert_allclose(edges - start, [0, *range(12, 23), 3600])
    burst = Histogram.open(simulated / "grb.h5").axes["Time"].edges.to_value("s")
    np.testing.assert_array_equal(burst, edges[1:-1])


def test_background_counts_in_time_follow_the_livetime(simulated):
    orientation = read_orientation(simulated / "orientation.ori")
    edges = Histogram.open(simulated / "background.h5").axes["Time"].edges.to_value("s")
    live = np.histogram(orientation.time, edges, weights=orientation.livetime)[0]
    counts = _contents(simulated / "background.h5").sum(axis=(1, 2, 3))
    # six sigma; the attitude changes the rate by some per cent
    assert np.all(np.abs(counts - 25 * live) < 6 * np.sqrt(25 * live) + 0.1 * counts)


def test_background_with_a_span_without_livetime_has_no_counts_there(settings, tmp_path):
    burst = settings["sources"]["grb"] | {
        "position": {"lon": 273, "lat": 53, "frame": "galactic"},
        "interval": [settings["start"] + 2690, settings["start"] + 2740],
    }
    changes = {"sources": {"late": burst}, "duration": "3000 s"}  # 2726 s on: no livetime
    simulate(Simulation.model_validate(settings | changes), tmp_path)
    counts = _contents(tmp_path / "background.h5").sum(axis=(1, 2, 3))
    assert counts[0] > 0
    assert counts[-1] == 0


def test_background_has_the_rate_of_the_configuration(simulated):
    livetime = read_orientation(simulated / "orientation.ori").livetime.sum()
    for name in ("background", "background_galactic"):
        counts = _contents(simulated / f"{name}.h5").sum()
        # five sigma of a Poisson number, and the grid of the sky at nside 2
        assert abs(counts - 25 * livetime) < 5 * np.sqrt(25 * livetime) + 0.01 * counts


def test_galactic_background_scatters_about_its_model(simulated):
    counts = _contents(simulated / "background_galactic.h5")
    model = _contents(simulated / "background_galactic_model.h5")
    assert model.min() > 0
    chi2 = np.sum((counts - model) ** 2 / model)
    assert abs(chi2 - model.size) < 5 * np.sqrt(2 * model.size)  # five sigma


def test_crab_counts_equal_flux_times_the_nearest_row_of_the_response(simulated, simulation):
    with h5py.File(simulated / "response_galactic.h5") as file:
        rows = file["hist/contents"][:].sum(axis=(2, 3, 4), dtype=float)
    from skyquilt.sky.frames import lonlat_to_vec
    from skyquilt.sky.healpix import vec_to_ring

    row = rows[vec_to_ring(2, lonlat_to_vec([184.5551], [-5.7877]))[0]]
    edges = np.array([100.0, 300.0, 1000.0])
    expected = integrate(simulation.sources["crab"].spectrum, edges) @ row
    # the pixel's centre is up to 15 deg away
    assert _contents(simulated / "crab.h5").sum() == pytest.approx(expected, rel=0.2)


def test_burst_counts_are_near_their_fluence(simulated):
    counts = _contents(simulated / "grb.h5").sum(axis=(1, 2, 3))
    assert counts.shape == (10,)
    # an even light curve: five sigma of the mean number
    assert np.abs(counts - counts.mean()).max() < 5 * np.sqrt(counts.mean())


def test_burst_below_the_horizon_is_refused(settings, tmp_path):
    burst = settings["sources"]["grb"]
    hidden = burst | {"position": {"lon": 273, "lat": 53, "frame": "galactic"}}
    simulation = Simulation.model_validate(settings | {"sources": {"grb": hidden}})
    with pytest.raises(ConfigError, match=r"sources\.grb: no counts are expected.*horizon"):
        simulate(simulation, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["orientation.ori"]


def _contents(path):
    contents = Histogram.open(path).contents
    return np.asarray(contents.todense() if hasattr(contents, "todense") else contents)


def _compare(first, second):
    with h5py.File(first) as one, h5py.File(second) as other:
        names = []
        one.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
        assert names
        for name in names:
            np.testing.assert_array_equal(one[name][()], other[name][()])


CURVE = {"model": "gaussian", "t0": 0.0, "sigma": 2.0}


def test_light_curve_outside_the_burst_is_refused_and_nothing_is_written(settings, tmp_path):
    start = settings["start"]
    burst = settings["sources"]["grb"] | {"light_curve": CURVE | {"t0": start + 300}}
    simulation = Simulation.model_validate(settings | {"sources": {"grb": burst}})
    with pytest.raises(ConfigError, match=r"sources\.grb\.light_curve: nothing of it lies in"):
        simulate(simulation, tmp_path)
    assert not list(tmp_path.iterdir())


def test_counts_of_a_burst_follow_its_light_curve(settings, tmp_path):
    burst = settings["sources"]["grb"] | {"light_curve": CURVE | {"t0": settings["start"] + 17}}
    simulate(Simulation.model_validate(settings | {"sources": {"grb": burst}}), tmp_path)
    in_time = _contents(tmp_path / "grb.h5").sum(axis=(1, 2, 3))
    middle = np.arange(10) + 0.5
    mean = in_time @ middle / in_time.sum()
    # of a Gaussian cut at 2.5 standard deviations; four errors
    assert abs(mean - 5) < 4 * 2 / np.sqrt(in_time.sum())
    assert in_time[4:6].sum() > 3 * in_time[:2].sum()


def test_steady_sources_with_a_light_curve_have_its_mean_flux(settings, simulated, tmp_path):
    span = [settings["start"], settings["start"] + 3600]
    half = {"model": "table", "edges": span, "factors": [0.5]}
    crab = settings["sources"]["crab"] | {"light_curve": half, "events": None}
    simulate(Simulation.model_validate(settings | {"sources": {"crab": crab}}), tmp_path)
    n, n_steady = (_contents(folder / "crab.h5").sum() for folder in (tmp_path, simulated))
    assert abs(n - n_steady / 2) < 4 * np.sqrt(n + n_steady / 4)


def test_extended_sources_are_as_bright_as_points(settings, simulated, tmp_path):
    crab = settings["sources"]["crab"] | {"shape": {"model": "disk", "radius": 4}, "events": None}
    simulate(Simulation.model_validate(settings | {"sources": {"crab": crab}}), tmp_path)
    n, n_point = (_contents(folder / "crab.h5").sum() for folder in (tmp_path, simulated))
    # the exposure is nearly the same around; four errors and 2 %
    assert abs(n - n_point) < 4 * np.sqrt(n + n_point) + 0.02 * n_point


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"light_curve": CURVE | {"sigma": -1}}, "sigma"),
        ({"light_curve": CURVE | {"t0": float("nan")}}, "t0"),
        ({"shape": {"model": "disk", "radius": 0}}, "radius"),
        ({"shape": {"model": "map", "path": "x.fits"}}, "shape"),
    ],
)
def test_impossible_light_curves_and_shapes_are_refused(settings, changes, key):
    crab = settings["sources"]["crab"] | changes
    with pytest.raises(ValueError, match=key):
        Simulation.model_validate(settings | {"sources": {"crab": crab}})
