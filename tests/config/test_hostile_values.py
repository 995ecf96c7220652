"""Every key of the configuration with values that nobody should give: one message, no traceback."""

import math
from datetime import date

import pytest

from skyquilt.config import parse_config
from skyquilt.config.schema import schema
from skyquilt.errors import ConfigError

POSITION = {"lon": 10, "lat": 20, "frame": "icrs"}
POWER_LAW = {
    "model": "power_law",
    "norm": "1 cm-2 s-1 keV-1",
    "pivot": "100 keV",
    "index": -2,
}
SPECTRA = {
    "power_law": POWER_LAW | {"index": 2, "rises": True},
    "cutoff_power_law": POWER_LAW | {"model": "cutoff_power_law", "cutoff": "1 MeV"},
    "log_parabola": POWER_LAW | {"model": "log_parabola", "curvature": 0.1},
    "broken_power_law": {"model": "broken_power_law", "norm": "1 cm-2 s-1 keV-1"}
    | {"break_energy": "100 keV", "index_low": -1.5, "index_high": -2.5},
    "band": {"model": "band", "norm": "1 cm-2 s-1 keV-1", "pivot": "100 keV"}
    | {"alpha": -1, "beta": -2.3, "peak": "300 keV"},
}
REGIONS = {
    "cone": {"center": POSITION, "radius": 10},
    "polygon": {"vertices": [POSITION, POSITION | {"lon": 20}, POSITION | {"lat": 30}]},
    "list": {"pixels": [1, 2]},
}
SHAPES = {
    "point": {"model": "point"},
    "disk": {"model": "disk", "radius": 1.0},
    "gaussian": {"model": "gaussian", "sigma": 1.0},
    "ring": {"model": "ring", "inner": 1.0, "outer": 2.0},
    "elliptical_gaussian": {"model": "elliptical_gaussian", "sigma": 1.0, "ratio": 0.5, "angle": 9},
}
LOCAL = {
    "frame": "local",
    "counts": [{"path": "counts.h5", "label": "a", "scale": 1.5}],
    "background": {"path": "background.h5", "scale": 2.0, "interval": [0, 1]},
    "response": "response.h5",
    "orientation": "orientation.ori",
    "interval": [0, 10],
    "zero_background": "mask",
    "time_weights": "livetime",
    "earth_occultation": True,
    "accept": ["totals"],
}
EVENTS = {
    "events": {"path": "events.fits", "energy_unit": "MeV"},
    "background": {"path": "b.fits", "frame": "icrs", "energy_unit": "keV", "scale": 1.0},
    "exposure": {"path": "e.fits", "frame": "icrs", "energy_unit": "keV", "unit": "cm2 s"},
    "psf": {"path": "p.fits", "energy_unit": "keV", "angle_unit": "deg", "normalise": True},
    "lost_fraction": 0.01,
    "accept": ["totals"],
}
CUBE = {key: EVENTS[key] for key in ("background", "exposure", "psf")} | {
    "counts": {"path": "counts.fits", "frame": "icrs", "energy_unit": "keV"}
}
SOURCES = {
    "threshold": 20,
    "method": "peaks",
    "min_separation": 1.0,
    "max_sources": 10,
    "prefix": "X",
    "catalogue": {"path": "c.fits", "table": "T", "name": "n", "lon": "x", "lat": "y"}
    | {"frame": "icrs", "lon_unit": "deg", "lat_unit": "deg", "error": "e", "radius": 2.0},
}
FULL = {
    "data": LOCAL,
    "energy": {"range": ["100 keV", "1 MeV"], "sum_channels": True},
    "spectrum": POWER_LAW,
    "map": {"nside": 4, "ordering": "ring", "frame": "icrs", "region": REGIONS["cone"]},
    "fit": {"allow_negative": True, "limits": True, "confidence_level": 0.9, "chunks": 2}
    | {"background": "fixed"},
    "refine": {"enabled": True, "drop": 5.0, "max_order": 8, "chunks": True},
    "localise": {"levels": [0.5, 0.9], "prior": "exposure", "systematic_error": 0.1}
    | {"max_nside": 128, "true_position": POSITION},
    "calibrate": {"null_skies": 100, "injections": 20, "fluxes": [1.0, 2.0], "nside": 4}
    | {"detection_ts": 20.0, "skies_per_job": 5, "seed": 3},
    "sources": SOURCES,
    "plots": {"colormap": "magma"},
}
SIMULATION = {
    "seed": 2,
    "folder": "data",
    "start": 0.0,
    "duration": "1 d",
    "resolution": {"nside_local": 2, "nside_sky": 2, "nside_psichi": 2, "n_phi": 6}
    | {"energy_edges": ["100 keV", "1 MeV"]},
    "orbit": {"inclination": 5, "zenith_ra": 0, "rocking": 20, "step": "15 s", "burst_step": "1 s"},
    "background": {"rate": "25 s-1", "events": {"formats": ["hdf5"], "interval": [0, 10]}},
    "sources": {
        "one": {"position": POSITION, "spectrum": POWER_LAW, "interval": [0, 10]}
        | {"events": {"formats": ["hdf5"], "interval": [0, 5]}}
    },
    "overflow_bins": True,
}
BINNING = {"events": "e.fits", "output": "b.h5", "frame": "local", "phi_width": "10 deg"} | {
    "energy_edges": ["1 keV", "2 keV"],
    "nside": 1,
}


