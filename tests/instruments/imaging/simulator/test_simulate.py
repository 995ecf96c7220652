"""Simulated imagers: files that are read back, photons that follow them."""

import healpy
import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time, TimeDelta
from scipy.stats import kstest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError, InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.imaging.simulator import simulate
from skyquilt.instruments.imaging.simulator.photons import spread
from skyquilt.instruments.imaging.simulator.telescope import make_telescope
from skyquilt.simulate.shapes import draw_shape
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.shapes import to_nodes
from skyquilt.spectra import integrate
from skyquilt.testing.analyses import ask_one

SPECTRUM = {"model": "power_law", "norm": "1e-16 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.2}
DIFFUSE = {**SPECTRUM, "norm": "2e-15 cm-2 s-1 keV-1"}
SOURCE = {"position": {"lon": 40, "lat": 30, "frame": "galactic"}, "spectrum": SPECTRUM}
FILES = ("background", "exposure", "psf")


def settings(folder, **changes):
    simulation = {
        "instrument": "imaging",
        "folder": str(folder),
        "nside": 32,
        "point_spread": {"sigma": 1.5},
        "background": {"isotropic": {"spectrum": DIFFUSE}},
        "sources": {"one": SOURCE},
    }
    return simulation | changes


def configure(folder, kind="events", shape=None, **changes):
    analysis = {
        "instrument": "imaging",
        "data": {name: {"path": str(folder / f"{name}.fits")} for name in (kind, *FILES)},
        "spectrum": SPECTRUM,
        **({} if shape is None else {"shape": shape}),
    }
    return parse_config({"simulation": settings(folder, **changes), "analyses": {"a": analysis}})


def fit_source(config, place=(40, 30)):
    problem = prepare(ask_one(config.analyses["a"]), "").problem
    return fit_pixels(problem, lonlat_to_vec(*place)[np.newaxis])


def read_unix(folder, column="TIME", table=1):
    """Times of a simulated list, on the clock of its header [UNIX s]."""
    values, header = fits.getdata(folder / "events.fits", table, header=True)
    clock = [header[key] for key in ("MJDREFI", "MJDREFF")]
    start = Time(*clock, format="mjd", scale=header["TIMESYS"].lower())
    return (start + TimeDelta(np.array(values[column], float), format="sec")).unix


def test_good_times_are_the_epochs(tmp_path):
    epochs = [{"start": 1.6e9, "stop": 1.61e9}, {"start": 1.62e9, "stop": 1.63e9}]
    simulate(configure(tmp_path, epochs=epochs, sources={}).simulation)
    for column, expected in (("START", [1.6e9, 1.62e9]), ("STOP", [1.61e9, 1.63e9])):
        # doubles hold times of this size to 1e-7 s
        np.testing.assert_allclose(read_unix(tmp_path, column, 2), expected, rtol=0, atol=1e-6)


def test_interval_at_the_end_of_an_epoch_is_refused_and_before_it_is_not(tmp_path):
    """Ten seconds are less than the leap seconds since 1970."""
    config = configure(tmp_path, epochs=[{"start": 1.6e9, "stop": 1.63e9}])
    simulate(config.simulation)
    for start, is_good in ((1.63e9 - 10, True), (1.63e9, False)):
        data = config.analyses["a"].data.model_copy(update={"interval": (start, start + 10)})
        analysis = config.analyses["a"].model_copy(update={"data": data})
        if is_good:
            assert prepare(ask_one(analysis), "").problem.background_total > 0
        else:
            with pytest.raises(InputError, match="nothing of its good times lies in"):
                prepare(ask_one(analysis), "")


def test_same_seed_gives_the_same_files_and_another_seed_others(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulate(configure(tmp_path / name, seed=seed).simulation)
    contents = [(tmp_path / name / "events.fits").read_bytes() for name in "abc"]
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_photons_of_a_source_do_not_depend_on_other_sources(tmp_path):
    other = {"position": {"lon": 200, "lat": -50, "frame": "icrs"}, "spectrum": SPECTRUM}
    simulate(configure(tmp_path / "one").simulation)
    simulate(configure(tmp_path / "two", sources={"zwei": other, "one": SOURCE}).simulation)
    energy = [
        np.sort(table["ENERGY"][table["SOURCE"] == "one"])
        for table in (fits.getdata(tmp_path / name / "events.fits", 1) for name in ("one", "two"))
    ]
    np.testing.assert_array_equal(*energy)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["events", "counts"])
def test_flux_is_recovered_from_the_files(tmp_path, kind):
    pulls = []
    for seed in range(8):
        config = configure(tmp_path, kind, seed=seed)
        simulate(config.simulation)
        fit = fit_source(config)
        pulls.append((fit.flux[0] - 1) / fit.flux_err[0])
    # 8 experiments: mean 0 and width 1 within three standard errors
    assert abs(np.mean(pulls)) < 3 / np.sqrt(8)
    assert 0.25 < np.std(pulls, ddof=1) < 1.8


@pytest.mark.parametrize(
    "shape",
    [
        {"model": "disk", "radius": 4},
        {"model": "gaussian", "sigma": 2},
        {"model": "elliptical_gaussian", "sigma": 3, "ratio": 0.5, "angle": 60},
    ],
    ids=lambda shape: shape["model"],
)
def test_flux_of_an_extended_source_is_recovered_with_its_shape(tmp_path, shape):
    bright = {**SOURCE, "shape": shape, "spectrum": {**SPECTRUM, "norm": "1e-15 cm-2 s-1 keV-1"}}
    config = configure(tmp_path, "counts", shape, sources={"one": bright})
    simulate(config.simulation)
    fit = fit_source(config)
    # three standard errors
    assert abs(fit.flux[0] - 10) < 3 * fit.flux_err[0]
    point = fit_source(configure(tmp_path, "counts", sources={"one": bright}))
    assert fit.ts[0] > point.ts[0] + 25


def test_counts_are_the_events_and_follow_the_background(tmp_path):
    config = configure(tmp_path, sources={}, nside=16)
    simulate(config.simulation)
    events = fits.getdata(tmp_path / "events.fits", 1)
    counts = fits.getdata(tmp_path / "counts.fits", 1)
    total = sum(counts[name].sum() for name in counts.names)
    assert total == len(events)
    expected = fits.getdata(tmp_path / "background.fits", 1)
    flux = integrate(config.simulation.background["isotropic"].spectrum, [1e7, 3e7, 1e8, 3e8, 1e9])
    for band, name in enumerate(expected.names):
        wanted = flux[band] * 1e4 * 3.2e7
        # the area is a straight line in the logarithm of the energy between those of the file
        assert expected[name].sum() == pytest.approx(wanted, rel=1e-4)
        # four standard errors of a Poisson number
        assert abs(counts[name].sum() - wanted) < 4 * np.sqrt(wanted)


def test_angles_from_the_source_follow_the_point_spread_function(tmp_path):
    config = configure(tmp_path, point_spread={"sigma": 0.5, "index": 0, "gamma": 2.0})
    telescope = make_telescope(config.simulation)
    rng = np.random.default_rng(5)
    center = np.tile(lonlat_to_vec(40, 30), (20000, 1))
    direction = spread(center, np.full(20000, 3e7), telescope, rng)
    theta = 2 * np.arcsin(np.linalg.norm(direction - center, axis=1) / 2)
    x = theta**2 / (2 * np.radians(0.5) ** 2 * 2.0)
    part = 1 - (1 + x) ** -1.0  # of King's function of gamma 2, within theta, in the plane
    # cut at 60 widths, where 0.1 % are left out
    assert kstest(part, "uniform").statistic < 1.63 / np.sqrt(20000) + 1.5e-3


@pytest.mark.parametrize(
    "shape",
    [
        {"model": "disk", "radius": 3},
        {"model": "ring", "inner": 2, "outer": 3},
        {"model": "gaussian", "sigma": 2},
        {"model": "elliptical_gaussian", "sigma": 3, "ratio": 0.4, "angle": 30},
    ],
    ids=lambda shape: shape["model"],
)
def test_drawn_shapes_have_the_moments_of_their_nodes(tmp_path, shape):
    config = configure(tmp_path, sources={"one": {**SOURCE, "shape": shape}})
    one = config.simulation.sources["one"].shape
    center = lonlat_to_vec(40, 30)
    n = 40000
    drawn = draw_shape(one, center, n, np.random.default_rng(3))
    from skyquilt.sky.frames import rotation

    nodes = to_nodes(one)
    points = nodes.around(center[np.newaxis], rotation("icrs", "galactic")[:, 2])[0]
    wanted = np.einsum("n,ni,nj->ij", nodes.weight, points - center, points - center)
    found = (drawn - center).T @ (drawn - center) / n
    # fourth moments of a Gaussian: sqrt(2 / n) of the largest second one; four of them
    np.testing.assert_allclose(found, wanted, atol=4 * np.sqrt(2 / n) * np.trace(wanted))


def test_field_of_view_sees_nothing_outside(tmp_path):
    field = {"center": {"lon": 40, "lat": 30, "frame": "galactic"}, "radius": 20}
    config = configure(tmp_path, "counts", field=field)
    simulate(config.simulation)
    events = fits.getdata(tmp_path / "events.fits", 1)
    background = events[events["SOURCE"] == "isotropic"]
    exposure = fits.getdata(tmp_path / "exposure.fits", 1)["ENERGY1"]
    ipix = np.flatnonzero(exposure == 0)
    assert ipix.size == pytest.approx(12 * 32**2 * (1 + np.cos(np.radians(20))) / 2, rel=0.02)
    assert len(background) > 0
    fit = fit_source(config)
    assert abs(fit.flux[0] - 1) < 4 * fit.flux_err[0]


def test_times_lie_in_the_epochs_in_proportion_to_livetime(tmp_path):
    epochs = [
        {"start": 1e9, "stop": 1e9 + 1e7, "live_fraction": 0.5},
        {"start": 1.5e9, "stop": 1.5e9 + 1e7},
    ]
    simulate(configure(tmp_path, epochs=epochs).simulation)
    time = read_unix(tmp_path)
    first = np.count_nonzero(time < 1.2e9)
    assert np.all((time % 5e8) <= 1e7)
    assert np.all(np.diff(time) >= 0)
    # a third; four binomial errors
    assert abs(first / len(time) - 1 / 3) < 4 * np.sqrt(2 / 9 / len(time))


def test_components_of_the_background_have_cubes_that_add_up(tmp_path):
    two = {
        "isotropic": {"spectrum": DIFFUSE},
        "galactic": {"spectrum": DIFFUSE, "latitude_scale": 10},
    }
    simulate(configure(tmp_path, background=two).simulation)
    names = ("background", "background-isotropic", "background-galactic")
    whole, *parts = (fits.getdata(tmp_path / f"{name}.fits", 1)["CHANNEL1"] for name in names)
    np.testing.assert_allclose(whole, sum(parts), rtol=1e-12)
    latitude = healpy.pix2ang(32, np.arange(12 * 32**2), lonlat=True)[1]
    assert parts[1][np.abs(latitude) < 5].mean() > 10 * parts[1][np.abs(latitude) > 40].mean()


def test_background_that_is_never_seen_is_an_error(tmp_path):
    field = {"center": {"lon": 0, "lat": 90, "frame": "galactic"}, "radius": 0.01}
    with pytest.raises(ConfigError, match="isotropic: no photon of it is seen"):
        simulate(configure(tmp_path, field=field, nside=4).simulation)


PULSE = {"model": "gaussian", "t0": 1.61e9, "sigma": 3e6}


def test_light_curve_scales_the_flux_by_its_mean_over_the_livetime(tmp_path):
    epochs = [
        {"start": 1.6e9, "stop": 1.61e9, "live_fraction": 0.5},
        {"start": 1.62e9, "stop": 1.63e9},
    ]
    curve = {"model": "table", "edges": [1.605e9, 1.625e9], "factors": [4]}
    bright = {**SPECTRUM, "norm": "1e-15 cm-2 s-1 keV-1"}
    source = {**SOURCE, "spectrum": bright, "light_curve": curve}
    config = configure(tmp_path, "counts", epochs=epochs, sources={"one": source})
    simulate(config.simulation)
    fit = fit_source(config)
    # half of each epoch: 4 x 0.5, of a spectrum ten times the reference; three standard errors
    assert abs(fit.flux[0] - 20) < 3 * fit.flux_err[0]
    events = fits.getdata(tmp_path / "events.fits", 1)
    time = read_unix(tmp_path)[events["SOURCE"] == "one"]
    assert np.all((time > 1.605e9) & (time < 1.625e9))
    first = np.mean(time < 1.61e9)
    # a third of the livetime; four binomial errors
    assert abs(first - 1 / 3) < 4 * np.sqrt(2 / 9 / time.size)


def test_times_of_a_pulse_follow_it_and_not_other_sources(tmp_path):
    source = {**SOURCE, "light_curve": PULSE}
    simulate(configure(tmp_path / "one", sources={"one": source}).simulation)
    simulate(configure(tmp_path / "two", sources={"zwei": SOURCE, "one": source}).simulation)
    times = []
    for name in ("one", "two"):
        events = fits.getdata(tmp_path / name / "events.fits", 1)
        times.append(read_unix(tmp_path / name)[events["SOURCE"] == "one"])
    np.testing.assert_array_equal(*times)
    assert (
        kstest((times[0] - 1.61e9) / 3e6, "norm").statistic < 1.63 / np.sqrt(times[0].size) + 2e-3
    )


def test_constant_components_are_the_same_with_a_light_curve_beside_them(tmp_path):
    pulse = {**SOURCE, "light_curve": PULSE}
    simulate(configure(tmp_path / "one", sources={}).simulation)
    simulate(configure(tmp_path / "two", sources={"one": pulse}).simulation)
    tables = [fits.getdata(tmp_path / name / "events.fits", 1) for name in ("one", "two")]
    times = [table["TIME"][table["SOURCE"] == "isotropic"] for table in tables]
    np.testing.assert_array_equal(*times)


@pytest.mark.parametrize(
    "curve",
    [
        {"model": "table", "edges": [1e9, 1.1e9], "factors": [1]},
        {"model": "gaussian", "t0": 1.5e9, "sigma": 1e6},
        {"model": "exponential", "t0": 1.7e9, "decay": 1e6},
        {"model": "exponential", "t0": 1.5e9, "decay": 1e6},
        {"model": "table", "edges": [1e9, 1.61e9, 1.7e9], "factors": [1, 0]},
    ],
    ids=["table", "gaussian", "later", "earlier", "between"],
)
def test_light_curve_outside_the_epochs_is_an_error_and_writes_nothing(tmp_path, curve):
    source = {**SOURCE, "light_curve": curve}
    epochs = [{"start": 1.615e9, "stop": 1.63e9}]
    config = configure(tmp_path, sources={"one": source}, epochs=epochs)
    message = r"sources\.one\.light_curve: nothing of it lies in the time .* 1615000000\.000000 to"
    with pytest.raises(ConfigError, match=message):
        simulate(config.simulation)
    assert not list(tmp_path.iterdir())


def write_map(path, values):
    """An image of 10 by 6 deg around (80, 10) ICRS."""
    header = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 80.0, "CRVAL2": 10.0}
    header |= {"CRPIX1": 5.5, "CRPIX2": 3.5, "CDELT1": -1.0, "CDELT2": 1.0, "RADESYS": "ICRS"}
    header |= {"CUNIT1": "deg", "CUNIT2": "deg"}
    fits.writeto(path, values, fits.Header(header), overwrite=True)


