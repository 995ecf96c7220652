"""Pixels of projected images: their corners against solid angles, values between their centres."""

import re

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.projection import (
    find_difference,
    read_projection,
    to_image,
    to_vec,
)
from skyquilt.instruments.imaging.wcs import pixel_vertices, to_grid, values_at
from skyquilt.sky.frames import lonlat_to_vec


def header(
    projection="CAR", axes=("RA--", "DEC-"), center=(83.6, 0), size=0.5, shape=(40, 60), **more
):
    """Header of an image; `center` is at its middle."""
    cards = {"NAXIS": 2, "NAXIS1": shape[1], "NAXIS2": shape[0], "RADESYS": "ICRS"}
    for index, (axis, value, n) in enumerate(zip(axes, center, shape[::-1], strict=True), 1):
        cards |= {f"CTYPE{index}": f"{axis}-{projection}", f"CRVAL{index}": value}
        cards |= {f"CRPIX{index}": (n + 1) / 2, f"CUNIT{index}": "deg"}
    return fits.Header(cards | {"CDELT1": -size, "CDELT2": size} | more)


def solid_angle(vertices):
    """Of spherical quadrangles, positive if counter-clockwise (Van Oosterom and Strackee 1983)."""
    area = 0.0
    for b, c in ((1, 2), (2, 3)):
        corners = vertices[:, [0, b, c]]
        volume = np.linalg.det(corners)
        p, q, r = np.moveaxis(corners, 1, 0)
        cosines = sum(np.sum(x * y, axis=-1) for x, y in ((p, q), (q, r), (r, p)))
        area = area + 2 * np.arctan2(volume, 1 + cosines)
    return area


def test_corners_in_plate_carree_enclose_the_solid_angle_of_their_latitudes():
    projection = read_projection(header(), "x.fits")

    vertices, is_on_sky = pixel_vertices(projection)

    assert is_on_sky.all()
    edges = np.radians(0.5 * (np.arange(41) - 20))
    wanted = np.repeat(np.diff(np.sin(edges)) * np.radians(0.5), 60)
    # a parallel and a great circle between its ends enclose tan(lat) width^2 / 12 of a pixel
    np.testing.assert_allclose(solid_angle(vertices), wanted, rtol=1e-5)


@pytest.mark.parametrize("flip", [1, -1])
@pytest.mark.parametrize("projection", ["CAR", "TAN", "ZEA", "AIT"])
def test_corners_run_counter_clockwise_around_the_centres(projection, flip):
    cards = header(projection, center=(83.6, 0 if projection == "CAR" else 60))
    cards["CDELT1"] *= flip
    image = read_projection(cards, "x.fits")

    vertices, _ = pixel_vertices(image)

    row, column = np.indices(image.shape).reshape(2, -1)
    centers = lonlat_to_vec(*image.wcs.wcs_pix2world(column, row, 0))
    following = np.roll(vertices, -1, axis=1)
    sides = np.linalg.det(
        np.stack([vertices, following, np.broadcast_to(centers[:, None], vertices.shape)], axis=2)
    )
    assert np.all(sides > 0)


def test_pixels_off_the_sky_are_left_out():
    cards = header("AIT", ("GLON", "GLAT"), (0, 0), size=4, shape=(50, 100))

    vertices, is_on_sky = pixel_vertices(read_projection(cards, "x.fits"))

    assert vertices.shape == (is_on_sky.sum(), 4, 3)
    # the ellipse of the whole sky, less the pixels that its rim cuts
    assert 0.9 * 4 * np.pi < solid_angle(vertices).sum() < 4 * np.pi


@pytest.mark.parametrize("projection", ["CAR", "TAN"])
def test_grid_has_the_values_of_the_image(projection):
    image = read_projection(header(projection), "x.fits")
    row, column = np.indices(image.shape)
    values = np.stack([1 + 0.01 * row + 0.02 * column, 3 - 0.01 * row])

    grid = to_grid(image, values)

    rng = np.random.default_rng(1)
    place = rng.uniform(1, 58, 500), rng.uniform(1, 38, 500)
    vec = lonlat_to_vec(*image.wcs.wcs_pix2world(*place, 0))
    wanted = np.stack([1 + 0.01 * place[1] + 0.02 * place[0], 3 - 0.01 * place[1]], axis=1)
    # lines of the image are no great circles: 10 deg from the centre of a tangential one, half a
    # degree along a ring of HEALPix leaves its row by 1e-3 pixels
    np.testing.assert_allclose(grid.at(vec), wanted, atol=1e-4)


