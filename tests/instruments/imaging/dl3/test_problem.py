"""Fit problems of event lists with responses, against hand sums and the injected source."""

import logging
from functools import partial

import numpy as np
import pytest

from skyquilt.config.analysis import Analysis
from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.analyses import check, prepare
from skyquilt.instruments.imaging.dl3 import response as response_module
from skyquilt.problem.dispersed import DispersedEvents
from skyquilt.problem.joint import Joint
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.spectra.models import evaluate
from skyquilt.status import GOOD, NO_EXPOSURE
from skyquilt.testing import dl3

TEV = 1e9  # keV
CENTER = {"lon": dl3.LON, "lat": dl3.LAT, "frame": "icrs"}
FAR = {**CENTER, "lat": -60}
SPECTRUM = {"model": "power_law", "norm": "1e-11 cm-2 s-1 TeV-1", "pivot": "1 TeV", "index": -2.0}
MIDDLE = lonlat_to_vec(np.array([dl3.LON]), np.array([dl3.LAT]))


def ask(data, **keys):
    settings = {"instrument": "imaging", "data": data, "spectrum": SPECTRUM, **keys}
    settings.setdefault("energy", {"range": ["1 TeV", "10 TeV"]})
    analysis = Analysis(**settings)
    return analysis.ask(analysis.all_datasets()[""], analysis.spectrum)


def problem_of(paths, *, data=None, **keys):
    paths = [str(path) for path in paths]
    return prepare(ask({"events": {"path": paths}, **(data or {})}, **keys), "").problem


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return dl3.write_dl3(tmp_path_factory.mktemp("dl3") / "run.fits")


@pytest.fixture(scope="module")
def problem(path):
    return problem_of([path])


def test_background_is_the_rate_times_time_over_the_field(problem):
    # BKG_3D in a circle of 2.5 deg: 1.5^x there, by a sum
    x, y = np.meshgrid(*2 * [np.linspace(-2.5, 2.5, 1001)])
    lon = np.degrees(np.arctan2(np.tan(np.radians(x)), 1))
    inside = np.hypot(x, y) < 2.5
    area = np.sum(1.5 ** lon[inside]) * np.radians(0.005) ** 2
    expected = dl3.RATE * 1e6 * (1 / 1 - 1 / 10) * area * dl3.TIME  # MeV-1 to TeV-1
    assert problem.background_total == pytest.approx(expected, rel=3e-3)
    energy, place = problem.expectation.energies() / TEV, problem.expectation.direction
    x, y = (np.cos(np.radians(dl3.LON)), np.sin(np.radians(dl3.LON)))
    east = np.degrees(np.arctan2(place @ [-y, x, 0], place @ MIDDLE[0]))
    density = dl3.RATE * 1e-3 * energy**-2.0 * 1.5**east * dl3.TIME
    np.testing.assert_allclose(problem.background, density, rtol=2e-3)
    assert problem.bands.edges[[0, -1], [0, 1]] == pytest.approx([TEV, 10 * TEV])
    assert problem.backgrounds[0].totals.sum() == pytest.approx(problem.background_total)


def test_total_is_area_times_livetime_times_photons_that_are_measured(problem):
    block = problem.expectation.block(MIDDLE)
    assert block.status.tolist() == [GOOD]
    # dispersion of 10 %: E^-2 keeps its form, E' = m E with the mean of m
    m = np.linspace(0.5, 1.5, 4001)
    weight = np.exp(-(((m - 1) / dl3.RESOLUTION) ** 2) / 2)
    photons = 1e-11 * np.sum(weight * m * (1 / 1 - 1 / 10)) / weight.sum()
    expected = dl3.AREA * 1e4 * dl3.TIME * (1 - dl3.DEAD) * photons
    assert block.total[0] == pytest.approx(expected, rel=4e-3)