def test_source_with_the_shape_of_a_map_is_recovered(tmp_path):
    values = np.zeros((6, 10))
    values[2:4, 1:3], values[2:4, 7:9] = 1.0, 3.0
    write_map(tmp_path / "map.fits", values)
    shape = {"model": "map", "path": str(tmp_path / "map.fits"), "normalise": True}
    bright = {**SOURCE, "shape": shape, "spectrum": {**SPECTRUM, "norm": "1e-15 cm-2 s-1 keV-1"}}
    config = configure(tmp_path, "counts", shape, sources={"one": bright})
    assert config.simulation.paths() == (shape["path"],)
    simulate(config.simulation)
    fit = fit_source(config)
    # three standard errors
    assert abs(fit.flux[0] - 10) < 3 * fit.flux_err[0]
    point = fit_source(configure(tmp_path, "counts", sources={"one": bright}))
    assert fit.ts[0] > point.ts[0] + 25


def test_map_with_impossible_values_is_refused_before_anything_is_written(tmp_path):
    write_map(tmp_path / "map.fits", np.full((6, 10), -1.0))
    shape = {"model": "map", "path": str(tmp_path / "map.fits")}
    config = configure(tmp_path / "new", sources={"one": {**SOURCE, "shape": shape}})
    with pytest.raises(InputError, match=r"map\.fits.*negative"):
        simulate(config.simulation)
    assert not (tmp_path / "new").exists()
