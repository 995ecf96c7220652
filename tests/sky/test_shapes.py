import numpy as np
import pytest

from skyquilt.config.shape import Disk, EllipticalGaussian, Gaussian, Point, Ring
from skyquilt.sky.shapes import disk_area, is_radial, to_disks, to_nodes

POLE = np.array([0.0, 0.0, 1.0])
CENTER = np.array([[1.0, 0.0, 0.0]])
SHAPES = [
    Disk(model="disk", radius=2.0),
    Ring(model="ring", inner=1.0, outer=3.0),
    Gaussian(model="gaussian", sigma=1.5),
    EllipticalGaussian(model="elliptical_gaussian", sigma=2.0, ratio=0.4, angle=30.0),
]


def offsets(shape):
    """Places of the nodes around (0, 0) [deg], and their weights."""
    nodes = to_nodes(shape)
    x, y, z = nodes.around(CENTER, POLE)[0].T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(z)), nodes.weight


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.model)
def test_nodes_are_unit_vectors_with_weights_of_sum_one(shape):
    nodes = to_nodes(shape)
    directions = np.array([[0.6, 0.0, 0.8], [0.0, 0.0, 1.0], [-0.6, 0.48, 0.64]])
    around = nodes.around(directions, POLE)
    assert around.shape == (3, nodes.weight.size, 3)
    np.testing.assert_allclose(np.linalg.norm(around, axis=2), 1, rtol=1e-12)
    assert nodes.weight.sum() == pytest.approx(1, rel=1e-12)
    # the mean of the nodes points to the centre
    mean = np.einsum("n,mnj->mj", nodes.weight, around)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(mean, directions, atol=1e-12)


def test_point_is_one_node_at_the_centre():
    np.testing.assert_array_equal(to_nodes(Point(model="point")).around(CENTER, POLE)[0], CENTER)


@pytest.mark.parametrize(
    ("shape", "variance"),
    [
        # mean square of one coordinate: R^2 / 4, (inner^2 + outer^2) / 4, sigma^2
        (SHAPES[0], 4 / 4),
        (SHAPES[1], (1 + 9) / 4),
        (SHAPES[2], 1.5**2),
    ],
)
def test_second_moments_of_radial_shapes_are_those_of_the_plane(shape, variance):
    east, north, weight = offsets(shape)
    # the sphere differs from the plane by a part of radius^2 / 6, 5e-4 at 3 deg
    assert weight @ east**2 == pytest.approx(variance, rel=2e-3)
    assert weight @ north**2 == pytest.approx(variance, rel=2e-3)
    assert weight @ (east * north) == pytest.approx(0, abs=1e-9)


def test_position_angle_of_the_long_axis_goes_from_north_to_east():
    east, north, weight = offsets(SHAPES[3])
    along = east * np.sin(np.radians(30)) + north * np.cos(np.radians(30))
    across = east * np.cos(np.radians(30)) - north * np.sin(np.radians(30))
    assert weight @ along**2 == pytest.approx(4.0, rel=2e-3)
    assert weight @ across**2 == pytest.approx(0.64, rel=2e-3)
    assert weight @ (along * across) == pytest.approx(0, abs=2e-3)


def test_ring_is_a_disk_less_a_disk():
    disks = to_disks(SHAPES[1])
    area = disk_area(disks.radius)
    density = disks.weight / area
    # between the radii only the larger disk counts, inside both cancel
    assert density[0] == pytest.approx(1 / (area[0] - area[1]))
    assert density.sum() == pytest.approx(0, abs=1e-9 * density[0])
    assert disks.weight.sum() == pytest.approx(1)


def test_only_the_ellipse_is_not_radial():
    assert [is_radial(shape) for shape in SHAPES] == [True, True, True, False]


@pytest.mark.parametrize("widths", [0.3, 1.0, 2.0, 4.0, 8.0])
@pytest.mark.parametrize("ratio", [1.0, 0.4])
def test_ellipse_folded_with_a_gaussian_is_good_to_1e_4(widths, ratio):
    core, angle = np.radians(0.1), np.radians(30)
    shape = EllipticalGaussian(
        model="elliptical_gaussian", sigma=0.1 * widths, ratio=ratio, angle=30.0
    )
    nodes = to_nodes(shape, core)
    rng = np.random.default_rng(1)
    x, y = np.append(rng.normal(size=(2, 200)) * max(widths, 1) * core, [[0], [0]], axis=1)
    square = (x[:, None] - nodes.east) ** 2 + (y[:, None] - nodes.north) ** 2
    found = np.exp(-square / (2 * core**2)) @ nodes.weight / (2 * np.pi * core**2)
    along, across = x * np.sin(angle) + y * np.cos(angle), x * np.cos(angle) - y * np.sin(angle)
    long, short = np.hypot(core, widths * core), np.hypot(core, widths * ratio * core)
    wanted = np.exp(-((along / long) ** 2) / 2 - (across / short) ** 2 / 2)
    wanted /= 2 * np.pi * long * short
    np.testing.assert_allclose(found, wanted, atol=1.2e-4 * wanted.max())


@pytest.mark.parametrize("widths", [1.0, 5.0, 12.0])
@pytest.mark.parametrize("kind", ["disk", "ring"])
def test_disk_and_ring_folded_with_a_gaussian_are_good_to_1e_5(widths, kind):
    core = np.radians(0.1)
    settings = {"disk": {"radius": 0.1 * widths}, "ring": {"inner": 0.08 * widths}}[kind]
    if kind == "ring":
        settings["outer"] = 0.1 * widths
    shape = {"disk": Disk, "ring": Ring}[kind](model=kind, **settings)
    few, many = to_nodes(shape, core), to_nodes(shape, core / 3)
    x = np.linspace(0, 1.2 * widths * core, 60)
    each = [
        np.exp(-((x[:, None] - n.east) ** 2 + n.north**2) / (2 * core**2)) @ n.weight
        for n in (few, many)
    ]
    np.testing.assert_allclose(each[0], each[1], atol=1e-5 * each[1].max())


def test_points_that_are_too_many_are_refused():
    with pytest.raises(ValueError, match="more than 50000 directions"):
        to_nodes(SHAPES[0], np.radians(0.001))


def test_radius_holds_its_part_of_the_brightness():
    assert np.degrees(to_nodes(SHAPES[0]).radius(0.9)) == pytest.approx(2 * 0.9**0.5, rel=0.02)
    assert np.degrees(to_nodes(SHAPES[2]).radius(0.9)) == pytest.approx(1.5 * 2.146, rel=0.15)
