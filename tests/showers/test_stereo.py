"""Showers from ideal images, and what does not change them."""

from dataclasses import replace

import numpy as np
import pytest

from skyquilt.showers.stereo import StereoImages, impact_distances, reconstruct_showers

POINTING = (np.deg2rad(70.0), np.deg2rad(180.0))
POSITION = np.array([[0, 0, 5], [100, 30, 0], [-70, 90, -10], [20, -120, 3.0]])


def direction(alt, az):
    """Unit vector: north, west, up."""
    return np.stack([np.cos(alt) * np.cos(az), -np.cos(alt) * np.sin(az), np.sin(alt)], axis=-1)


def seen(vector, pointing):
    """Where a telescope sees a direction: fov_lon, fov_lat [rad]."""
    alt, az = pointing
    middle = direction(alt, az)
    lon = np.array([-np.sin(az), -np.cos(az), 0])
    lat = np.array([-np.sin(alt) * np.cos(az), np.sin(alt) * np.sin(az), np.cos(alt)])
    return np.arctan2(vector @ lon, vector @ middle), np.arcsin(vector @ lat)


def ideal(alt, az, core, height, pointings):
    """Images of a thin shower: the maximum, and the axis far away, seen by each telescope."""
    axis = direction(alt, az)
    top = np.array([*core, 0.0]) + axis * height / axis[2]
    rows = []
    for position, pointing in zip(POSITION, pointings, strict=True):
        to_top = (top - position) / np.linalg.norm(top - position)
        (lon, lat), (far_lon, far_lat) = seen(to_top, pointing), seen(axis, pointing)
        rows.append((lon, lat, np.arctan((far_lat - lat) / (far_lon - lon))))
    lon, lat, psi = np.array(rows).T
    n = len(POSITION)
    # the kernel takes a second point on the axis, here close by: planes are exact to its square
    return StereoImages(
        *(lon, lat, psi, np.full(n, 1e-3), np.arange(1.0, n + 1)),
        pointing=np.array(pointings),
        position=POSITION,
    )


@pytest.mark.parametrize("spread", [0, 0.01])  # parallel and divergent pointing
def test_an_ideal_shower_is_found(spread):
    alt, az, core = np.deg2rad(70.4), np.deg2rad(181.0), (40.0, -25.0)
    pointings = [(POINTING[0] + spread * k, POINTING[1] - spread * k) for k in range(4)]
    images = ideal(alt, az, core, 9000.0, pointings)
    found = reconstruct_showers(np.array([0, 4]), images, np.array([POINTING]))
    # fov_lon and fov_lat are angles on a sphere: lines in them are planes to some 1e-5 rad here
    assert found.alt[0] == pytest.approx(alt, abs=2e-5)
    assert found.az[0] == pytest.approx(az, abs=5e-5)
    assert (found.core_x[0], found.core_y[0]) == pytest.approx(core, abs=0.5)
    assert found.height[0] == pytest.approx(9000, rel=1e-6)
    assert found.error[0] < 1e-3


def test_events_do_not_depend_on_each_other():
    pointings = [POINTING] * 4
    one = ideal(1.22, 3.15, (40.0, -25.0), 9000.0, pointings)
    two = ideal(1.23, 3.12, (-80.0, 15.0), 7000.0, pointings)
    both = StereoImages(
        **{name: np.concatenate([vars(one)[name], vars(two)[name]]) for name in vars(one)}
    )
    arrays = np.array([POINTING, POINTING])
    together = reconstruct_showers(np.array([0, 4, 8]), both, arrays)
    for number, images in enumerate((one, two)):
        alone = reconstruct_showers(np.array([0, 4]), images, arrays[:1])
        for name in ("alt", "az", "core_x", "core_y", "height", "error"):
            assert vars(alone)[name][0] == vars(together)[name][number]


def test_order_and_scale_of_weights_do_not_matter():
    images = ideal(1.22, 3.15, (40.0, -25.0), 9000.0, [POINTING] * 4)
    found = reconstruct_showers(np.array([0, 4]), images, np.array([POINTING]))
    order = [2, 0, 3, 1]
    other = StereoImages(**{name: values[order] for name, values in vars(images).items()})
    other = replace(other, weight=7 * other.weight)
    moved = reconstruct_showers(np.array([0, 4]), other, np.array([POINTING]))
    assert moved.alt[0] == pytest.approx(found.alt[0], abs=1e-14)
    assert moved.core_x[0] == pytest.approx(found.core_x[0], abs=1e-8)


def test_one_image_is_no_shower():
    images = ideal(1.22, 3.15, (40.0, -25.0), 9000.0, [POINTING] * 4)
    with pytest.raises(ValueError, match="fewer than 2 images"):
        reconstruct_showers(np.array([0, 1]), images, np.array([POINTING]))


def test_impact_distance_of_a_slanted_axis():
    """An axis at 45 deg towards north: a telescope on the axis has distance 0."""
    alt, az = np.array([np.pi / 4]), np.array([0.0])
    on_axis = np.array([[10.0, 0, 10]])
    assert impact_distances(on_axis, np.zeros((1, 2)), alt, az) == pytest.approx([0], abs=1e-12)
    beside = np.array([[10.0, 0, 0]])
    found = impact_distances(beside, np.zeros((1, 2)), alt, az)
    assert found == pytest.approx([10 / np.sqrt(2)])
