import copy
import re

import pytest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError

_SPECTRUM = {
    "model": "power_law",
    "norm": "1 cm-2 s-1 keV-1",
    "pivot": "100 keV",
    "index": -2,
}
_BINNING = {
    "events": "events.fits",
    "output": "binned.h5",
    "frame": "galactic",
    "time_edges": [0, 1],
    "energy_edges": ["1 keV", "2 keV"],
    "phi_width": "10 deg",
    "nside": 1,
}
_IMAGING = {
    "events": {"path": "events.fits"},
    "background": {"path": "background.fits"},
    "exposure": {"path": "exposure.fits"},
    "psf": {"path": "psf.fits"},
}
_CUBE = {name: _IMAGING[name] for name in ("background", "exposure", "psf")} | {
    "counts": {"path": "counts.fits"}
}
_SOURCE = {
    "position": {"lon": 0, "lat": 0, "frame": "icrs"},
    "spectrum": _SPECTRUM,
}

INPUTS = [
    "analyses.a.data.counts.0.path",
    "analyses.a.data.background.path",
    "analyses.a.data.response",
    "analyses.a.data.orientation",
    "analyses.a.sources.catalogue.path",
    "analyses.events.data.events.path",
    "analyses.events.data.background.path",
    "analyses.events.data.exposure.path",
    "analyses.events.data.psf.path",
    "analyses.cube.data.counts.path",
    "analyses.file.data.file",
    "binning.b.events",
]
OUTPUTS = ["results", "cache", "simulation.folder", "binning.b.output"]


@pytest.fixture
def settings(settings, monkeypatch):
    """Configuration that has every key of a path; the home folder is /home/me."""
    monkeypatch.setenv("HOME", "/home/me")
    settings["analyses"]["a"]["sources"] = {"catalogue": {"path": "catalogue.fits"}}
    for name, data in {"events": _IMAGING, "cube": _CUBE, "file": {"file": "all.fits"}}.items():
        settings["analyses"][name] = copy.deepcopy(
            {"instrument": "imaging", "data": data, "spectrum": _SPECTRUM}
        )
    simulation = {"folder": "data", "sources": {"one": _SOURCE}}
    return settings | copy.deepcopy(
        {"results": "r", "cache": "c", "simulation": simulation, "binning": {"b": _BINNING}}
    )


def _place(settings, key):
    """Section that holds a key, and the key in it."""
    *sections, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    for section in sections:
        settings = settings[section]
    return settings, last


def _get(config, key):
    """Value of a key in a resolved configuration."""
    section, last = _place(config.model_dump(mode="json"), key)
    return section[last]


@pytest.mark.parametrize("key", INPUTS + OUTPUTS)
@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("./~/x", "./~/x"),
        ("x~", "x~"),
        ("${HOME}/x", "/home/me/x"),
        ("${NOT_SET:-there}/x", "there/x"),
        ("price $5.h5", "price $5.h5"),
        ("données/a b'\".h5", "données/a b'\".h5"),
    ],
)
def test_paths_are_read_alike_everywhere(settings, monkeypatch, key, text, path):
    monkeypatch.delenv("NOT_SET", raising=False)
    if key == "binning.b.output":  # the one output that must lie in a folder that is written
        settings["results"] = "/home/me"
    section, last = _place(settings, key)
    section[last] = text

    config = parse_config(settings)

    assert _get(config, key) == path
    assert parse_config(config.model_dump(mode="json")) == config


@pytest.mark.parametrize("key", INPUTS + OUTPUTS)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$SCRATCH/x", r"\$SCRATCH is not replaced: write \$\{SCRATCH\}, or \$\{SCRATCH:-default"),
        ("x/${SCRATCH", r"\$\{SCRATCH is not replaced: write \$\{SCRATCH\}"),
        ("x/${}", r"\$\{ is not replaced: write \$\{NAME\}"),
        ("~/x", r"~ is not replaced: write \$\{HOME\}/x, or './~/x' if that is the name"),
        ("~", r"~ is not replaced: write \$\{HOME\}, or './~' if"),
        ("~me/x", "~me is not replaced: write the full path, or"),
        ("${NOT_SET:-~}/x", "~ is not replaced"),
        ("{x}.h5", "allowed are printable letters other than braces"),
        ("a\nb", "allowed are printable letters"),
        ("a\x00b", "allowed are printable letters"),
        ("", "at least one"),
        (" ", "at least one"),
    ],
)
def test_paths_are_refused_alike_everywhere(settings, monkeypatch, key, text, message):
    monkeypatch.delenv("NOT_SET", raising=False)
    section, last = _place(settings, key)
    section[last] = text

    with pytest.raises(ConfigError, match=rf"{re.escape(key)}: .*{message}"):
        parse_config(settings)


@pytest.mark.parametrize("key", OUTPUTS)
@pytest.mark.parametrize("text", ["../x", "x/../../y", "a/../y"])
def test_what_is_written_stays_in_its_place(settings, key, text):
    section, last = _place(settings, key)
    section[last] = text

    with pytest.raises(ConfigError, match=rf"{re.escape(key)}: .*`\.\.` is not allowed"):
        parse_config(settings)


def test_all_keys_of_paths_are_in_these_tests(settings):
    """A text without limits that ends in a file is one of `INPUTS` or `OUTPUTS`."""
    found = set()

    def walk(value, place):
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                walk(item, [*place, str(key)])
        elif isinstance(value, str) and re.search(r"\.(fits|h5|ori)$", value):
            found.add(".".join(place))

    walk(parse_config(settings).model_dump(mode="json"), [])
    known = {*INPUTS, *OUTPUTS}
    assert {
        re.sub(r"^analyses\.cube\.data\.(?!counts)", "analyses.events.data.", key) for key in found
    } <= known