def _analysis(**changes):
    return {"analyses": {"a": {**FULL, **changes}}}


def _imaging(data, **changes):
    analysis = {"instrument": "imaging", "data": data, "spectrum": POWER_LAW, **changes}
    return {"analyses": {"a": analysis}}


CONFIGURATIONS = {
    "compton": _analysis() | {"results": "r", "cache": "c", "simulation": SIMULATION},
    "galactic": _analysis(
        data={**LOCAL, "frame": "galactic", "interpolation": "nearest", "earth_occultation": False}
        | {"response_interval": [0, 10]},
        energy={"channels": [0, 2]},
        sources=None,
        fit={"background": "free"},
    ),
    "response scale": {
        "analyses": {
            "a": {
                "data": {"frame": "galactic", "response": "r.h5", "response_scale": 2.0}
                | {"counts": [{"path": "c.h5"}], "background": {"path": "b.h5"}},
                "spectrum": POWER_LAW,
            }
        }
    },
    "events": _imaging(EVENTS),
    "cube": _imaging(CUBE),
    "file": _imaging(
        {"file": "all.fits", "normalise": True, "lost_fraction": 0.01, "accept": ["totals"]}
    ),
    "spectra": _analysis(spectrum=None, spectra=SPECTRA, sources=None),
    "datasets": {
        "analyses": {
            "a": {
                "datasets": {
                    "one": {"instrument": "compton", "data": LOCAL, "energy": {"channels": [0, 1]}},
                    "two": {"instrument": "imaging", "data": EVENTS},
                },
                "spectrum": POWER_LAW,
            }
        }
    },
    **{name: _imaging({"file": "all.fits"}, shape=shape) for name, shape in SHAPES.items()},
    "polygon": _analysis(map={"region": REGIONS["polygon"]}),
    "pixels": _analysis(map={"region": REGIONS["list"]}),
    "time edges": _analysis() | {"binning": {"b": BINNING | {"time_edges": [0, 1, 2]}}},
    "time bins": _analysis()
    | {"binning": {"b": BINNING | {"time_bin": "1 s", "interval": [0, 10]}}},
}

WRONG = {
    "nothing": None,
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "zero": 0,
    "negative": -7,
    "huge": 10**400,
    "huge float": 1e308,
    "fraction": 0.123456789,
    "true": True,
    "text": "perhaps",
    "empty text": "",
    "long text": "x" * 5000,
    "unprintable": "a\nb\x00\u202e",
    "braces": "{x}",
    "unit of another kind": "5 furlong",
    "quantity not a number": "nan keV",
    "infinite quantity": "1e999 keV",
    "negative quantity": "-5 keV",
    "zero quantity": "0 s",
    "zero angle": "0 deg",
    "list": [1, 2],
    "empty list": [],
    "list of NaN": [math.nan, math.nan],
    "list of infinities": [-math.inf, math.inf],
    "list of lists": [[1], [2]],
    "list of texts": ["a", "b"],
    "falling list": [5, 1],
    "list of true": [True, False],
    "keys": {"a": 1},
    "no keys": {},
    "date": date(2026, 1, 1),
    "bytes": b"x",
    "set": {1, 2},
}


def _places(value, place=()):
    """Places of all keys and entries of nested settings."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*place, key)
        if isinstance(item, dict | list | tuple):
            yield from _places(item, (*place, key))


def _copy(value):
    """Copy in which nothing is shared between two places."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _put(settings, place, value):
    section = settings = _copy(settings)
    for key in place[:-1]:
        section = section[key]
    if value is _MISSING:
        del section[place[-1]]
    else:
        section[place[-1]] = value
    return settings


