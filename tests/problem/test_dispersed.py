"""Events whose energies are measured with some width, against a sum over true energy in NumPy."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from skyquilt.config.spectrum import LogParabola, PowerLaw
from skyquilt.io.provenance import Provenance
from skyquilt.problem import Description, FitProblem
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.dispersed import DispersedEvents
from skyquilt.problem.event_response import EventResponse
from skyquilt.problem.file import check_rows, read_problem, write_problem
from skyquilt.problem.joint import Joint, Part
from skyquilt.problem.offset_grid import OffsetGrid
from skyquilt.problem.profiles import linear_integral
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.frames import lonlat_to_vec, separation
from skyquilt.spectra.models import evaluate
from skyquilt.status import GOOD, NO_EXPOSURE

POINTING = lonlat_to_vec(40.0, 10.0)
OFFSET = np.radians([0.0, 1.0, 2.5])
EDGES = np.geomspace(50, 5000, 33)
MIDDLE = np.sqrt(EDGES[1:] * EDGES[:-1])
MEASURED = np.geomspace(100, 1000, 81)
THETA = np.radians(np.linspace(0, 1, 200) ** 2 * 6)
WIDTH = 0.15  # of the dispersion, in the logarithm
SPECTRUM = PowerLaw(model="power_law", norm="1e-6 cm-2 s-1 keV-1", pivot="300 keV", index=-2.2)
NEAR = lonlat_to_vec(np.array([40.0, 40.6, 38.5, 41.0]), np.array([10.0, 9.8, 10.7, 12.0]))
FAR = lonlat_to_vec(np.array([40.0, 220.0]), np.array([13.0, -10.0]))
N = 3000


def normal(x, width):
    return np.exp(-((x / width) ** 2) / 2) / (np.sqrt(2 * np.pi) * width)


def make_response():
    """Response that changes with the angle: fewer photons, a wider point spread, a shift."""
    area = 1e6 * (1 - OFFSET[:, None] / OFFSET[-1] / 2) * (MIDDLE / 300) ** 0.5
    shift = 0.05 * OFFSET[:, None, None] / OFFSET[-1]
    at = np.log(MEASURED[:, None] / MIDDLE) - shift
    dispersion = np.where(np.abs(at) < 4 * WIDTH, normal(at, WIDTH), 0) / MEASURED[:, None]
    sigma = np.radians(0.3) * (1 + OFFSET[:, None] / OFFSET[-1]) * (MIDDLE / 300) ** -0.3
    profile = np.exp(-((THETA / sigma[..., None]) ** 2) / 2) / (2 * np.pi * sigma[..., None] ** 2)
    profile /= linear_integral(THETA, profile.reshape(-1, THETA.size)).reshape(3, -1, 1)
    half = len(MEASURED) // 2
    halves = [slice(half + 1), slice(half, None)]
    seen = [np.trapezoid(dispersion[:, one], MEASURED[one], axis=1) for one in halves]
    axis = TrueEnergy.of_bins(EDGES)
    return EventResponse(axis, area, MEASURED, dispersion, np.array(seen), THETA, profile)


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(1)
    direction = POINTING + rng.normal(size=(N, 3)) * np.radians(1.2)
    direction /= np.linalg.norm(direction, axis=1)[:, np.newaxis]
    buckets, order = Buckets.sort(32, direction)
    response = make_response()
    flux = response.axis.flux(partial(evaluate, SPECTRUM))
    return DispersedEvents(
        direction=np.ascontiguousarray(direction[order]),
        energy_node=response.nodes(np.geomspace(100, 1000, N))[rng.permutation(N)],
        buckets=buckets,
        weights=OffsetGrid(POINTING, OFFSET, np.empty((0, 4))),
        response=response,
        flux=flux,
        reach=response.reach(flux, 1e-4),
    )


def slow_density(events, direction):
    """e_i(p) of all events: sums over angles of the response and over true energy."""
    response, energy = events.response, events.energies()
    weights = events.weights.at(direction[np.newaxis])[0]
    theta = np.radians(separation(events.direction, direction))
    found = np.zeros(events.n_hit)
    for o, weight in enumerate(weights):
        for k, flux in enumerate(events.flux):
            steep = response.dispersion[o, :, k] * MEASURED**2.5
            density = np.interp(np.log(energy), np.log(MEASURED), steep) * energy**-2.5
            psf = np.interp(theta, THETA, response.profile[o, k])
            found += weight * flux * response.area[o, k] * density * psf
    return found


def test_densities_equal_a_sum_over_true_energy(events):
    block = events.block(NEAR).dense()

    assert np.count_nonzero(block.unit_counts) > 400
    for row, direction in zip(block.unit_counts, NEAR, strict=True):
        expected = slow_density(events, direction)
        seen = row > 0
        # steps of the table; beyond the reach of either angle there is next to nothing
        np.testing.assert_allclose(row[seen], expected[seen], rtol=1e-3, atol=1e-4 * expected.max())
        assert np.all(expected[~seen] < 1e-3 * expected.max())
        assert expected[seen].sum() > 0.998 * expected.sum()


def test_tables_agree_with_the_dispersion_itself(events):
    # the sum over nodes and linear steps against the integral over a normal distribution
    direction = NEAR[0]
    fine = np.geomspace(50, 5000, 801)
    energy, theta = events.energies(), np.radians(separation(events.direction, direction))
    sigma = np.radians(0.3) * (fine / 300) ** -0.3
    psf = np.exp(-((theta[:, None] / sigma) ** 2) / 2) / (2 * np.pi * sigma**2)
    dispersion = normal(np.log(energy[:, None] / fine), WIDTH) / energy[:, None]
    kernel = evaluate(SPECTRUM, fine) * 1e6 * (fine / 300) ** 0.5 * dispersion * psf
    expected = np.trapezoid(kernel, fine, axis=1)

    row = events.block(direction[np.newaxis]).dense().unit_counts[0]

    core = theta < np.radians(0.6)
    assert core.sum() > 30
    np.testing.assert_allclose(row[core], expected[core], rtol=1e-2)


def test_each_event_is_there_once_and_in_order(events):
    block = events.block(NEAR)
    for bins in np.split(block.bin, block.indptr[1:-1]):
        assert np.all(np.diff(bins) > 0)


@pytest.mark.parametrize("directions", [NEAR, NEAR[:1], NEAR[[1, 1, 0]], np.empty((0, 3)), FAR])
def test_nodes_contract_to_the_block(events, directions):
    block, nodes = events.block(directions), events.nodes(directions)

    found = nodes.contract(events.flux)

    np.testing.assert_allclose(
        found.csr().matrix.toarray(), block.matrix.toarray(), rtol=1e-9, atol=0
    )
    np.testing.assert_allclose(found.total, block.total, rtol=1e-12)
    np.testing.assert_array_equal(found.status, block.status)
    np.testing.assert_allclose(
        nodes.band_totals(events.flux), events.band_totals(directions), rtol=1e-12
    )


def test_nodes_are_kept_only_where_the_dispersion_is_not_0(events):
    nodes = events.nodes(NEAR)
    row, event = (
        np.repeat(np.arange(len(nodes.bands)), np.diff(nodes.block.indptr)),
        nodes.block.bin,
    )
    apart = np.log(events.energies()[event] / MIDDLE[row % len(MIDDLE)])
    assert np.abs(apart).max() < 4 * WIDTH + 0.1
    # about 18 of 32 nodes
    assert event.size < 0.65 * len(MIDDLE) * events.block(NEAR).bin.size


def test_another_spectrum_is_that_of_the_nodes(events):
    other = LogParabola(
        model="log_parabola", norm="2e-6 cm-2 s-1 keV-1", pivot="200 keV", index=-1.9, curvature=0.2
    )
    flux = events.true_energy.flux(partial(evaluate, other))

    block, found = events.with_spectrum(flux).block(NEAR), events.nodes(NEAR).contract(flux)

    np.testing.assert_allclose(block.matrix.toarray(), found.matrix.toarray(), rtol=1e-9)
    np.testing.assert_allclose(block.total, found.total, rtol=1e-12)


def test_derivatives_by_the_index_are_those_of_differences(events):
    def flux(index):
        return events.true_energy.flux(lambda e: 1e-6 * (e / 300) ** index)

    slope = events.true_energy.flux(lambda e: 1e-6 * (e / 300) ** -2.2 * np.log(e / 300))
    found = events.nodes(NEAR).contract(slope)
    step = 1e-4
    high, low = (events.with_spectrum(flux(-2.2 + d)).block(NEAR) for d in (step, -step))

    difference = (high.matrix - low.matrix).toarray() / (2 * step)
    scale = np.abs(difference).max()
    np.testing.assert_allclose(found.matrix.toarray(), difference, rtol=1e-6, atol=1e-7 * scale)
    np.testing.assert_allclose(found.total, (high.total - low.total) / (2 * step), rtol=1e-6)


def test_bands_add_up_to_the_total(events):
    totals = events.band_totals(NEAR)
    assert totals.shape == (4, 2)
    np.testing.assert_allclose(totals.sum(axis=1), events.block(NEAR).total, rtol=1e-12)


def test_density_integrates_to_the_total(events):
    # events on a grid of places and energies stand for the integral over both
    direction, energy = NEAR[1], np.geomspace(100, 1000, 21)
    step = np.radians(0.08)
    x, y = np.meshgrid(*2 * [np.arange(-30, 31) * step])
    east = np.cross([0, 0, 1.0], direction)
    east /= np.linalg.norm(east)
    north = np.cross(direction, east)
    place = direction + x.reshape(-1, 1) * east + y.reshape(-1, 1) * north
    place /= np.linalg.norm(place, axis=1)[:, np.newaxis]
    solid = step**2 / (1 + (x**2 + y**2).ravel()) ** 1.5
    buckets, order = Buckets.sort(32, place)
    place, solid = np.ascontiguousarray(place[order]), solid[order]

    def total(at):
        found = replace(
            events,
            direction=place,
            energy_node=np.full(len(place), events.response.nodes(at)),
            buckets=buckets,
        ).block(direction[np.newaxis])
        return found.dense().unit_counts[0] @ solid

    integral = np.trapezoid([total(one) for one in energy], energy)
    assert integral == pytest.approx(events.block(direction[np.newaxis]).total[0], rel=5e-3)


def test_directions_beyond_the_response_are_not_exposed(events):
    assert events.block(NEAR).status.tolist() == [GOOD] * 4
    block = events.block(FAR)
    assert block.status.tolist() == [NO_EXPOSURE] * 2
    assert not block.total.any()
    assert not block.bin.size


def test_borders_of_the_known_directions_are_kept(events):
    side = np.append(lonlat_to_vec(129.9, 0.0), 0.0)  # known from longitude 39.9 deg on
    weights = replace(events.weights, sides=side[np.newaxis])
    status = replace(events, weights=weights).block(NEAR).status
    assert status.tolist() == [GOOD, GOOD, NO_EXPOSURE, GOOD]


def test_one_pattern_on_the_sky_follows_its_weights(events):
    own = events.response
    response = replace(
        own,
        area=own.area[:1],
        dispersion=own.dispersion[:1],
        seen=own.seen[:, :1],
        profile=own.profile[:1],
    )
    rng = np.random.default_rng(3)
    grid = HealpixGrid(4, rng.uniform(1, 2, (192, 1)))
    found = replace(events, weights=grid, response=response, reach=events.reach[:1])
    center = events.block(NEAR[:1])  # where the telescope points, all is of that pattern
    block = found.block(NEAR[:1])
    np.testing.assert_allclose(
        block.unit_counts, grid.at(NEAR[:1])[0, 0] * center.unit_counts, rtol=1e-12
    )
    assert block.status.tolist() == [GOOD]


def test_some_of_the_events_have_what_they_had(events):
    bins = np.arange(0, N, 3)
    some = events.select_bins(bins).block(NEAR)
    every = events.block(NEAR)
    np.testing.assert_array_equal(some.matrix.toarray(), every.matrix.toarray()[:, bins])
    np.testing.assert_array_equal(some.total, every.total)


def test_events_beside_others_have_nodes_of_both(events):
    joint = Joint((Part(events, "icrs"), Part(events.select_bins(np.arange(50)), "icrs")), "icrs")
    flux = np.concatenate([events.flux, events.flux])
    found, block = joint.nodes(NEAR).contract(flux), joint.block(NEAR)
    np.testing.assert_allclose(found.csr().matrix.toarray(), block.csr().matrix.toarray())
    np.testing.assert_allclose(found.total, block.total)


@pytest.mark.parametrize("weights", ["offset", "healpix"])
def test_what_is_written_is_read(events, tmp_path, weights):
    if weights == "healpix":
        values = np.random.default_rng(1).uniform(1, 2, (192, 3))
        grid = HealpixGrid(4, values)
        events = replace(events, weights=grid, most=HealpixGrid(1, np.ones((12, 1))))
    problem = FitProblem(
        counts=np.ones(N),
        background=np.ones(N),
        expectation=events,
        frame="icrs",
        photon_flux=1.0,
        description=Description("imaging", "", (100.0, 1000.0)),
    )
    path = tmp_path / "problem.h5"
    write_problem(path, problem, Provenance("prepare"))
    found = read_problem(path).expectation
    check_rows(path)
    for name in ("unit_counts", "bin", "total", "status"):
        np.testing.assert_array_equal(
            getattr(found.block(NEAR), name), getattr(events.block(NEAR), name)
        )
    np.testing.assert_array_equal(found.most_between(NEAR), events.most_between(NEAR))


def test_limits_of_fluxes_below_zero_are_of_one_spectrum(events):
    bound = replace(events, most=HealpixGrid(1, np.ones((12, 1))))
    with pytest.raises(ValueError, match="reference spectrum only"):
        bound.with_spectrum(events.flux)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("direction", lambda v: v[:5], r"direction: shape \(5, 3\)"),
        ("energy_node", lambda v: v + 80, "energy_node: allowed are 0 to 80"),
        ("flux", lambda v: v[1:], r"flux: shape \(31,\)"),
        ("reach", lambda v: v[1:], "reach: shape"),
        ("weights", lambda _: HealpixGrid(1, np.ones((12, 2))), "of 2 patterns, not 3"),
    ],
)
def test_events_that_do_not_fit_are_refused(events, name, change, message):
    with pytest.raises(ValueError, match=message):
        replace(events, **{name: change(getattr(events, name))})


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("area", lambda v: -v, "area: allowed are finite values of 0 or more"),
        ("profile", lambda v: v * np.nan, "profile: allowed are finite"),
        ("dispersion", lambda v: v[:, :5], "dispersion: shape"),
        ("seen", lambda v: v[:, :1], "seen: shape"),
        ("measured", lambda v: v[::-1], "measured: values must ascend"),
        ("theta", lambda v: v + 0.1, "angles from 0 to pi"),
    ],
)
def test_responses_that_do_not_fit_are_refused(events, name, change, message):
    own = events.response
    with pytest.raises(ValueError, match=message):
        replace(own, **{name: change(getattr(own, name))})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pointing": np.ones(2)}, "pointing"),
        ({"offset": np.array([0.0, 0.2, 0.1])}, "offset: allowed are ascending"),
        ({"sides": np.ones((1, 3))}, "sides"),
    ],
)
def test_weights_that_do_not_fit_are_refused(change, message):
    good = OffsetGrid(POINTING, OFFSET, np.empty((0, 4)))
    with pytest.raises(ValueError, match=message):
        replace(good, **change)
