"""Section `populations`: what is refused, and how it is said."""

import copy

import pytest

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError

LAW = {"model": "power_law", "norm": "1e-15 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.2}
FILES = ("events", "background", "exposure", "psf")
CONFIG = {
    "analyses": {
        "a": {
            "instrument": "imaging",
            "data": {name: {"path": f"{name}.fits"} for name in FILES},
            "populations": {
                "components": {
                    "even": {"isotropic": True, "spectrum": LAW},
                    "known": {"background": True},
                }
            },
        }
    }
}


def changed(**changes):
    config = copy.deepcopy(CONFIG)
    populations = config["analyses"]["a"]["populations"]
    for key, value in changes.items():
        section, _, name = key.rpartition("__")
        (populations[section] if section else populations)[name] = value
    return config


def test_analysis_of_populations_needs_no_spectrum_and_has_no_map():
    analysis = parse_config(CONFIG).analyses["a"]
    assert not analysis.has_map
    assert analysis.populations.alphas(("even", "known")) == [1.0, 1.0]


def test_exponents_of_the_prior_that_are_not_named_are_1():
    analysis = parse_config(changed(alpha={"known": 2.5})).analyses["a"]
    assert analysis.populations.alphas(("even", "known")) == [1.0, 2.5]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"components__even": {"isotropic": True}}, "isotropic needs a `spectrum`"),
        ({"components__even": {"spectrum": LAW}}, "give one of template, catalogue, isotropic"),
        (
            {"components__even": {"isotropic": True, "background": True, "spectrum": LAW}},
            "given: isotropic, background",
        ),
        (
            {"components__known": {"background": True, "spectrum": LAW}},
            "a background has its own spectra",
        ),
        ({"components__known": {"background": "dust"}}, "no component 'dust'"),
        (
            {"components__even": {"isotropic": True, "spectrum": LAW, "free": {"cutoff": [1, 2]}}},
            "no parameter 'cutoff'; it has index",
        ),
        (
            {"components__even": {"isotropic": True, "spectrum": LAW, "free": {"index": [-1, -3]}}},
            "is no range",
        ),
        (
            {"components__even": {"isotropic": True, "spectrum": LAW, "free": {"index": [-2, -1]}}},
            "-2.2 lies outside of",
        ),
        ({"compare": {"less": ["even", "dust"]}}, "compare.less: no population 'dust'"),
        ({"compare": {"all": ["even"]}}, "take another name"),
        ({"compare": {"less": ["even", "even"]}}, "name each once"),
        ({"alpha": {"dust": 1.0}}, "alpha: no population 'dust'"),
        ({"alpha": 0.0}, "must be above 0"),
    ],
)
def test_what_is_not_possible_is_refused_in_one_line(changes, said):
    with pytest.raises(ConfigError, match=said):
        parse_config(changed(**changes))


def test_pixels_are_refused():
    config = copy.deepcopy(CONFIG)
    data = config["analyses"]["a"]["data"]
    data["counts"] = data.pop("events")
    with pytest.raises(ConfigError, match="`populations` needs photons one by one"):
        parse_config(config)