def test_densities_equal_a_sum_over_true_energy(problem, path):
    wise = problem.expectation
    analysis = ask({"events": {"path": str(path)}})
    energy, place = wise.energies(), wise.direction
    source = lonlat_to_vec(dl3.LON + 0.55, dl3.LAT + 0.55)
    offset = np.arccos(source @ MIDDLE[0])
    true = np.geomspace(0.3, 30, 3001) * TEV
    area = dl3.AREA * 1e4 * (1 - np.degrees(offset) / 4) * dl3.TIME * (1 - dl3.DEAD)
    theta = 2 * np.arcsin(np.linalg.norm(place - source, axis=1) / 2)
    near = theta < np.radians(0.35)
    flux = evaluate(analysis.spectrum, true)
    density = np.exp(-(((energy[near, None] / true - 1) / dl3.RESOLUTION) ** 2) / 2)
    density /= np.sqrt(2 * np.pi) * dl3.RESOLUTION * true
    # between 0.75 and 1.25 deg the point spread function itself is linear
    low, high = 0.75, 1.25
    part = (np.degrees(offset) - low) / (high - low)
    psf = 0
    for degrees, share in ((low, 1 - part), (high, part)):
        sigma = np.radians(dl3.SIGMA * (1 + degrees / 2))
        psf = psf + share * np.exp(-((theta[near] / sigma) ** 2) / 2) / (2 * np.pi * sigma**2)
    expected = area * psf * np.trapezoid(flux * density, true, axis=1)

    found = wise.block(source[np.newaxis]).dense().unit_counts[0]

    assert near.sum() > 4
    np.testing.assert_allclose(found[near], expected, rtol=2e-2)


def test_nodes_contract_to_the_block(problem):
    wise = problem.expectation
    flux = wise.true_energy.flux(partial(evaluate, ask({"events": {"path": "x"}}).spectrum))
    block, found = wise.block(MIDDLE), wise.nodes(MIDDLE).contract(flux)
    np.testing.assert_allclose(found.csr().matrix.toarray(), block.matrix.toarray(), rtol=1e-9)
    np.testing.assert_allclose(found.total, block.total, rtol=1e-9)


def test_angles_between_patterns_change_little(problem, path, monkeypatch):
    """A finer step moves densities by less than 2e-3: what the product of interpolations costs."""
    monkeypatch.setattr(response_module, "_OFFSET_STEP", np.radians(0.05))
    fine = problem_of([path]).expectation
    source = lonlat_to_vec(np.array([dl3.LON + 0.4, dl3.LON]), np.array([dl3.LAT, dl3.LAT + 1.63]))
    one, other = problem.expectation.block(source), fine.block(source)
    np.testing.assert_allclose(one.total, other.total, rtol=2e-4)
    one, other = one.dense().unit_counts, other.dense().unit_counts
    bright = one > 1e-2 * one.max()
    assert bright.sum() > 2
    np.testing.assert_allclose(one[bright], other[bright], rtol=2e-2)


def draw(rng, flux, n_back):
    """A source at (LON + 0.3, LAT - 0.4) of some norm at 1 TeV [cm-2 s-1 TeV-1], and background."""
    area = dl3.AREA * 1e4 * (1 - 0.49 / 4) * dl3.TIME * (1 - dl3.DEAD)
    n = rng.poisson(flux * area * (1 / 0.4 - 1 / 40))
    true = 1 / rng.uniform(1 / 40, 1 / 0.4, n)
    sigma = dl3.SIGMA * (1 + 0.49 / 2)
    east, north = rng.normal(size=(2, n)) * sigma
    cos = np.cos(np.radians(dl3.LAT))
    back = np.exp(rng.uniform(np.log(0.5), np.log(40), n_back))
    return {
        "RA": np.append(dl3.LON + 0.3 + east / cos, dl3.LON + rng.uniform(-1, 1, n_back)),
        "DEC": np.append(dl3.LAT - 0.4 + north, dl3.LAT + rng.uniform(-1, 1, n_back)),
        "ENERGY": np.append(true * rng.normal(1, dl3.RESOLUTION, n), back),
        "TIME": rng.uniform(0, dl3.TIME, n + n_back),
    }


