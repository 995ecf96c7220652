import pytest
from pydantic import ValidationError

from skyquilt.config.position import Position


@pytest.mark.parametrize("frame", ["galactic", "icrs", "fk5", "barycentricmeanecliptic"])
def test_position_in_sky_frame_keeps_it(frame):
    assert Position(lon=93, lat=-53, frame=frame).frame == frame


@pytest.mark.parametrize("settings", [{}, {"frame": None}])
def test_position_without_frame_says_so(settings):
    with pytest.raises(ValidationError, match="the position has no frame: add `frame: galactic`"):
        Position.model_validate({"lon": 93, "lat": -53, **settings})


# unknown; needs a time and a place; needs a distance
@pytest.mark.parametrize("frame", ["galaxy", "Galactic", "altaz", "galactocentric"])
def test_position_in_unusable_frame_names_usable_ones(frame):
    with pytest.raises(ValidationError, match=f"'{frame}' is no frame .* use galactic, icrs"):
        Position(lon=93, lat=-53, frame=frame)


@pytest.mark.parametrize(("lon", "lat"), [(-181, 0), (361, 0), (0, -91), (0, 91), (0, "nan")])
def test_position_outside_the_sphere_is_refused(lon, lat):
    with pytest.raises(ValidationError, match="should be"):
        Position(lon=lon, lat=lat, frame="icrs")


def test_position_with_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="unit\n  Extra inputs are not permitted"):
        Position(lon=93, lat=-53, frame="icrs", unit="deg")
