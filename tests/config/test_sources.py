import pytest
from pydantic import ValidationError

from skyquilt.config.sources import Catalogue, SourceOptions


@pytest.mark.parametrize(
    "settings",
    [
        {"threshold": 0},
        {"min_separation": 0},
        {"min_separation": 200},
        {"max_sources": 0},
        {"method": "guess"},
        {"prefix": "a b"},
        {"prefix": ""},
        {"catalogue": {}},
        {"thresh": 25},
    ],
)
def test_setting_that_is_not_possible_is_refused(settings):
    with pytest.raises(ValidationError):
        SourceOptions(**settings)


def test_sources_need_a_fixed_background(local):
    from skyquilt.config import parse_config
    from skyquilt.errors import ConfigError

    local.settings |= {"sources": {}, "fit": {"background": "free"}}
    with pytest.raises(ConfigError, match="`sources` needs `fit"):
        parse_config(local.raw_config())


@pytest.mark.parametrize("given", [{"lon": "a"}, {"lon": "a", "lat": "b"}, {"frame": "icrs"}])
def test_columns_of_a_catalogue_are_given_with_their_frame(given):
    with pytest.raises(ValidationError, match="give `lon`, `lat` and `frame`, or none"):
        Catalogue(path="x.fits", **given)


def test_columns_of_a_catalogue_with_frame_are_allowed():
    options = Catalogue(path="x.fits", lon="a", lat="b", frame="galactic", table=2)
    assert (options.radius, options.table) == (1.0, 2)
