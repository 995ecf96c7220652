"""Sources in cells of data sets, against plain sums, closed forms, and other cuts and orders."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.model import (
    Background,
    CellLikelihood,
    Fixed,
    Free,
    Layer,
    Offset,
    Posterior,
    Source,
    fit,
    one_axis,
)
from skyquilt.model.problem import ModelProblem
from skyquilt.model.shapes import gaussian
from skyquilt.problem.cells import CellData
from skyquilt.problem.cells.table import CellTable
from skyquilt.problem.true_energy import TrueEnergy
from skyquilt.sky.frames import lonlat_to_vec, rotation
from skyquilt.sky.healpix import interp_ring, ring_to_vec

N_CELL, N_COLUMN, N_NODE, NSIDE = 4, 30, 3, 2
ANGLE = 0.05
LON, LAT = 40.0, 25.0


def power_law(energy, norm, index):
    return norm * (energy / 100) ** index


SOURCE = Source("a", power_law, ("norm", "index"))


def make_data(name="", seed=1, n_cell=N_CELL, components=("",), frame="galactic"):
    """A table with an attitude of its own in each cell."""
    rng = np.random.default_rng(seed)
    n_row = 12 * NSIDE**2
    # smooth over the sky, so that differences tell derivatives
    place = ring_to_vec(NSIDE, np.arange(n_row))
    slope = rng.normal(size=(N_NODE, 3, N_COLUMN))
    rows = np.exp(0.4 * np.einsum("rj,kjc->krc", place, slope)).astype(np.float32)
    axis = TrueEnergy.of_bins(np.array([50.0, 200.0, 800.0, 3000.0]))
    turn = np.radians(7.0 * np.arange(2 * n_cell))
    zero, one = np.zeros_like(turn), np.ones_like(turn)
    matrix = [
        [np.cos(turn), np.sin(turn), zero],
        [-np.sin(turn), np.cos(turn), zero],
        [zero, zero, one],
    ]
    table = CellTable(
        *(axis, np.arange(n_row), rows, 1.5 * rows.sum(axis=2, dtype=float), NSIDE, n_cell),
        *(rng.uniform(0.5, 2, 2 * n_cell), np.repeat(np.arange(n_cell), 2)),
        rotation=np.ascontiguousarray(np.transpose(matrix, (2, 0, 1))),
    )
    counts = rng.poisson(1.5, (n_cell, N_COLUMN))
    cell, column = np.nonzero(counts)
    background = rng.uniform(1.0, 3.0, (len(components), N_COLUMN))
    edges = 1.8e9 + np.arange(n_cell + 1.0)
    return CellData(
        *(name, frame, edges[:-1], edges[1:], np.ones(n_cell), cell, column),
        *(counts[cell, column].astype(float), components, background),
        *(2 * background.sum(axis=1), rng.dirichlet(np.ones(n_cell)), table, ANGLE),
    )


def quantities(**changes):
    values = {
        "a.lon": LON,
        "a.lat": LAT,
        "a.flux": np.array([1.0, 0.2, 3.0, 0.5]),
        "a.norm": 2e-3,
        "a.index": -1.7,
        "b.norm": 1.1,
    } | changes
    return {name: np.asarray(value, float) for name, value in values.items()}


def plain(data, values, directions=None):
    """ln L by sums over cells, hits, samples, nodes and neighbours, one by one."""
    table, total = data.expectation, 0.0
    directions = (
        lonlat_to_vec(values["a.lon"], values["a.lat"]) if directions is None else directions
    )
    for cell in range(data.n_cell):
        here = {name: v[cell] if np.ndim(v) else v for name, v in values.items()}
        phi = table.axis.flux(lambda e, h=here: power_law(e, h["a.norm"], h["a.index"]))
        direction = directions[cell] if np.ndim(directions) == 2 else directions
        weight = np.zeros(len(table.row))
        for sample in np.flatnonzero(table.sample_cell == cell):
            seen = table.rotation[sample] @ direction
            ipix, fraction = interp_ring(NSIDE, seen[np.newaxis])
            np.add.at(weight, ipix[0], fraction[0] * table.weight[sample])
        source = np.einsum("r,k,krc->c", weight, phi, table.rows.astype(float))
        mu = here["a.flux"] * source + here["b.norm"] * data.fraction[cell] * data.background[0]
        own = data.cell == cell
        total += data.counts[own] @ np.log(mu[data.column[own]])
        total -= here["a.flux"] * (phi @ table.totals @ weight)
        total -= here["b.norm"] * data.fraction[cell] * data.background_total[0]
    return total


def likelihood(datasets, sources=(SOURCE,), offsets=(), quantity="b.norm"):
    factors = [Background(quantity, one.name, part) for one in datasets for part in one.components]
    return CellLikelihood(datasets, sources, factors, offsets)


def test_value_is_the_plain_sum():
    data = make_data()
    assert likelihood([data]).value(quantities()) == pytest.approx(
        plain(data, quantities()), rel=1e-12
    )


def test_spectrum_and_background_of_each_cell_are_the_plain_sum():
    data = make_data()
    values = quantities(**{"a.index": [-1.0, -2, -3, -1.5], "b.norm": [1.0, 2, 0.5, 1]})
    assert likelihood([data]).value(values) == pytest.approx(plain(data, values), rel=1e-12)


def test_position_of_each_cell_is_the_plain_sum():
    data = make_data()
    lon, lat = np.array([40.0, 90.0, 359.0, -20.0]), np.array([25.0, -60.0, 89.9, 0.0])
    values = quantities(**{"a.lon": lon, "a.lat": lat})
    found = likelihood([data]).value(values)
    assert found == pytest.approx(plain(data, values, lonlat_to_vec(lon, lat)), rel=1e-12)


@pytest.mark.parametrize("is_per_cell", [False, True])
def test_gradient_is_that_of_differences(is_per_cell):
    data = make_data()
    surface, values = likelihood([data]), quantities()
    if is_per_cell:
        wide = np.ones(N_CELL)
        values = {name: value * wide for name, value in values.items()}
    gradient = surface.derivatives(values).gradient
    for number, name in enumerate(surface.names):
        # derivatives by positions are differences themselves, over this angle
        angle = ANGLE / np.cos(np.radians(LAT)) if name == "a.lon" else ANGLE
        size = 0.02 * angle if name in ("a.lon", "a.lat") else 1e-5 * np.max(np.abs(values[name]))
        ends = [values | {name: values[name] + sign * size} for sign in (1, -1)]
        slope = (plain(data, ends[0]) - plain(data, ends[1])) / (2 * size)
        tolerance = 1e-4 if name in ("a.lon", "a.lat") else 1e-6
        assert gradient[:, number].sum() == pytest.approx(slope, rel=tolerance), name


def test_curvature_is_that_of_gauss_and_newton():
    data = make_data()
    surface, values = likelihood([data]), quantities()
    curvature = surface.derivatives(values).curvature
    [mu] = surface.expected_hits(values)
    number = surface.names.index("b.norm")
    for cell in range(N_CELL):
        own = data.cell == cell
        b = data.hit_backgrounds[0][own]
        wanted = np.sum(data.counts[own] * (b / mu[own]) ** 2)
        assert curvature[cell, number, number] == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_array_equal(curvature, np.swapaxes(curvature, 1, 2))
    assert np.all(np.linalg.eigvalsh(curvature) > -1e-9 * np.abs(curvature).max())


def test_narrow_gives_the_same_derivatives():
    surface, values = likelihood([make_data()]), quantities()
    wide = surface.derivatives(values)
    few = surface.narrow(["a.lat", "b.norm"])
    found = few.derivatives(values)
    where = [surface.names.index(name) for name in few.names]
    assert few.value(values) == surface.value(values)
    np.testing.assert_allclose(found.gradient, wide.gradient[:, where], rtol=1e-12)
    inner = wide.curvature[:, where][:, :, where]
    np.testing.assert_allclose(found.curvature, inner, rtol=1e-12)


def test_narrow_to_nothing_gives_values():
    surface, values = likelihood([make_data()]), quantities()
    assert surface.narrow([]).value(values) == surface.value(values)
    assert surface.narrow([]).derivatives(values).gradient.shape == (N_CELL, 0)


def test_batch_is_one_point_after_the_other():
    surface, rng = likelihood([make_data()]), np.random.default_rng(2)
    rows = [quantities(**{"a.flux": rng.uniform(0, 2, N_CELL), "a.lon": 40 + k}) for k in range(3)]
    stacked = {name: np.stack([np.atleast_1d(row[name]) for row in rows]) for name in rows[0]}
    np.testing.assert_allclose(
        surface.batch(stacked), [surface.value(row) for row in rows], rtol=1e-13
    )


def test_cut_into_data_sets_and_their_order_do_not_matter():
    data = make_data()
    names = {"low": slice(0, 2), "high": slice(2, 4)}
    parts = [replace(data.take(cells), name=name) for name, cells in names.items()]
    values = quantities()
    whole = likelihood([data])
    both, turned = likelihood(parts), likelihood(parts[::-1])
    assert both.value(values) == pytest.approx(whole.value(values), rel=1e-13)
    moved = values | {"a.flux": np.roll(values["a.flux"], 2)}
    assert turned.value(moved) == pytest.approx(whole.value(values), rel=1e-13)
    gradient = whole.derivatives(values).gradient
    np.testing.assert_allclose(both.derivatives(values).gradient, gradient, rtol=1e-10)
    np.testing.assert_allclose(
        turned.derivatives(moved).gradient, np.roll(gradient, 2, axis=0), rtol=1e-10
    )


def test_components_have_a_factor_each():
    data = make_data(components=("sky", "detector"))
    factors = [Background("x", "", "sky"), Background("y", "", "detector")]
    surface = CellLikelihood([data], [], factors)
    hit = surface.expected_hits({"x": 2.0, "y": np.array([1.0, 2.0, 3.0, 4.0])})[0]
    sky, detector = data.hit_backgrounds
    np.testing.assert_allclose(hit, 2 * sky + (1.0 + data.cell) * detector)
    found = surface.npred({"x": 2.0, "y": 3.0})
    np.testing.assert_allclose(found["x"], 2 * data.cell_backgrounds[0])
    np.testing.assert_allclose(found["x"] + found["y"], surface.expected({"x": 2.0, "y": 3.0}))


def test_components_without_a_factor_stay():
    data = make_data(components=("sky", "detector"))
    surface = CellLikelihood([data], [], [Background("x", "", "sky")])
    assert surface.names == ("x",)
    found = surface.npred({"x": 2.0})
    np.testing.assert_allclose(found["background"], data.cell_backgrounds[1])


def test_offset_moves_the_source_in_its_data_set_only():
    one, other = make_data("one"), make_data("other", seed=2)
    offset = Offset("other", "other.east", "other.north")
    surface = likelihood([one, other], offsets=[offset])
    values = quantities(**{"a.flux": 1.0, "other.east": 0.0, "other.north": 0.7})
    alone = [likelihood([data]) for data in (one, other)]
    wanted = alone[0].value(values) + alone[1].value(values | {"a.lat": np.array(LAT + 0.7)})
    assert surface.value(values) == pytest.approx(wanted, rel=1e-12)
    gradient = surface.derivatives(values).gradient.sum(axis=0)
    by_lat = alone[1].derivatives(values | {"a.lat": np.array(LAT + 0.7)}).gradient.sum(axis=0)
    lat = alone[1].names.index("a.lat")
    north = surface.names.index("other.north")
    assert gradient[north] == pytest.approx(by_lat[lat], rel=1e-6)


def test_frames_of_data_sets_may_differ():
    data = make_data()
    vec = rotation("galactic", "icrs") @ lonlat_to_vec(LON, LAT)
    seen = CellLikelihood(
        [replace(data, frame="icrs")], [SOURCE], [Background("b.norm")], frame="galactic"
    )
    assert seen.value(quantities()) == pytest.approx(plain(data, quantities(), vec), rel=1e-12)


def test_shape_of_no_size_is_a_point_and_its_derivatives_are_differences():
    data = make_data()
    source = SOURCE._replace(shape=gaussian(5.0, 8.0))
    surface = likelihood([data], [source])
    values = quantities(**{"a.sigma": 1e-6, "a.ratio": 1.0, "a.angle": 0.0})
    point = likelihood([data]).value(quantities())
    assert surface.value(values) == pytest.approx(point, rel=1e-9)
    values = quantities(**{"a.sigma": 6.0, "a.ratio": 0.5, "a.angle": 30.0})
    assert abs(surface.value(values) - point) > 1e-3
    gradient = surface.derivatives(values).gradient.sum(axis=0)
    for part in ("sigma", "ratio", "angle"):
        size = 1e-3 * values[f"a.{part}"]
        ends = [values | {f"a.{part}": values[f"a.{part}"] + s * size} for s in (1, -1)]
        slope = (surface.value(ends[0]) - surface.value(ends[1])) / (2 * size)
        number = surface.names.index(f"a.{part}")
        assert gradient[number] == pytest.approx(slope, rel=1e-4, abs=1e-7), part


def test_shape_may_grow_from_cell_to_cell():
    data = make_data()
    surface = likelihood([data], [SOURCE._replace(shape=gaussian(5.0, 8.0))])
    sizes = np.array([1.0, 3.0, 5.0, 7.0])
    same = {"a.ratio": 1.0, "a.angle": 0.0}
    grown = surface.expected(quantities(**{"a.sigma": sizes}, **same))
    for cell, size in enumerate(sizes):
        alone = surface.expected(quantities(**{"a.sigma": size}, **same))
        assert grown[cell] == pytest.approx(alone[cell], rel=1e-12)


def test_free_background_alone_is_the_closed_form():
    data = make_data()
    surface = CellLikelihood([data], [], [Background("b.norm")])
    layer = Layer({"b.norm": Free(1.0, 0.0, per="time_bin")}, one_axis("time_bin", np.arange(4.0)))
    best = fit(Posterior(layer, surface))
    counts, expected = data.cell_counts, data.cell_backgrounds[0]
    np.testing.assert_allclose(best.x, counts / expected, rtol=1e-5)
    np.testing.assert_allclose(best.errors, np.sqrt(counts) / expected, rtol=1e-2)


def test_fit_reaches_what_another_optimiser_does():
    from scipy.optimize import minimize

    problem = ModelProblem((make_data(seed=3),), "galactic", 1.8e9)
    surface = problem.likelihood([SOURCE], [Background("b.norm")])
    free = {
        "a.lon": Fixed(LON),
        "a.lat": Fixed(LAT),
        "a.flux": Free(1.0, 0.0, per="time_bin"),
        "a.norm": Fixed(2e-3),
        "a.index": Free(-2.0, -4.0, 0.0),
        "b.norm": Free(1.0, 0.1),
    }
    posterior = Posterior(Layer(free, problem.cells), surface)
    best = fit(posterior)
    layer = posterior.layer
    ends = list(zip(layer.lower, np.minimum(layer.upper, 1e3), strict=True))
    other = minimize(lambda x: -posterior.at(x), layer.start, bounds=ends, method="L-BFGS-B")
    assert best.log_posterior >= -other.fun - 1e-3


def test_less_than_nothing_is_not_possible():
    assert likelihood([make_data()]).value(quantities(**{"a.flux": -1e6})) == -np.inf


@pytest.mark.parametrize(
    ("backgrounds", "offsets", "message"),
    [
        ([Background("x", "far")], [], "x: data set 'far' has no background ''"),
        ([Background("x"), Background("y")], [], "background '' has two factors"),
        ([], [Offset("far", "e", "n")], "offsets: data set 'far' is not known"),
    ],
)
def test_parts_that_there_are_not_are_refused(backgrounds, offsets, message):
    with pytest.raises(ValueError, match=message):
        CellLikelihood([make_data()], [], backgrounds, offsets)
