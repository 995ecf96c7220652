import pytest
from pydantic import TypeAdapter, ValidationError

from skyquilt.config.shape import Shape

READ = TypeAdapter(Shape).validate_python


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "point"},
        {"model": "disk", "radius": 0.378},
        {"model": "gaussian", "sigma": 30},
        {"model": "ring", "inner": 0.4, "outer": 0.5},
        {"model": "elliptical_gaussian", "sigma": 1, "ratio": 1, "angle": -40},
        {"model": "map", "path": "shell.fits", "normalise": True, "frame": "icrs"},
        {"model": "map", "path": "a.fits", "center": {"lon": 1, "lat": 2, "frame": "galactic"}},
    ],
)
def test_shapes_that_are_possible(settings):
    assert READ(settings).model == settings["model"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "disk", "radius": 0}, "greater than 0"),
        ({"model": "disk", "radius": 31}, "less than or equal to 30"),
        ({"model": "disk", "radius": float("nan")}, "radius"),
        ({"model": "disk", "sigma": 1}, "radius"),
        ({"model": "point", "radius": 1}, "radius"),
        ({"model": "ring", "inner": 0.5, "outer": 0.5}, "not below the outer"),
        ({"model": "elliptical_gaussian", "sigma": 1, "ratio": 1.1, "angle": 0}, "ratio"),
        ({"model": "square", "side": 1}, "disk"),
        ({"model": "map"}, "path"),
        ({"model": "map", "path": "a.fits", "frame": "fk5"}, "icrs"),
        ({"model": "map", "path": "a.fits", "center": {"lon": 1, "lat": 2}}, "frame"),
        ({"model": "map", "path": "~/a.fits"}, "not replaced"),
        ({"model": "map", "path": "a.fits", "radius": 1}, "radius"),
        ({"radius": 1}, "model"),
    ],
)
def test_shapes_that_are_not_possible(settings, message):
    with pytest.raises(ValidationError, match=message):
        READ(settings)