def test_grid_continues_the_edge_of_the_image():
    image = read_projection(header(), "x.fits")
    grid = to_grid(image, np.full((1, 40, 60), 7.0))

    corners, _ = pixel_vertices(image)

    np.testing.assert_allclose(grid.at(corners.reshape(-1, 3)), 7.0, rtol=1e-12)
    assert np.isnan(grid.at(lonlat_to_vec(np.array([120.0]), np.array([0.0])))).all()


@pytest.mark.parametrize(
    ("axes", "cards", "frame"),
    [
        (("RA--", "DEC-"), {}, "icrs"),
        (("RA--", "DEC-"), {"RADESYS": "FK5", "EQUINOX": 2000.0}, "icrs"),
        (("GLON", "GLAT"), {}, "galactic"),
    ],
)
def test_frame_is_that_of_the_header(axes, cards, frame):
    assert read_projection(header(axes=axes, **cards), "x.fits").frame == frame
    assert read_projection(header(axes=axes, **cards), "x.fits", frame).frame == frame


def test_frame_that_contradicts_the_header_is_refused():
    with pytest.raises(InputError, match=r"x\.fits: the header says icrs, .*`frame: galactic`"):
        read_projection(header(), "x.fits", "galactic")


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"RADESYS": "FK4"}, "in the frame fk4"),
        ({"RADESYS": "FK5", "EQUINOX": 1975.0}, "in the frame fk5"),
        ({"CTYPE1": "X", "CTYPE2": "Y"}, "no celestial axes"),
        ({"CTYPE1": "ELON-CAR", "CTYPE2": "ELAT-CAR"}, "in the frame ELON"),
        ({"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}, "WCS cannot be read"),
    ],
)
def test_axes_that_are_not_known_are_refused(cards, message):
    with pytest.raises(InputError, match=rf"^x\.fits: .*({message})"):
        read_projection(header(**cards), "x.fits")


def test_pixels_without_values_are_not_known_and_their_neighbours_are():
    image = read_projection(header(), "x.fits")
    values = np.full((1, 40, 60), 7.0)
    values[0, 10:20, 10:20] = np.nan

    grid = to_grid(image, values)

    column, row = np.meshgrid(np.arange(8, 22), np.arange(8, 22))
    vec = to_vec(image, column.ravel(), row.ravel())
    is_gap = np.isnan(values[0, row.ravel(), column.ravel()])
    at_pixels = values_at(image, values, vec)[:, 0]
    np.testing.assert_array_equal(np.isnan(at_pixels), is_gap)
    np.testing.assert_allclose(at_pixels[~is_gap], 7.0, rtol=1e-12)
    # HEALPix pixels are smaller: the gap is the same but for one pixel around it
    at_grid = grid.at(vec).ravel()
    is_deep = (np.abs(column.ravel() - 14.5) < 4) & (np.abs(row.ravel() - 14.5) < 4)
    is_far = (np.abs(column.ravel() - 14.5) > 6) | (np.abs(row.ravel() - 14.5) > 6)
    assert np.isnan(at_grid[is_deep]).all()
    np.testing.assert_allclose(at_grid[is_far], 7.0, rtol=1e-12)


def test_image_without_values_is_refused():
    image = read_projection(header(), "x.fits")

    with pytest.raises(InputError, match=r"x\.fits: all values are not finite"):
        to_grid(image, np.full((1, 40, 60), np.nan))


