"""Extended sources: the expectation of a shape against the sum over points that make it up."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.config.position import Position
from skyquilt.config.shape import (
    BrightnessMap,
    Disk,
    EllipticalGaussian,
    Gaussian,
    Point,
    Ring,
)
from skyquilt.errors import InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.extended import describe_shape, extend
from skyquilt.io.provenance import Provenance
from skyquilt.problem import Description, FitProblem, PointSpread
from skyquilt.problem.file import read_problem, write_problem
from skyquilt.problem.pixel_image import find_hits
from skyquilt.problem.shaped import Shaped
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import lonlat_to_vec, position_to_vec, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.shapes import to_nodes
from skyquilt.sky.tangent import tangent_axes
from skyquilt.testing.toy import Telescope

CENTER = lonlat_to_vec(30.0, 0.0)[np.newaxis]
SIDE = 0.2  # of the pixels [deg]
SHAPES = [
    Disk(model="disk", radius=1.0),
    Ring(model="ring", inner=0.8, outer=1.2),
    Gaussian(model="gaussian", sigma=0.7),
]
ELLIPSE = EllipticalGaussian(model="elliptical_gaussian", sigma=0.8, ratio=0.5, angle=40)


def corners():
    """Pixels of 0.2 deg in a square of 10 deg around the centre, galactic plate carree."""
    lon, lat = np.meshgrid(25 + SIDE * np.arange(50), -5 + SIDE * np.arange(50))
    x = lon.ravel()[:, np.newaxis] + SIDE * np.array([0, 1, 1, 0])
    y = lat.ravel()[:, np.newaxis] + SIDE * np.array([0, 0, 1, 1])
    return lonlat_to_vec(x, y)


def camera(counts):
    """An imager with a Gaussian point spread function of 0.3 deg and one band."""
    background = np.full(2500, 0.4)
    image, place = find_hits(corners(), np.maximum(counts, 1e-9)[:, np.newaxis])
    theta = np.radians(np.linspace(0, 3, 400))
    sigma = np.radians(0.3)
    profile = np.exp(-(theta**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    expectation = PointSpread(
        image=image,
        yields=HealpixGrid(1, np.full((12, 1), 100.0)),
        theta=theta,
        profile=profile[np.newaxis],
        to_band=np.ones((1, 1)),
    )
    return FitProblem(
        counts=np.asarray(counts, float)[place],
        background=background[place],
        expectation=expectation,
        frame="galactic",
        photon_flux=1.0,
        description=Description("imaging", "power_law", (1.0, 2.0)),
        background_total=float(background.sum()),
    )


def image_of(shape):
    """Expected counts of unit flux in all pixels."""
    order = find_hits(corners(), np.ones((2500, 1)))[1]
    image = np.zeros(2500)
    image[order] = dense(extend(camera(np.ones(2500)), shape), CENTER)[0][0]
    return image


def dense(problem, directions):
    block = problem.expectation.block(directions)
    return block.dense().unit_counts, block.total


@pytest.mark.parametrize("shape", [*SHAPES, ELLIPSE], ids=lambda shape: shape.model)
def test_image_of_a_shape_is_the_sum_over_its_points(shape):
    problem = camera(np.ones(2500))
    found, total = dense(extend(problem, shape), CENTER)
    points = to_nodes(shape).around(CENTER, rotation("icrs", "galactic")[:, 2])[0]
    each, totals = dense(problem, points)
    wanted = to_nodes(shape).weight @ each
    # 288 points stand for the shape to 1e-3 of the peak where they are nearer than the core
    np.testing.assert_allclose(found[0], wanted, atol=4e-3 * wanted.max())
    assert total[0] == pytest.approx(to_nodes(shape).weight @ totals, rel=1e-3)
    assert found[0].sum() == pytest.approx(wanted.sum(), rel=1e-3)


def test_radial_shapes_of_an_imager_cost_no_more_than_points():
    assert isinstance(extend(camera(np.ones(2500)), SHAPES[0]).expectation, PointSpread)


def test_point_changes_nothing():
    problem = camera(np.ones(2500))
    assert extend(problem, Point(model="point")) is problem


def test_table_of_a_compton_telescope_takes_any_shape():
    telescope = Telescope()
    problem = telescope.problem(np.ones(960))
    for shape in (Disk(model="disk", radius=10), ELLIPSE):
        extended = extend(problem, shape)
        nodes = to_nodes(shape)
        points = nodes.around(CENTER, rotation("icrs", problem.frame)[:, 2])[0]
        wanted = nodes.weight @ problem.expectation.block(points).unit_counts
        found = extended.expectation.block(CENTER).unit_counts[0]
        np.testing.assert_allclose(found, wanted, rtol=1e-5)  # rows are summed in float32


@pytest.mark.parametrize("shape", [SHAPES[1], ELLIPSE], ids=lambda shape: shape.model)
def test_extended_problem_survives_writing_and_reading(shape, tmp_path):
    problem = extend(camera(np.ones(2500)), shape)
    write_problem(tmp_path / "problem.h5", problem, Provenance("prepare"))
    found = read_problem(tmp_path / "problem.h5")
    assert found.description.shape == describe_shape(shape)
    for mine, theirs in zip(dense(problem, CENTER), dense(found, CENTER), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_shape_is_part_of_the_identity(tmp_path):
    identities = {
        write_problem(
            tmp_path / "p.h5", extend(camera(np.ones(2500)), shape), Provenance("prepare")
        )
        for shape in [Point(model="point"), *SHAPES, ELLIPSE]
    }
    assert len(identities) == 5


@pytest.mark.slow
def test_flux_of_a_shell_is_recovered_and_its_shape_preferred_to_a_point():
    shell = Ring(model="ring", inner=0.8, outer=1.2)
    expected = image_of(shell)
    rng = np.random.default_rng(8)
    pulls, gain = [], []
    for _ in range(50):
        counts = rng.poisson(0.4 + 4.0 * expected)
        problem = camera(counts)
        right = fit_pixels(extend(problem, shell), CENTER)
        wrong = fit_pixels(problem, CENTER)
        pulls.append((right.flux[0] - 4.0) / right.flux_err[0])
        gain.append(right.ts[0] - wrong.ts[0])
    # 50 trials: mean 0 and width 1 within three standard errors
    assert abs(np.mean(pulls)) < 3 / np.sqrt(50)
    assert abs(np.std(pulls) - 1) < 3 / np.sqrt(100)
    assert min(gain) > 25


def test_map_of_a_disk_peaks_at_its_centre():
    disk = Disk(model="disk", radius=1.0)
    counts = np.random.default_rng(2).poisson(0.4 + 5.0 * image_of(disk))
    nside = 128
    every = nest_to_vec(nside, np.arange(12 * nside**2))
    near = every[every @ CENTER[0] > np.cos(np.radians(2.0))]
    fit = fit_pixels(extend(camera(counts), disk), near)
    best = near[np.nanargmax(fit.ts)]
    # half a pixel of 0.46 deg, and an error of about 0.1 deg
    assert best @ CENTER[0] > np.cos(np.radians(0.5))


def test_shaped_keeps_the_bins_that_are_selected():
    problem = extend(camera(np.ones(2500)), ELLIPSE)
    assert isinstance(problem.expectation, Shaped)
    bins = np.arange(0, 2500, 7)
    whole, _ = dense(problem, CENTER)
    part = problem.expectation.select_bins(bins).block(CENTER)
    counts = np.zeros(bins.size)
    counts[part.bin] = part.unit_counts
    np.testing.assert_allclose(counts, whole[0, bins], rtol=1e-12)


def write_map(path, brightness, side=0.1, n=81, lon=200.0):
    """Image of a brightness that is a function of the angle [deg], far from the data."""
    at = (np.arange(n) - (n - 1) / 2) * side
    x, y = np.meshgrid(at, at)
    center, here = lonlat_to_vec(lon, 0.0), lonlat_to_vec(lon - x, y)
    values = brightness(np.degrees(np.arccos(np.clip(here @ center, -1, 1))))
    header = fits.Header()
    for axis, (name, value, step) in enumerate(
        (("GLON-CAR", lon, -side), ("GLAT-CAR", 0.0, side)), 1
    ):
        header[f"CTYPE{axis}"], header[f"CUNIT{axis}"] = name, "deg"
        header[f"CRPIX{axis}"], header[f"CRVAL{axis}"] = (n + 1) / 2, value
        header[f"CDELT{axis}"] = step
    fits.PrimaryHDU(values / values.sum(), header).writeto(path)
    return BrightnessMap(model="map", path=str(path))


@pytest.mark.parametrize("side", [0.05, 0.1, 0.2])
def test_map_of_a_gaussian_is_a_gaussian_wherever_it_is_moved(tmp_path, side):
    shape = write_map(
        tmp_path / "map.fits", lambda r: np.exp(-(r**2) / (2 * 0.7**2)), side, int(8 / side) | 1
    )
    directions = lonlat_to_vec(np.array([30.0, 31.3, 28.0]), np.array([0.0, -1.2, 2.0]))
    found, total = dense(extend(camera(np.ones(2500)), shape), directions)
    wanted, totals = dense(extend(camera(np.ones(2500)), SHAPES[2]), directions)
    # 2e-3: a Gaussian of the sphere is not quite one of the angle, and pixels have a centre
    np.testing.assert_allclose(found, wanted, atol=2e-3 * wanted.max())
    np.testing.assert_allclose(total, totals, rtol=1e-3)


def test_map_is_moved_with_the_place_that_is_its_centre(tmp_path):
    shape = write_map(tmp_path / "map.fits", lambda r: (r < 0.3) * 1.0, 0.1, 41)
    # 1 deg of galactic longitude beside the spot
    beside = shape.model_copy(update={"center": Position(lon=201.0, lat=0.0, frame="galactic")})
    problem = camera(np.ones(2500))
    images = [dense(extend(problem, one), CENTER)[0][0] for one in (shape, beside)]
    place = find_hits(corners(), np.ones((2500, 1)))[0].shapes[:, :3]
    at_center, moved = (one @ place / np.linalg.norm(one @ place) for one in images)
    east, north = (axis[0] for axis in tangent_axes(CENTER, rotation("icrs", "galactic")[:, 2]))
    # the same offset in axes of ICRS, which are turned elsewhere
    spot = position_to_vec(200.0, 0.0, "galactic", "icrs")
    there = position_to_vec(201.0, 0.0, "galactic", "icrs")[np.newaxis]
    offset = [float(axis[0] @ spot) for axis in tangent_axes(there, np.array([0.0, 0.0, 1.0]))]
    assert at_center @ CENTER[0] > np.cos(np.radians(0.05))
    np.testing.assert_allclose([moved @ east, moved @ north], offset, atol=1e-3)


@pytest.mark.parametrize("ratio", [1.0, 0.3])
@pytest.mark.parametrize("sigma", [0.1, 0.45, 0.8, 1.5])
def test_ellipse_is_smooth_however_wide_it_is(sigma, ratio):
    # up to 5 times the point spread function: fixed points would leave gaps between them
    ellipse = EllipticalGaussian(model="elliptical_gaussian", sigma=sigma, ratio=ratio, angle=0)
    found, total = dense(extend(camera(np.ones(2500)), ellipse), CENTER)
    if ratio == 1:
        round_one = Gaussian(model="gaussian", sigma=sigma)
        wanted, totals = dense(extend(camera(np.ones(2500)), round_one), CENTER)
        np.testing.assert_allclose(found, wanted, atol=1e-3 * wanted.max())
        np.testing.assert_allclose(total, totals, rtol=1e-4)
    place = find_hits(corners(), np.ones((2500, 1)))[0].shapes[:, :3]
    axes = tangent_axes(CENTER, rotation("icrs", "galactic")[:, 2])
    x, y = (np.degrees(place @ axis[0]) for axis in axes)
    across, along = np.hypot(0.3, sigma * ratio), np.hypot(0.3, sigma)
    plane = np.exp(-(x**2) / (2 * across**2) - y**2 / (2 * along**2))
    plane *= 100.0 * SIDE**2 / (2 * np.pi * across * along)
    # the mean over pixels of 0.2 deg, two thirds of the point spread function
    np.testing.assert_allclose(found[0], plane, atol=0.05 * plane.max())


@pytest.mark.parametrize("kind", ["disk", "ring", "gaussian", "ellipse", "map"])
def test_photons_of_every_shape_are_kept(kind, tmp_path):
    shapes = dict(zip(("disk", "ring", "gaussian", "ellipse"), [*SHAPES, ELLIPSE], strict=True))
    if kind == "map":
        shapes["map"] = write_map(tmp_path / "map.fits", lambda r: (r < 0.8) * 1.0, 0.1, 41)
    found, total = dense(extend(camera(np.ones(2500)), shapes[kind]), CENTER)
    points, totals = dense(camera(np.ones(2500)), CENTER)
    # all of it lies in the image
    assert total[0] == pytest.approx(totals[0], rel=1e-4)
    # photons beyond the reach, 1e-3, are in the total only
    assert found.sum() == pytest.approx(points.sum(), rel=1e-3)


@pytest.mark.parametrize(
    "shape",
    [
        Disk(model="disk", radius=8.0),
        Ring(model="ring", inner=7.5, outer=9.0),
        Gaussian(model="gaussian", sigma=3.5),
        EllipticalGaussian(model="elliptical_gaussian", sigma=5, ratio=0.5, angle=0),
    ],
    ids=lambda shape: shape.model,
)
def test_shape_wider_than_the_data_is_one_error(shape):
    # a square of 10 deg reaches 7.1 deg from its middle
    with pytest.raises(InputError, match=rf"shape, {shape.model}: .* 90% .* deg .* 7.0\d deg"):
        extend(camera(np.ones(2500)), shape)


def test_map_wider_than_the_data_is_one_error(tmp_path):
    shape = write_map(tmp_path / "map.fits", lambda r: (r < 9) * 1.0, 0.5, 41)
    with pytest.raises(InputError, match=r"shape, map: .*map\.fits .* 90% .* 7.0\d deg"):
        extend(camera(np.ones(2500)), shape)


def test_wide_shapes_are_fine_where_all_of_the_sky_is_seen():
    problem = Telescope().problem(np.ones(960))
    extend(problem, Gaussian(model="gaussian", sigma=30))


def test_shape_of_too_many_points_is_one_error():
    narrow = camera(np.ones(2500))
    theta = narrow.expectation.theta / 300
    profile = narrow.expectation.profile * 300**2
    expectation = replace(narrow.expectation, theta=theta, profile=profile)
    wide = EllipticalGaussian(model="elliptical_gaussian", sigma=1, ratio=0.9, angle=0)
    with pytest.raises(InputError, match=r"elliptical_gaussian: .* more than 50000 directions"):
        extend(replace(narrow, expectation=expectation), wide)