def test_injected_sources_are_measured(tmp_path):
    """Pulls of the flux of a bright source in three observations."""
    source = lonlat_to_vec(np.array([dl3.LON + 0.3]), np.array([dl3.LAT - 0.4]))
    rng, pulls = np.random.default_rng(5), []
    for seed in range(3):
        path = dl3.write_dl3(tmp_path / f"{seed}.fits", events=draw(rng, 2e-10, 60))
        problem = problem_of([path], data={"accept": ["totals"]})
        block = problem.expectation.block(source)
        ratio = block.unit_counts / problem.background[block.bin]
        flux = 1.0
        for _ in range(50):  # the fixed point of the maximum
            flux *= np.sum(ratio / (1 + flux * ratio)) / block.total[0]
        error = 1 / np.sqrt(np.sum((ratio / (1 + flux * ratio)) ** 2))
        pulls.append((flux - 20) / error)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(3)


def test_several_observations_are_parts_of_one_problem(tmp_path):
    one = dl3.write_dl3(tmp_path / "a.fits", OBS_ID=1)
    two = dl3.write_dl3(tmp_path / "b.fits", OBS_ID=2, DEC_PNT=dl3.LAT + 0.5, LIVETIME=500.0)
    both = problem_of([one, two], data={"accept": ["same_counts"]})
    alone = [problem_of([path]) for path in (one, two)]
    assert isinstance(both.expectation, Joint)
    assert len(both.counts) == sum(len(p.counts) for p in alone)
    assert both.background_total == pytest.approx(sum(p.background_total for p in alone))
    block = both.expectation.block(MIDDLE)
    totals = [p.expectation.block(MIDDLE).total[0] for p in alone]
    assert block.total[0] == pytest.approx(sum(totals))
    assert totals[1] / totals[0] == pytest.approx(500 / 900 * (1 - 0.5 / 4), rel=3e-3)
    assert [b.name for b in both.backgrounds] == ["1", "2"]
    assert both.bands.n_band == alone[0].bands.n_band
    np.testing.assert_allclose(both.band_totals(MIDDLE).sum(), sum(totals))


@pytest.mark.parametrize("key", ["irf", "background"])
def test_responses_may_be_in_another_file(tmp_path, problem, key):
    def bare(file):
        names = {"irf": ["EFFECTIVE AREA", "ENERGY DISPERSION", "POINT SPREAD FUNCTION"]}
        for name in [*names.get(key, []), "BACKGROUND"]:
            del file[name]

    irf = dl3.write_dl3(tmp_path / "irf.fits", is_energy_first=False)
    events = dl3.write_dl3(tmp_path / "events.fits", change=bare)
    found = problem_of([events], data={key: {"path": str(irf)}})
    np.testing.assert_allclose(found.background, problem.background, rtol=1e-5)
    assert found.background_total == pytest.approx(problem.background_total, rel=1e-6)
    block, own = found.expectation.block(MIDDLE), problem.expectation.block(MIDDLE)
    np.testing.assert_allclose(block.unit_counts, own.unit_counts, rtol=1e-4)


@pytest.mark.parametrize("frame", ["icrs", "galactic"])
@pytest.mark.parametrize(("shape", "area"), [("radius", np.pi), ("square", 4.0)])
def test_regions_cut_events_background_and_exposure(path, problem, frame, shape, area):
    from skyquilt.sky.frames import rotate, rotation, vec_to_lonlat

    lon, lat = (float(x[0]) for x in vec_to_lonlat(rotate(rotation("icrs", frame), MIDDLE)))
    center = {"lon": lon, "lat": lat, "frame": frame}
    found = problem_of(
        [path], data={"region": {shape: 1.0, "center": center}, "lost_fraction": 0.1}
    )
    assert 0 < len(found.counts) < len(problem.counts)
    expected = dl3.RATE * 1e6 * 0.9 * area * np.radians(1) ** 2 * dl3.TIME
    # 1.5^x in the mean over the region: 1 + 0.16 <x^2> / 2
    assert found.background_total == pytest.approx(expected, rel=4e-2)
    far = lonlat_to_vec(np.array([dl3.LON, dl3.LON]), np.array([dl3.LAT + 0.1, dl3.LAT + 0.95]))
    assert found.expectation.block(far).status.tolist() == [GOOD, NO_EXPOSURE]


