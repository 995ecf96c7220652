"""Spectra of other programs mean what they mean there."""

import astropy.units as u
import numpy as np
import pytest

import skyquilt
from skyquilt.errors import ConfigError
from skyquilt.spectra import evaluate

ENERGY = np.geomspace(20, 5000, 40)


def astromodels(name, **values):
    return {name: {key: {"value": value} for key, value in values.items()}}


def gammapy(kind, **values):
    parameters = [
        {"name": name, "value": value, "unit": unit} for name, (value, unit) in values.items()
    ]
    return {"spectral": {"type": kind, "parameters": parameters}}


def band(energy):
    fold = 300 / (2 - 1.1)
    edge = (-1.1 + 2.3) * fold
    low = 0.02 * (energy / 100) ** -1.1 * np.exp(-energy / fold)
    high = 0.02 * (edge / 100) ** 1.2 * np.exp(-1.2) * (energy / 100) ** -2.3
    return np.where(energy < edge, low, high)


def broken(energy, pivot):
    edge = (500 / pivot) ** (-1.5 + 2.5)
    low = (energy / pivot) ** -1.5
    return 0.02 * (np.where(energy < 500, low, edge * (energy / pivot) ** -2.5))


def broken_above(energy):
    """With the pivot above the break: the norm is that of the high part."""
    edge = (500 / 1000) ** (-2.5 + 1.5)
    return 0.02 * np.where(energy < 500, edge * (energy / 1000) ** -1.5, (energy / 1000) ** -2.5)


def line(energy):
    steps = (energy - 511) / 30
    return np.where(abs(steps) <= 8, 0.02 / (30 * np.sqrt(2 * np.pi)) * np.exp(-(steps**2) / 2), 0)


ASTROMODELS = [
    (astromodels("Gaussian", F=0.02, mu=511, sigma=30), line),
    (astromodels("Powerlaw", K=0.02, piv=100, index=-2.2), lambda e: 0.02 * (e / 100) ** -2.2),
    (
        astromodels("Cutoff_powerlaw", K=0.02, piv=100, index=-1.1, xc=300),
        lambda e: 0.02 * (e / 100) ** -1.1 * np.exp(-e / 300),
    ),
    (astromodels("Band", K=0.02, piv=100, alpha=-1.1, beta=-2.3, xp=300), band),
    (
        astromodels("Log_parabola", K=0.02, piv=100, alpha=-2.0, beta=0.1),
        lambda e: 0.02 * (e / 100) ** (-2.0 - 0.1 * np.log(e / 100)),
    ),
    (
        astromodels("Broken_powerlaw", K=0.02, piv=100, xb=500, alpha=-1.5, beta=-2.5),
        lambda e: broken(e, 100),
    ),
    (
        astromodels("Broken_powerlaw", K=0.02, piv=1000, xb=500, alpha=-1.5, beta=-2.5),
        broken_above,
    ),
]
PER_TEV = 1e9
GAMMAPY = [
    (
        gammapy(
            "GaussianSpectralModel",
            amplitude=(0.02, "cm-2 s-1"),
            mean=(0.511, "MeV"),
            sigma=(30, "keV"),
        ),
        line,
    ),
    (
        gammapy(
            "PowerLawSpectralModel",
            index=(2.2, ""),
            amplitude=(3.0, "cm-2 s-1 TeV-1"),
            reference=(2, "TeV"),
        ),
        lambda e: 3 / PER_TEV * (e / 2e9) ** -2.2,
    ),
    (
        gammapy(
            "ecpl",
            index=(1.8, ""),
            amplitude=(3.0, "cm-2 s-1 MeV-1"),
            reference=(1, "MeV"),
            lambda_=(0.5, "MeV-1"),
        ),
        lambda e: 3e-3 * (e / 1e3) ** -1.8 * np.exp(-e / 2e3),
    ),
    (
        gammapy(
            "bpl",
            index1=(1.5, ""),
            index2=(2.5, ""),
            amplitude=(3.0, "cm-2 s-1 keV-1"),
            ebreak=(0.5, "MeV"),
        ),
        lambda e: 3 * np.where(e < 500, (e / 500) ** -1.5, (e / 500) ** -2.5),
    ),
    (
        gammapy(
            "lp",
            alpha=(2.0, ""),
            beta=(0.1, ""),
            amplitude=(3.0, "cm-2 s-1 keV-1"),
            reference=(100, "keV"),
        ),
        lambda e: 3 * (e / 100) ** (-2.0 - 0.1 * np.log(e / 100)),
    ),
]


@pytest.mark.parametrize(("content", "formula"), [*ASTROMODELS, *GAMMAPY])
def test_spectra_of_others_have_their_values(content, formula):
    spectrum = skyquilt.to_spectrum(content)
    # a few roundings of numbers that powers of up to 1e3 make larger
    np.testing.assert_allclose(evaluate(spectrum, ENERGY), formula(ENERGY), rtol=1e-12)


def test_spectra_with_units_of_astromodels_are_converted():
    content = {
        "Powerlaw": {
            "K": {"value": 2.0, "unit": "MeV-1 s-1 cm-2"},
            "piv": {"value": 1, "unit": "MeV"},
            "index": {"value": -2, "unit": ""},
        }
    }
    assert evaluate(skyquilt.to_spectrum(content), [1e3])[0] == pytest.approx(2e-3, rel=1e-15)


@pytest.mark.parametrize("outer", ["spectrum", "main"])
def test_spectra_in_sources_of_threeml_are_found(outer):
    content = {outer: {"main": astromodels("Powerlaw", K=1, piv=100, index=-2)}}
    assert skyquilt.to_spectrum(content).index == -2


def test_objects_with_to_dict_are_taken():
    class Powerlaw:
        def to_dict(self):
            return {"K": {"value": 1.0}, "piv": {"value": 100.0}, "index": {"value": -2.0}}

    assert skyquilt.to_spectrum(Powerlaw()).index == -2


def test_sections_and_own_spectra_stay_what_they_are():
    own = skyquilt.PowerLaw(norm=1e-3 / u.cm**2 / u.s / u.keV, pivot=0.1 * u.MeV, index=-2)
    assert skyquilt.to_spectrum(own) is own
    assert skyquilt.to_spectrum(own.model_dump()) == own
    assert evaluate(own, [100.0])[0] == pytest.approx(1e-3, rel=1e-15)


def test_a_power_law_that_rises_is_warned_of():
    with pytest.warns(UserWarning, match="index 2.2 is that of a spectrum that rises"):
        skyquilt.to_spectrum(astromodels("Powerlaw", K=1, piv=100, index=2.2))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"Powerlaw": {"K": 1, "index": -2}}, "Powerlaw has no parameter 'piv'"),
        ({"Sin": {}}, "no model that skyquilt knows"),
        ({}, "no model that skyquilt knows"),
        (gammapy("PowerLawNormSpectralModel"), "of gammapy is not among those"),
        (gammapy("pl", index=(2, "")), "pl has no parameter 'amplitude'"),
        (gammapy("ecpl", alpha=(2, "")), "exponent alpha = 2"),
        ("power_law", "str is none"),
        (-2, "int is none"),
        (None, "NoneType is none"),
        ({"model": "power_law", "norm": "1 keV", "pivot": "1 keV", "index": -2}, "norm"),
        (astromodels("Powerlaw", K=-1, piv=100, index=-2), "norm"),
    ],
)
def test_spectra_that_are_none_say_what_is_wrong(wrong, message):
    with pytest.raises(ConfigError, match=message):
        skyquilt.to_spectrum(wrong)
