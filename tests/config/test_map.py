import pytest

from skyquilt.config import parse_config
from skyquilt.config.map import Cone, PixelList, Polygon
from skyquilt.errors import ConfigError

CENTER = {"lon": 10, "lat": 20, "frame": "galactic"}


def map_of(settings, **changes):
    settings["analyses"]["a"]["map"] = changes
    return parse_config(settings).analyses["a"].map


@pytest.mark.parametrize("nside", [1, 2, 16, 8192])
def test_nside_that_is_a_power_of_two_is_taken(settings, nside):
    assert map_of(settings, nside=nside).nside == nside


@pytest.mark.parametrize("nside", [0, -2, 3, 12, 16384])
def test_nside_that_is_no_power_of_two_names_key_and_value(settings, nside):
    with pytest.raises(ConfigError, match=rf"analyses\.a\.map\.nside: nside {nside}: allowed are"):
        map_of(settings, nside=nside)


@pytest.mark.parametrize(
    ("region", "kind"),
    [
        ({"center": CENTER, "radius": 5}, Cone),
        ({"vertices": [CENTER, {**CENTER, "lon": 20}, {**CENTER, "lat": 30}]}, Polygon),
        ({"pixels": [1, 2]}, PixelList),
    ],
)
def test_region_is_known_by_its_keys(settings, region, kind):
    assert isinstance(map_of(settings, region=region).region, kind)


@pytest.mark.parametrize(
    "region",
    [
        {"center": CENTER, "radius": 0},
        {"center": CENTER, "radius": 181},
        {"vertices": [CENTER, CENTER]},
        {"pixels": []},
        {"pixels": [-1]},
        {"center": CENTER},
        {},
    ],
)
def test_region_that_is_none_is_refused(settings, region):
    with pytest.raises(ConfigError, match=r"analyses\.a\.map\.region"):
        map_of(settings, region=region)


def test_region_of_no_kind_tells_the_kinds(settings):
    with pytest.raises(ConfigError, match=r"region: give `center` and `radius`, or `vertices`, or"):
        map_of(settings, region={"radius": 5})


def test_center_without_frame_is_the_only_mistake(settings):
    with pytest.raises(ConfigError) as caught:
        map_of(settings, region={"center": {"lon": 1, "lat": 2}, "radius": 5})

    place, message = "analyses.a.map.region.center", "the position has no frame: add"
    assert str(caught.value).startswith(f"configuration: {place}: {message}")
    assert ";" not in str(caught.value)