def test_background_scale_and_interval_are_proportional(path, problem):
    scaled = problem_of([path], data={"background": {"scale": 1.25}})
    assert scaled.background_total == pytest.approx(1.25 * problem.background_total)
    np.testing.assert_allclose(scaled.background, 1.25 * problem.background)
    start, stop = problem.description.time_span
    half = problem_of([path], data={"interval": [start, (start + stop) / 2]})
    assert half.background_total == pytest.approx(problem.background_total / 2, rel=1e-6)
    total = half.expectation.block(MIDDLE).total[0]
    assert total == pytest.approx(problem.expectation.block(MIDDLE).total[0] / 2, rel=1e-6)
    assert len(half.counts) < len(problem.counts)


def test_fluxes_below_zero_are_bound(path):
    found = problem_of([path], fit={"allow_negative": True}).expectation
    assert isinstance(found, DispersedEvents)
    most = found.most_between(MIDDLE)[0]
    # a source of unit norm: area, time, point spread over the background, about as steep
    sigma = np.radians(dl3.SIGMA)
    expected = 1e-20 * dl3.AREA * 1e4 * 0.9 / (2 * np.pi * sigma**2) / (dl3.RATE * 1e-3)
    assert 0.5 * expected < most < 1.1 * expected


def test_energies_left_out_are_those_that_can_be_trusted(tmp_path):
    def change(file):
        file["EFFECTIVE AREA"].header.update({"LO_THRES": 0.7, "HI_THRES": 30.0})

    path = dl3.write_dl3(tmp_path / "run.fits", change=change)
    found = problem_of([path], energy={})
    assert found.description.energy_range_keV == pytest.approx((0.7 * TEV, 30 * TEV))


def test_energies_that_cannot_be_trusted_are_warned_of(tmp_path, caplog):
    def change(file):
        file["EFFECTIVE AREA"].header.update({"LO_THRES": 2.0, "HI_THRES": 30.0})

    with caplog.at_level(logging.WARNING):
        problem_of([dl3.write_dl3(tmp_path / "run.fits", change=change)])
    assert "safe from 2e+09 to 3e+10 keV" in caplog.text


def test_bands_are_those_that_are_asked_for(path):
    found = problem_of([path], energy={"bands": ["1 TeV", "3 TeV", "9 TeV"]})
    assert found.bands.n_band == 2
    np.testing.assert_allclose(found.bands.edges, np.array([[1, 3], [3, 9]]) * TEV)
    above = found.expectation.energies() > 3 * TEV
    np.testing.assert_array_equal(found.bands.of_hit, above.astype(int))


def test_check_says_what_was_found(path):
    text = check(ask({"events": {"path": str(path)}})).found
    assert text.startswith("good; ")
    assert "frame icrs" in text


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"RA_PNT": None}, "needs the keyword RA_PNT"),
        ({"DEC_PNT": "north"}, "needs the keyword DEC_PNT, a number; it is 'north'"),
        ({"DEC_PNT": 95.0}, "no direction on the sky"),
        ({"LIVETIME": 2000.0}, "LIVETIME is 2000 s, the good time 1000 s"),
        ({"LIVETIME": 0.0}, "LIVETIME is 0 s"),
        ({"OBS_MODE": "DRIFT"}, "OBS_MODE is 'DRIFT'"),
        ({"RA_PNT": dl3.LON + 90}, "none of 400 events lies in the region"),
    ],
)
def test_bad_observations_are_one_error(tmp_path, keys, message):
    path = dl3.write_dl3(tmp_path / "run.fits", **keys)
    with pytest.raises(InputError, match=message):
        problem_of([path])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"energy": {"range": ["0.01 TeV", "1 TeV"]}}, "the background covers 1e.08 to 1e.11 keV"),
        (
            {"data": {"region": {"radius": 1, "center": {**CENTER, "lat": -60}}}},
            "none of 400 events",
        ),
    ],
)
def test_bad_choices_are_one_error(path, settings, message):
    with pytest.raises(InputError, match=message):
        problem_of([path], **settings)


