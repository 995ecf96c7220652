"""Pixels of projected images: their corners against solid angles, values between their centres."""

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.wcs import pixel_vertices, read_projection, to_grid
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
    assert grid.at(lonlat_to_vec(np.array([120.0]), np.array([0.0]))).tolist() == [[0.0]]


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


def test_values_that_are_not_finite_are_refused():
    image = read_projection(header(), "x.fits")
    values = np.ones((1, 40, 60))
    values[0, 3, 4] = np.nan

    with pytest.raises(InputError, match=r"x\.fits: 1 values are not finite"):
        to_grid(image, values)