def whole_sky(start, step, projection="CAR", size=2.0):
    """Cards of the whole sky; longitude `start` is at the left edge, or `CRPIX1` says otherwise."""
    n = round(360 / size)
    cards = dict(header(projection, ("GLON", "GLAT"), (0, 0), size, (n // 2, n)))
    cards |= {"CDELT1": step * size, "CRPIX1": 0.5, "CRVAL1": start}
    if projection == "CEA":
        cards |= {"CDELT2": np.degrees(1) * 2 / (n // 2)}
    return cards


def image_of(cards, path="x.fits"):
    return read_projection(fits.Header(cards), path)


@pytest.mark.parametrize("projection", ["CAR", "CEA"])
@pytest.mark.parametrize(
    ("start", "step", "pixel"),
    [(0, 1, 0.5), (0, -1, 0.5), (179.5, -1, 1), (0, 1, 90.5), (123, 1, 180.5), (77, -1, 45)],
)
def test_whole_sky_has_a_place_for_every_direction_wherever_its_reference_is(
    projection, start, step, pixel
):
    image = image_of(whole_sky(start, step, projection) | {"CRPIX1": pixel})
    vertices, is_on_sky = pixel_vertices(image)
    vec = np.random.default_rng(5).normal(size=(2000, 3))
    vec /= np.linalg.norm(vec, axis=1)[:, np.newaxis]
    lon, lat = np.degrees(np.arctan2(vec[:, 1], vec[:, 0])), np.degrees(np.arcsin(vec[:, 2]))

    values = to_vec(image, *np.meshgrid(np.arange(180), np.arange(90)))
    found = to_grid(image, np.moveaxis(values, 2, 0)).at(vec)

    assert is_on_sky.all()
    assert solid_angle(vertices).sum() == pytest.approx(4 * np.pi, rel=1e-9)
    # bilinear in pixels of 2 deg (CEA: of up to 9 deg at the poles), and once more in HEALPix
    is_far = np.abs(lat) < (85 if projection == "CAR" else 60)
    np.testing.assert_allclose(found[is_far], vec[is_far], atol=3e-3)
    assert np.isfinite(found).all()
    assert lon.size == 2000


def test_rows_beyond_the_poles_are_off_the_sky():
    cards = whole_sky(0, 1)
    cards |= {"NAXIS2": 100, "CRPIX2": 50.5}

    _, is_on_sky = pixel_vertices(image_of(cards))

    assert is_on_sky.reshape(100, 180)[5:95].all()
    assert not is_on_sky.reshape(100, 180)[:5].any()


def test_image_wider_than_the_sky_is_refused():
    node_registered = image_of(whole_sky(0, 1) | {"NAXIS1": 181})

    with pytest.raises(InputError, match=r"x\.fits: the image goes 1\.00556 times around the sky"):
        pixel_vertices(node_registered)
    with pytest.raises(InputError, match=r"x\.fits: the image is 1\.1 times as wide as the sky"):
        image_of(whole_sky(0, 1) | {"NAXIS1": 198})


@pytest.mark.parametrize("axes", [("DEC-", "RA--"), ("RA--", "DEC-")])
def test_axes_in_either_order_are_read(axes):
    cards = header("TAN", axes=axes, center=(83, 22) if axes[0] == "RA--" else (22, 83))
    image = read_projection(cards, "x.fits")

    np.testing.assert_allclose(to_vec(image, 29.5, 19.5), lonlat_to_vec(83.0, 22.0), atol=1e-12)
    column, row = to_image(image, to_vec(image, np.arange(5), np.arange(5)))
    np.testing.assert_allclose([column, row], [np.arange(5)] * 2, atol=1e-9)
    vertices, _ = pixel_vertices(image)
    assert np.all(solid_angle(vertices) > 0)


SAME = dict(header("TAN", center=(83.6, 22)))
ROTATED = {"PC1_1": 0.0, "PC1_2": -1.0, "PC2_1": 1.0, "PC2_2": 0.0}


@pytest.mark.parametrize(
    ("cards", "key"),
    [
        (ROTATED, "PC1_1"),
        ({"CROTA2": 1.0}, "PC1_1"),
        ({"LONPOLE": 170.0}, "LONPOLE"),
        ({"PV1_3": 170.0}, "(LONPOLE|PV1_3)"),
        ({"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN"}, "CTYPE1"),
        ({"CTYPE1": "RA---ZPN", "CTYPE2": "DEC--ZPN", "PV2_1": 1.0, "PV2_3": 9.0}, "CTYPE1"),
        ({"CRVAL1": 83.7}, "CRVAL1"),
        ({"CRPIX2": 20.0}, "CRPIX2"),
        ({"CDELT2": 0.51}, "CDELT2"),
        ({"NAXIS1": 61}, "shape"),
        ({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}, "frame"),
        ({"CUNIT1": "arcsec", "CUNIT2": "arcsec"}, "CDELT1"),
    ],
)
def test_pixels_that_differ_in_any_keyword_are_told_apart(cards, key):
    one = image_of(SAME)

    other = image_of(SAME | cards, "y.fits")
    for found in (find_difference(one, other), find_difference(other, one)):
        assert re.match(f"the {key} is", found)


@pytest.mark.parametrize(
    "cards",
    [
        {},
        {"CRVAL1": 83.6 + 360},
        {"CRVAL1": 83.6 + 1e-9},
        {"RADESYS": "FK5", "EQUINOX": 2000.0},
        {"LONPOLE": 180.0, "LATPOLE": 22.0},
        {"CDELT1": -1.0, "CDELT2": 1.0, "PC1_1": 0.5, "PC2_2": 0.5},
        {"CDELT1": -1800.0, "CDELT2": 1800.0, "CUNIT1": "arcsec", "CUNIT2": "arcsec"}
        | {"CRVAL1": 83.6 * 3600, "CRVAL2": 22.0 * 3600},
    ],
)
def test_pixels_that_are_written_in_another_way_are_the_same(cards):
    one, other = image_of(SAME), image_of(SAME | cards, "y.fits")

    assert find_difference(one, other) is None


def test_matrix_cd_is_read_without_cdelt():
    cards = SAME | {"CD1_1": -0.5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.5}
    del cards["CDELT1"], cards["CDELT2"]

    assert find_difference(image_of(SAME), image_of(cards, "y.fits")) is None


@pytest.mark.parametrize("key", ["CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CDELT1"])
def test_image_whose_pixels_are_not_known_is_refused(key):
    cards = SAME.copy()
    del cards[key]

    with pytest.raises(InputError, match=rf"x\.fits: the header of the image has no {key}"):
        image_of(cards)


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ({"CDELT1": 0.0}, "WCS cannot be read|more than"),
        ({"CDELT1": 1e-9}, "pixels are .* more than 100 times as long as wide"),
        ({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2}
         | {"A_2_0": 1e-4, "B_0_2": 1e-4}, "SIP"),
        ({"CTYPE1": "FREQ", "CTYPE2": "RA---TAN"}, "WCS cannot be read|first two|no celestial"),
        ({"CUNIT1": "m"}, "WCS cannot be read"),
        ({"CRVAL1": "east"}, "CRVAL1 is 'east'; it must be a number"),
        ({"PC1_2": "0.5"}, "PC1_2 is"),
        ({"NAXIS": 1}, "1 axes"),
        ({"NAXIS1": 0}, "40 rows and 0 columns"),
        ({"RADESYS": "MARS"}, "in the frame MARS"),
    ],
)  # fmt: skip
def test_projection_that_cannot_be_right_is_refused(cards, message):
    with pytest.raises(InputError, match=rf"^x\.fits: .*({message})"):
        image_of(SAME | cards)


def test_celestial_axes_behind_the_energy_are_refused():
    cards = {"NAXIS": 3, "NAXIS3": 2, "CTYPE1": "ENERGY", "CRVAL1": 1.0, "CRPIX1": 1.0}
    cards |= {f"{key}3": SAME[f"{key}1"] for key in ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT")}
    cards |= {"CUNIT1": "MeV", "CDELT1": 1.0}

    with pytest.raises(InputError, match=r"celestial axes have the numbers \[2, 3\]"):
        image_of(SAME | cards)


@pytest.mark.parametrize("outside", [0.0, np.nan, 1e30])
@pytest.mark.parametrize(
    ("projection", "size"), [("AIT", 3.0), ("MOL", 3.0), ("ZEA", 3.0), ("SFL", 3.0)]
)
def test_what_is_written_off_the_sky_is_no_value(projection, size, outside):
    cards = header(
        projection, ("GLON", "GLAT"), (0, 90 if projection == "ZEA" else 0), size, (90, 140)
    )
    image = read_projection(cards, "x.fits")
    row, column = np.indices(image.shape)
    is_on_sky = np.isfinite(to_vec(image, column, row)[..., 0])
    vec = np.random.default_rng(5).normal(size=(2000, 3))
    vec /= np.linalg.norm(vec, axis=1)[:, np.newaxis]

    found = to_grid(image, np.where(is_on_sky, 7.0, outside)[np.newaxis]).at(vec)[:, 0]

    is_known = np.isfinite(found)
    np.testing.assert_allclose(found[is_known], 7.0, rtol=1e-9)
    # at the very border all pixels around a direction can have their middle off the sky
    assert is_known.mean() > 0.99


@pytest.mark.parametrize(
    ("cards", "is_read"), [((0, 0), True), ((0, 20), True), ((20, 20), True), ((20, 0), False)]
)
def test_rotation_of_the_wrong_axis_is_refused(cards, is_read):
    cards = SAME | {"CROTA1": cards[0], "CROTA2": cards[1]}

    if is_read:
        image_of(cards)
    else:
        with pytest.raises(InputError, match="CROTA1 is 20 and CROTA2 is 0"):
            image_of(cards)