def test_events_without_background_are_refused(tmp_path):
    def change(file):
        file["BACKGROUND"].data["BKG"][0, :13] = 0

    with pytest.raises(InputError, match="events lie where the expected background is 0, as one"):
        problem_of([dl3.write_dl3(tmp_path / "run.fits", change=change)])


def test_point_spread_that_is_not_known_where_photons_are_is_refused(tmp_path):
    def change(file):
        file["POINT SPREAD FUNCTION"].data["RPSF"][0, :, :, 8:14] = np.nan

    with pytest.raises(InputError, match="PSF or EDISP is not known"):
        problem_of([dl3.write_dl3(tmp_path / "run.fits", change=change)])


def test_channels_and_simulated_skies_are_refused(path):
    with pytest.raises(ConfigError, match="events have no channels"):
        problem_of([path], energy={"channels": [0, 2]})
    with pytest.raises(ConfigError, match="cannot be simulated: remove `calibrate`"):
        prepare(ask({"events": {"path": str(path)}}), "", all_bins=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"events": {"path": []}}, "at least 1"),
        ({"events": {"path": ["a", "./a"]}}, "is there twice"),
        ({"events": {"path": "a"}, "region": {"center": CENTER}}, "give `radius` of a circle or"),
        (
            {"events": {"path": "a"}, "region": {"center": CENTER, "radius": 1, "square": 1}},
            "give `radius` of a circle or",
        ),
        ({"events": {"path": "a"}, "irf": {"path": "b", "unit": "m2"}}, "unit"),
        ({"events": {"path": "a"}, "background": {"scale": 0}, "irf": {"path": "b"}}, "greater"),
    ],
)
def test_bad_settings_are_refused(data, message):
    with pytest.raises(ValueError, match=message):
        ask(data)


def test_time_bins_are_refused():
    from skyquilt.config.dataset import Dataset

    bins = {"step": "10 s"}
    with pytest.raises(ValueError, match="time_bins"):
        Dataset(instrument="imaging", data={"events": {"path": "a"}}, time_bins=bins)


def test_extended_sources_are_sums_of_points(path, problem):
    shape = {"model": "disk", "radius": 0.2}
    found = problem_of([path], shape=shape).expectation
    block, point = found.block(MIDDLE), problem.expectation.block(MIDDLE)
    assert block.total[0] == pytest.approx(point.total[0], rel=0.05)
    assert block.bin.size > point.bin.size


def test_shapes_wider_than_the_field_are_refused(path):
    with pytest.raises(InputError, match="its brightness reach"):
        problem_of([path], shape={"model": "disk", "radius": 4.0})


def test_events_of_two_data_sets_count_once(tmp_path, path):
    import shutil

    from skyquilt.instruments.same_counts import check_counts_once

    copy = shutil.copy(path, tmp_path / "copy.fits")
    one, two = (
        {"instrument": "imaging", "data": {"events": {"path": str(p)}}} for p in (path, copy)
    )
    analysis = Analysis(datasets={"one": one, "two": two}, spectrum=SPECTRUM)
    same = problem_of([path])
    with pytest.raises(InputError, match="photons in common"):
        check_counts_once(analysis, {"one": same, "two": same})
