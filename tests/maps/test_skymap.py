import numpy as np
import pytest

from skyquilt.maps.skymap import SkyMap


def make(ipix, **columns):
    return SkyMap(2, "galactic", np.array(ipix), {k: np.array(v) for k, v in columns.items()})


def test_sample_of_partial_sky_is_nan_outside():
    skymap = make([3, 7], ts=[1.0, 2.0])
    values = skymap.sample("ts", np.array([[0, 3], [47, 7]]))
    np.testing.assert_array_equal(values, [[np.nan, 1.0], [np.nan, 2.0]])


def test_pixel_area_times_their_number_is_the_sphere():
    # 41252.96 deg2 in 4 pi; only rounding
    assert 48 * make([0]).pixel_area == pytest.approx(4 * np.pi * (180 / np.pi) ** 2, rel=1e-14)


@pytest.mark.parametrize("ipix", [[3, 2], [3, 3]])
def test_skymap_with_pixels_not_ascending_is_refused(ipix):
    with pytest.raises(ValueError, match="not ascending"):
        make(ipix)


@pytest.mark.parametrize("ipix", [[-1], [48]])
def test_skymap_with_pixel_that_does_not_exist_is_refused(ipix):
    with pytest.raises(ValueError, match=f"pixel {ipix[0]}: allowed are 0 to 47"):
        make(ipix)


def test_skymap_with_column_of_other_length_is_refused():
    with pytest.raises(ValueError, match=r"column 'ts' has shape \(2,\), the map has 1 pixels"):
        make([3], ts=[1.0, 2.0])
