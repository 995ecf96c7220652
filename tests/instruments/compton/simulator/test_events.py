import numpy as np
import pytest

from skyquilt.config.light_curve import GaussianLightCurve
from skyquilt.config.shape import Disk
from skyquilt.instruments.compton.simulator.background import (
    background_photons,
    fold,
    local_weights,
)
from skyquilt.instruments.compton.simulator.cones import make_cones
from skyquilt.instruments.compton.simulator.events import EventSampler
from skyquilt.instruments.compton.simulator.exposure import exposures
from skyquilt.instruments.compton.simulator.telescope import arm_fwhm
from skyquilt.sky.frames import lonlat_to_vec, rotation, separation
from skyquilt.sky.healpix import vec_to_ring
from skyquilt.sky.shapes import to_nodes

CRAB = lonlat_to_vec(184.5551, -5.7877)
PHOTONS = np.array([8.0, 6.0])


@pytest.fixture(scope="module")
def sampler(instrument, orbit, orientation):
    span = orientation.time[0], orientation.time[-1]
    return EventSampler(instrument, orbit, orientation, span, np.random.default_rng(3))


@pytest.fixture(scope="module")
def crab(sampler):
    return sampler.point_source(CRAB, PHOTONS)


def test_point_source_events_binned_follow_the_expectation(crab, instrument, orientation):
    exposure = exposures(orientation, orientation.livetime, CRAB[None])[0]
    expected = instrument.expect(exposure * instrument.images.draw(CRAB), PHOTONS)
    _check_chi2(_binned(crab, crab.scattered, instrument), expected)


def test_background_events_binned_follow_the_expectation(sampler, instrument, orientation):
    photons = background_photons(instrument, orientation, 2, rate=40.0)
    events = sampler.background(photons, 2)
    local = np.einsum("nij,nj->ni", events.axes, events.scattered)
    weights = local_weights(orientation, orientation.livetime, 2)
    expected = instrument.expect(fold(weights[None], 2, instrument.images)[0], photons)
    _check_chi2(_binned(events, local, instrument), expected)


def test_events_are_sorted_and_only_while_the_detector_is_live(crab, orientation):
    assert np.all(np.diff(crab.time) >= 0)
    record = np.searchsorted(orientation.time, crab.time, side="right") - 1
    assert np.all(orientation.livetime[record] > 0)


def test_events_of_an_interval_lie_in_it(instrument, orbit, orientation):
    interval = orientation.time[0] + 3.0, orientation.time[0] + 100.0
    sampler = EventSampler(instrument, orbit, orientation, interval, np.random.default_rng(3))
    events = sampler.background(np.array([0.5, 0.5]), 1)
    assert events.time.size > 100
    assert interval[0] <= events.time.min() < events.time.max() < interval[1]


def test_arm_of_events_has_the_width_of_the_resolution(crab):
    in_bin = crab.energy > 300  # from true energies of 300 keV to 1 MeV only, but for the leak
    arm = separation(crab.scattered, CRAB)[in_bin] - np.degrees(crab.phi[in_bin])
    counts, edges = np.histogram(arm, np.arange(-15, 15.1, 0.5))
    wide = edges[:-1][counts > counts.max() / 2]
    assert arm_fwhm(1000.0) < np.ptp(wide) + 0.5 < arm_fwhm(300.0)


def test_scattered_angles_of_narrow_cones_equal_the_compton_angle():
    cones = make_cones(np.array([9000.0, 9001.0]), 18)
    prob = cones.density[0, 72] / cones.density[0, 72].max()  # Phi of 90 deg
    assert np.degrees(cones.angles[prob > 0.5]).mean() == pytest.approx(90.6, abs=0.3)


def _binned(events, directions, instrument):
    sample = [events.energy, np.degrees(events.phi), vec_to_ring(2, directions)]
    bins = [instrument.edges, instrument.phi_edges, np.arange(49) - 0.5]
    return np.histogramdd(np.column_stack(sample), bins)[0]


def _check_chi2(counts, expected):
    used = expected > 10
    chi2 = np.sum((counts[used] - expected[used]) ** 2 / expected[used])
    # five sigma; the expectation is a sum over parts of pixels, exact to about 1 %
    assert abs(chi2 - used.sum()) < 5 * np.sqrt(2 * used.sum())
    assert used.sum() > 100


def test_events_of_an_extended_source_follow_its_expectation(sampler, instrument, orientation):
    shape = Disk(model="disk", radius=15)
    nodes = to_nodes(shape)
    points = nodes.around(CRAB[None], rotation("icrs", "galactic")[:, 2])[0]
    exposure = nodes.weight * exposures(orientation, orientation.livetime, points)
    image = sum(
        part * instrument.images.draw(point) for part, point in zip(exposure, points, strict=True)
    )
    events = sampler.extended_source(CRAB, shape, PHOTONS)
    _check_chi2(_binned(events, events.scattered, instrument), instrument.expect(image, PHOTONS))


def test_times_of_events_follow_the_light_curve(instrument, orbit, orientation):
    start = float(orientation.time[0])
    interval = (start, start + 600.0)
    curve = GaussianLightCurve(model="gaussian", t0=start + 300, sigma=40)
    sampler = EventSampler(instrument, orbit, orientation, interval, np.random.default_rng(4))
    zenith = orientation.z[20]
    events = sampler.point_source(zenith, 10 * PHOTONS, curve)
    # the attitude changes little within 40 s
    assert abs(np.mean(events.time) - start - 300) < 4 * 40 / np.sqrt(events.time.size) + 3
    assert np.std(events.time) == pytest.approx(40, rel=0.1)
    steady = EventSampler(instrument, orbit, orientation, interval, np.random.default_rng(4))
    n_steady = steady.point_source(zenith, 10 * PHOTONS).time.size
    assert events.time.size / n_steady == pytest.approx(40 * np.sqrt(2 * np.pi) / 600, rel=0.2)
