import numpy as np
import pytest

from skyquilt.maps.skymap import SkyMap
from skyquilt.maps.source_positions import SourcePositions
from skyquilt.plots.fit_maps import plot_flux_map, plot_limit_map
from skyquilt.plots.marks import Marks
from skyquilt.plots.patch import find_patch, plot_ts_patch
from skyquilt.plots.region_map import plot_region
from skyquilt.plots.regions import OutlinedRegion
from skyquilt.plots.skymap import UNFITTED
from skyquilt.sky.frames import lonlat_to_vec, separation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import cone, ipix_from_ranges

NSIDE = 64
CENTRE = lonlat_to_vec(83.6, 22.0)
MARKS = Marks("icrs", (83.6, 22.0), None)


def make_map(radius, nside=NSIDE):
    """TS falls with the distance from the centre; flux is a tenth of it."""
    ipix = ipix_from_ranges(cone(nside, CENTRE, radius))
    ts = 100 * np.exp(-separation(nest_to_vec(nside, ipix), CENTRE))
    return SkyMap(nside, "icrs", ipix, {"ts": ts, "photon_flux": ts / 10})


def test_patch_holds_all_pixels_and_little_more():
    skymap = make_map(8)

    patch = find_patch(skymap)

    pixel = np.sqrt(skymap.pixel_area)
    assert separation(patch.centre, CENTRE) < pixel
    for half in patch[1:]:
        assert 8 < half < 8 + 3 * pixel


@pytest.mark.parametrize("radius", [45, 120, 180])
def test_large_parts_are_no_patch(radius):
    assert find_patch(make_map(radius, nside=8)) is None


def test_scattered_pixels_are_no_patch():
    ipix = np.array([0, 400])
    skymap = SkyMap(8, "icrs", ipix, {"ts": np.ones(2)})

    assert find_patch(skymap) is None


def test_ts_patch_shows_the_map_where_it_is():
    skymap = make_map(8)
    figure = plot_ts_patch(skymap, find_patch(skymap), MARKS, "crab", "viridis")

    axes = figure.axes[0]
    values = axes.images[0].get_array()
    assert values.max() == skymap.ts.max()
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert abs(row / values.shape[0] - 0.5) < 0.06  # of the patch, that is a pixel
    assert abs(column / values.shape[1] - 0.5) < 0.06
    assert values.mask[0, 0]
    assert axes.get_title() == "crab: TS"
    assert axes.get_xlabel() == "right ascension [deg]"
    assert figure.axes[1].get_xlabel() == "TS"


def test_longitude_increases_to_the_left():
    skymap = make_map(8)
    axes = plot_ts_patch(skymap, find_patch(skymap), MARKS, "crab", "viridis").axes[0]

    labels = [float(label.get_text().rstrip("°")) for label in axes.get_xticklabels()]
    assert np.all(np.diff(axes.get_xticks()) > 0)
    assert np.all(np.diff(labels) < 0)


def test_flux_patch_names_energies_and_grey_pixels():
    skymap = make_map(8)
    figure = plot_flux_map(skymap, MARKS, "crab", (1e9, 1e10), None)

    assert figure.axes[1].get_xlabel().endswith("1\N{EN DASH}10 TeV")
    entries = {
        text.get_text(): handle
        for text, handle in zip(
            figure.legends[0].get_texts(), figure.legends[0].legend_handles, strict=True
        )
    }
    assert entries["not fitted"].get_facecolor()[0] == pytest.approx(float(UNFITTED))


def test_wide_patch_is_a_wide_figure():
    ipix = ipix_from_ranges(cone(NSIDE, CENTRE, 20))
    lat = np.degrees(np.arcsin(nest_to_vec(NSIDE, ipix)[:, 2]))
    ipix = ipix[np.abs(lat - 22) < 5]
    skymap = SkyMap(NSIDE, "icrs", ipix, {"ts": np.arange(ipix.size, dtype=float)})
    patch = find_patch(skymap)

    axes = plot_ts_patch(skymap, patch, MARKS, "wide", "viridis").axes[0]

    assert patch.half_width > 2 * patch.half_height
    box, figure = axes.get_position(), axes.figure
    width, height = box.width * figure.get_figwidth(), box.height * figure.get_figheight()
    assert width / height == pytest.approx(patch.half_width / patch.half_height, rel=1e-6)


def test_ts_patch_marks_the_sources_where_they_are():
    skymap = make_map(8)
    unused = np.zeros(2)
    given = SourcePositions(np.array([83.6, 86.0]), np.array([22.0, 20.0]), unused, unused)
    patch = find_patch(skymap)
    figure = plot_ts_patch(skymap, patch, MARKS, "crab", "viridis", given)

    (rings,) = (line for line in figure.axes[0].lines if line.get_gid() == "sources")
    x, y = rings.get_xydata().T
    first, second = lonlat_to_vec(given.ra, given.dec)
    # the projection keeps areas; distances at 3 deg change by 1e-3
    assert np.hypot(*np.diff([x, y])) == pytest.approx(separation(first, second), rel=2e-3)
    assert any("2 sources" in text.get_text() for text in figure.legends[0].get_texts())


def test_legend_lies_within_the_figure():
    given = SourcePositions(np.array([83.6]), np.array([22.0]), np.zeros(1), np.zeros(1))
    skymap, marks = make_map(8), MARKS._replace(true=(83.633, 22.014), n_decimals=2)
    figure = plot_ts_patch(skymap, find_patch(skymap), marks, "crab", "viridis", given)
    figure.draw_without_rendering()

    box = figure.legends[0].get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width


def test_limits_and_regions_of_a_part_are_as_large_as_the_part():
    skymap = make_map(8)
    for name in ("flux", "photon_flux", "flux_ul"):
        skymap.columns[name] = skymap.ts / 50
    ends = lonlat_to_vec(np.array([[82.6, 84.6]]), np.array([[21.0, 23.0]]))
    entry = {"level": 0.9, "area_deg2": 4.0, "n_pixels": 4, "n_parts": 1}
    entry |= {"is_resolved": False, "is_cut": False}
    region = OutlinedRegion("containment", entry, ends)

    limit = plot_limit_map(skymap, MARKS, "crab", (1e9, 1e10), None)
    around = plot_region(skymap, region, MARKS, "crab")

    for figure in (limit, around):
        assert figure.axes[0].get_xlim()[1] == pytest.approx(find_patch(skymap).half_width)
    (line,) = [line for line in around.axes[0].lines if line.get_gid() == "region"]
    # a degree of declination from the centre, to the right at smaller longitude; the middle of
    # the patch, whose pixels have 0.9 deg, is a few hundredths of a degree beside it
    np.testing.assert_allclose(line.get_xdata()[:2], [0.93, -0.92], atol=0.05)
    np.testing.assert_allclose(line.get_ydata()[:2], [-1, 1], atol=0.05)
    (name,) = [text.get_text() for text in around.legends[0].texts if "90 %" in text.get_text()]
    assert "\n" not in name
