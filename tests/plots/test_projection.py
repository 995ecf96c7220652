import numpy as np
import pytest
from matplotlib.projections.geo import MollweideAxes

from skyquilt.plots.projection import from_mollweide, from_zenithal, mollweide, wrap, zenithal
from skyquilt.sky.frames import lonlat_to_vec, separation

LON, LAT = (part.ravel() for part in np.meshgrid(np.arange(-179, 180, 13), np.arange(-89, 90, 7)))


def test_mollweide_is_that_of_matplotlib_with_longitude_to_the_left():
    transform = MollweideAxes.MollweideTransform(1)
    places = transform.transform(np.radians(np.stack([LON, LAT], axis=-1)))
    # matplotlib iterates to 1e-3 in its angle only; a raster point is 3e-3 wide
    np.testing.assert_allclose(-places[:, 0] / np.sqrt(2), mollweide(LON, LAT)[0], atol=2e-3)
    np.testing.assert_allclose(places[:, 1] / np.sqrt(2), mollweide(LON, LAT)[1], atol=2e-3)


def test_mollweide_of_places_and_back_are_the_same():
    lon, lat = from_mollweide(*mollweide(LON, LAT))
    # the inverse is ill-conditioned near the poles
    np.testing.assert_allclose(lon, LON, atol=1e-5)
    np.testing.assert_allclose(lat, LAT, atol=1e-5)


@pytest.mark.parametrize(("lat", "y"), [(90, 1), (-90, -1)])
def test_mollweide_of_pole_is_at_the_top_or_bottom(lat, y):
    x, at = mollweide(np.array([77.0]), np.array([float(lat)]))
    # Newton converges linearly at the pole: (2/3)^40 = 1e-7
    assert x[0] == pytest.approx(0, abs=1e-6)
    assert at[0] == pytest.approx(y, abs=1e-6)


def test_mollweide_outside_the_ellipse_is_nan():
    lon, lat = from_mollweide(np.array([1.9, 0.0]), np.array([0.9, 1.1]))
    assert np.isnan(lon).all()
    assert np.isnan(lat).all()


@pytest.mark.parametrize("centre", [(0, 0), (93, -53), (359, 89), (10, 90)])
def test_zenithal_of_places_and_back_are_the_same(centre):
    centre = lonlat_to_vec(*centre)
    x, y = (
        part.ravel() for part in np.meshgrid(np.linspace(-70, 70, 15), np.linspace(-70, 70, 15))
    )
    back = zenithal(from_zenithal(x, y, centre), centre)
    # rounding, at 70 deg
    np.testing.assert_allclose(back, (x, y), atol=1e-10)


def test_zenithal_of_small_offsets_is_their_angle_with_longitude_to_the_left():
    centre = lonlat_to_vec(93.0, -53.0)
    x, y = zenithal(lonlat_to_vec(np.array([93.1, 93.0]), np.array([-53.0, -52.9])), centre)
    # third order in 0.1 deg
    assert x.tolist() == pytest.approx([-0.1 * np.cos(np.radians(53)), 0], abs=1e-6)
    assert y.tolist() == pytest.approx([0, 0.1], abs=1e-4)


def test_zenithal_is_equal_area():
    # a cap of angle t has area 2 pi (1 - cos t); its radius in the map is 2 sin(t / 2)
    centre = lonlat_to_vec(20.0, 30.0)
    vec = from_zenithal(np.array([0.0]), np.array([80.0]), centre)
    angle = np.radians(separation(vec, centre))
    assert 2 * np.sin(angle / 2) == pytest.approx(np.radians(80), rel=1e-12)


def test_wrap_gives_longitudes_around_zero():
    np.testing.assert_array_equal(wrap(np.array([0, 179, 180, 181, 359])), [0, 179, -180, -179, -1])