_MISSING = object()


def _cases():
    """Each key of each section once, with a configuration that has it."""
    cases = {}
    for name, settings in CONFIGURATIONS.items():
        for place in _places(settings):
            keys = tuple("0" if isinstance(key, int) else key for key in place[-2:])
            cases.setdefault(keys, (f"{name}: {'.'.join(map(str, place))}", settings, place))
    return cases.values()


CASES = {name: (settings, place) for name, settings, place in _cases()}


@pytest.mark.parametrize("settings", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_configurations_of_these_tests_are_good(settings):
    parse_config(settings)


def _steps(node):
    """Keys that lead from a piece of the schema to others, with these; keys None are entries."""
    if "$ref" in node:
        node = SCHEMA["$defs"][node["$ref"].rpartition("/")[2]]
    for other in [*node.get("anyOf", ()), *node.get("oneOf", ())]:
        yield from _steps(other)
    for key, inner in node.get("properties", {}).items():
        fixed = {
            name: one["const"]
            for name, one in node["properties"].items()
            if "const" in one and name != key
        }
        yield key, inner, fixed
    named = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    for inner in named:
        if isinstance(inner, dict):
            yield "a", inner, {}
    if isinstance(node.get("items"), dict):
        yield None, node["items"], {}


def _nested(place, wrong):
    """Settings with a value at a place, and the constants on the way."""
    value = wrong
    for key, fixed in reversed(place):
        value = [value] if key is None else {key: value, **fixed}
    return value


def _all_places(node, place=(), seen=()):
    """Each key of each section of the schema, by one way that leads there."""
    for key, inner, fixed in _steps(node):
        instruments = ("compton", "imaging") if key == "data" else (None,)
        for instrument in instruments:
            here = fixed | ({"instrument": instrument} if instrument else {})
            yield (*place, (key, here))
            if id(inner) not in seen:
                yield from _all_places(inner, (*place, (key, here)), (*seen, id(inner)))


SCHEMA = schema()
ALL_PLACES = {
    tuple((key, *sorted(fixed.items())) for key, fixed in place[-2:]): place
    for place in _all_places(SCHEMA)
}


def test_every_key_of_the_schema_is_tried():
    known = {key for one in SCHEMA["$defs"].values() for key in one.get("properties", {})}

    assert known <= {place[-1][0] for place in ALL_PLACES.values()}


@pytest.mark.parametrize("what", [*WRONG, "missing"])
def test_wrong_value_of_any_key_of_the_schema_is_one_message(what):
    """Whatever else is missing there, so that this needs no list of what is right."""
    for place in ALL_PLACES.values():
        wrong = WRONG.get(what, {})
        settings = _nested(place[:-1], place[-1][1]) if what == "missing" else _nested(place, wrong)
        try:
            parse_config(settings, source="c.yaml")
        except ConfigError as error:
            _check_text(str(error), (place, what))


@pytest.mark.parametrize(("settings", "place"), CASES.values(), ids=CASES)
def test_wrong_value_is_one_message_that_names_the_key(settings, place):
    for what, wrong in (WRONG | {"missing": _MISSING}).items():
        changed = _put(settings, place, wrong)
        try:
            config = parse_config(changed, source="c.yaml")
        except ConfigError as error:
            _check_message(str(error), place, what)
        else:
            _check_taken(config, place, what, wrong)


def _check_text(text, what):
    assert text.startswith("c.yaml: "), what
    assert "\n" not in text, what
    assert len(text) < 4000, (what, len(text))
    for word in ("Traceback", "pydantic", "Input should", "validation error"):
        assert word not in text, (what, text)


def _check_message(text, place, what):
    _check_text(text, what)
    keys = [str(key) for key in place if not isinstance(key, int)]
    assert any(key in text for key in keys[-2:]), (what, text)


def _check_taken(config, place, what, wrong):
    """What is taken is finite, and no number that was made of something else."""
    value = config.model_dump(mode="json")
    assert _all_finite(value), what
    if wrong is True or what == "list of true":
        for key in place:
            value = value[key]
        assert value == wrong, what
        assert isinstance(value, bool | dict), what


def _all_finite(value):
    if isinstance(value, dict):
        return all(map(_all_finite, value.values()))
    if isinstance(value, list):
        return all(map(_all_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
