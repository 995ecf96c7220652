import pytest
from pydantic import TypeAdapter, ValidationError

from skyquilt.config import parse_config
from skyquilt.config.spectrum import Spectrum
from skyquilt.errors import ConfigError
from skyquilt.spectra import doubts

NORM = {"norm": "10 cm-2 s-1 keV-1"}
SECTIONS = {
    "power_law": {**NORM, "pivot": "100 keV", "index": -2.2},
    "cutoff_power_law": {**NORM, "pivot": "100 keV", "index": -1, "cutoff": "0.3 MeV"},
    "band": {**NORM, "alpha": -1, "beta": -2.3, "peak": "300 keV"},
    "broken_power_law": {**NORM, "break_energy": "300 keV", "index_low": -1, "index_high": -2},
    "log_parabola": {**NORM, "pivot": "100 keV", "index": -2, "curvature": 0.2},
}


def parse(model, **changes):
    return TypeAdapter(Spectrum).validate_python({"model": model, **SECTIONS[model], **changes})


@pytest.mark.parametrize("model", SECTIONS)
def test_spectrum_of_each_model_keeps_its_parameters(model):
    section = parse(model)
    assert section.model == model
    assert SECTIONS[model].items() <= section.model_dump().items()


def test_spectrum_of_band_without_pivot_takes_100_kev():
    assert parse("band").pivot == "100 keV"


def test_spectrum_of_unknown_model_names_the_known_ones():
    with pytest.raises(ValidationError, match=r"'power_law', 'cutoff_power_law', 'band'"):
        TypeAdapter(Spectrum).validate_python({"model": "powerlaw", **NORM})


@pytest.mark.parametrize(
    ("model", "key"),
    [(model, key) for model, section in SECTIONS.items() for key in section if key != "model"],
)
def test_spectrum_with_missing_key_names_it(model, key):
    section = {"model": model, **SECTIONS[model]}
    del section[key]
    with pytest.raises(ValidationError, match=rf"{key}\n  Field required"):
        TypeAdapter(Spectrum).validate_python(section)


@pytest.mark.parametrize("model", SECTIONS)
def test_spectrum_with_unknown_key_is_refused(model):
    with pytest.raises(ValidationError, match=r"K\n  Extra inputs are not permitted"):
        parse(model, K=10)


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("power_law", "norm"),
        ("power_law", "pivot"),
        ("cutoff_power_law", "cutoff"),
        ("band", "peak"),
        ("broken_power_law", "break_energy"),
    ],
)
@pytest.mark.parametrize("number", ["0", "-3"])
def test_spectrum_with_quantity_not_above_zero_is_refused(model, key, number):
    unit = SECTIONS[model][key].split(" ", 1)[1]
    with pytest.raises(ValidationError, match=rf"{key}\n.*'{number} .*' is not above zero"):
        parse(model, **{key: f"{number} {unit}"})


@pytest.mark.parametrize("norm", ["10 keV", "10", "inf cm-2 s-1 keV-1", "a few"])
def test_spectrum_with_unusable_norm_is_refused(norm):
    with pytest.raises(ValidationError, match=r"norm\n.*cm-2 s-1 keV-1"):
        parse("power_law", norm=norm)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "steep"])
def test_spectrum_with_index_that_is_no_finite_number_is_refused(value):
    with pytest.raises(ValidationError, match=r"index\n"):
        parse("power_law", index=value)


@pytest.mark.parametrize("beta", [-1, 0.5])
def test_band_with_alpha_not_above_beta_is_refused(beta):
    with pytest.raises(ValidationError, match=r"alpha = -1 is not above beta"):
        parse("band", beta=beta)


def test_band_with_alpha_of_minus_two_is_refused():
    with pytest.raises(ValidationError, match=r"alpha\n.*greater than -2"):
        parse("band", alpha=-2, beta=-3)


_BREAK = {"norm": "1 cm-2 s-1 keV-1", "break_energy": "1 MeV"}
_PIVOT = {"norm": "1 cm-2 s-1 keV-1", "pivot": "1 MeV"}
SIGNS = [
    ({"model": "power_law", **_PIVOT, "index": 2.2}, {"index": 2.2}),
    ({"model": "power_law", **_PIVOT, "index": 0.5}, {"index": 0.5}),
    ({"model": "power_law", **_PIVOT, "index": 0}, {}),
    ({"model": "power_law", **_PIVOT, "index": -2.2}, {}),
    ({"model": "cutoff_power_law", **_PIVOT, "cutoff": "1 MeV", "index": 1.5}, {"index": 1.5}),
    ({"model": "cutoff_power_law", **_PIVOT, "cutoff": "1 MeV", "index": 1}, {}),
    ({"model": "log_parabola", **_PIVOT, "curvature": 0.1, "index": 2}, {"index": 2}),
    ({"model": "log_parabola", **_PIVOT, "curvature": 0.1, "index": 0.5}, {}),
    (
        {"model": "broken_power_law", **_BREAK, "index_low": 1.6, "index_high": 2.4},
        {"index_low": 1.6, "index_high": 2.4},
    ),
    ({"model": "broken_power_law", **_BREAK, "index_low": 0.7, "index_high": -2.4}, {}),
]


@pytest.mark.parametrize(("spectrum", "rising"), SIGNS)
def test_index_of_the_other_sign_is_known(settings, spectrum, rising):
    settings["analyses"]["a"]["spectrum"] = spectrum
    assert parse_config(settings).analyses["a"].spectrum.rising == rising


@pytest.mark.parametrize(("spectrum", "rising"), SIGNS)
def test_spectrum_may_be_meant_to_rise(settings, spectrum, rising):
    settings["analyses"]["a"]["spectrum"] = {**spectrum, "rises": True}
    if rising:
        assert doubts(parse_config(settings).analyses["a"].spectrum) is None
    else:
        with pytest.raises(ConfigError, match=r"spectrum: `rises: true` has no effect"):
            parse_config(settings)


@pytest.mark.parametrize(("spectrum", "rising"), SIGNS)
def test_doubt_names_index_other_sign_and_the_way_out(settings, spectrum, rising):
    settings["analyses"]["a"]["spectrum"] = spectrum
    doubt = doubts(parse_config(settings).analyses["a"].spectrum)
    if not rising:
        assert doubt is None
        return
    key, index = next(iter(rising.items()))
    assert doubt.startswith(f"{key} {index:g} is that of a spectrum that rises")
    assert f"mean {-index:g}. `rises: true`" in doubt
