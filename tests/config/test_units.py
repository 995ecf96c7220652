import subprocess
import sys

import pytest

from skyquilt.config.units import convert_unit, parse_unit, to_value

DENSITY = "cm-2 s-1 keV-1"


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("100 keV", "keV", 100.0),
        ("100keV", "keV", 100.0),
        ("0.1 MeV", "keV", 100.0),
        ("1e2 keV", "keV", 100.0),
        ("1 / (m2 s)", "cm-2 s-1", 1e-4),
        (" -3 deg ", "deg", -3.0),
    ],
)
def test_to_value_converts_units(text, unit, value):
    assert to_value(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("unit", ["keV", "MeV", "GeV", "TeV"])
@pytest.mark.parametrize("text", ["keV", "MeV", "GeV", "TeV"])
def test_energies_are_converted_as_astropy_does(text, unit):
    assert convert_unit(text, unit) == parse_unit(text).to(unit)


def test_quantities_of_a_configuration_need_no_astropy():
    texts = [("10 ph cm-2 s-1 keV-1", DENSITY), ("0.1 MeV", "keV"), ("2 deg", "deg")]
    code = (
        f"import sys; from skyquilt.config.units import to_value; [to_value(*t) for t in {texts}]; "
        "sys.exit('astropy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "unit",
    [
        "cm-2 s-1 keV-1",
        "ph cm-2 s-1 keV-1",
        "photon cm-2 s-1 keV-1",
        "photons cm-2 s-1 keV-1",
        "cm-2 s-1 keV-1 ph",
        "ph.cm-2.s-1.keV-1",
        "ph cm**-2 s**-1 keV**-1",
        "ph cm^-2 s^-1 keV^-1",
        "ph / (cm2 s keV)",
        "1/(cm2 s keV)",
        "/ (cm2 s keV)",
        "/cm2/s/keV",
        "1/cm2/s/keV",
        "ph/cm2/s/keV",
        "photons / cm^2 / s / keV",
        "ph cm-2 s-1/keV",
        "ph cm\u207b\u00b2 s\u207b\u00b9 keV\u207b\u00b9",
        "ph/cm\u00b2/s/keV",
    ],
)
def test_density_of_photons_is_read_in_every_notation(unit):
    assert to_value(f"0.2 {unit}", DENSITY) == pytest.approx(0.2, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit", "factor"),
    [
        ("ph / (m2 s TeV)", DENSITY, 1e-13),
        ("ph MeV-1 cm-2 s-1", DENSITY, 1e-3),
        ("m2 s ph-1", "cm2 s", 1e4),
        ("ph s-1", "s-1", 1.0),
        ("", "", 1.0),
    ],
)
def test_photons_are_pure_numbers_in_any_unit(text, unit, factor):
    assert convert_unit(text, unit) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        *("100", "100 cm", "keV", "", "a lot", "1 keV cm", "1,5 keV", "1 kev", "0x1 keV"),
        *("1e5e5 keV", "1_000 keV", "1 phase keV", "1 ph", "1 keV ph-", "1 " + "(" * 5000),
        *("1 10**400 keV", "1 keV**1e9", "1" * 5000 + " keV", "1 keV\x00", "\u0661 keV", "[1] keV"),
    ],
)
def test_to_value_of_no_quantity_says_what_is_needed(text):
    with pytest.raises(ValueError, match=r"give a finite number with a unit .*'1 keV'$") as caught:
        to_value(text, "keV")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["nan keV", "inf keV", "-inf keV", "1e400 keV"])
def test_to_value_that_is_not_finite_is_refused(text):
    with pytest.raises(ValueError, match=r"is not one finite quantity: .* as in '1 keV'"):
        to_value(text, "keV")


@pytest.mark.parametrize("text", ["ph ph", "keV" * 50, "((", "10**400 s", "counts"])
def test_text_that_is_no_energy_is_refused(text):
    with pytest.raises(ValueError, match=r"unit|convertible"):
        convert_unit(text, "keV")


def test_unit_of_photons_to_a_power_is_none():
    assert str(parse_unit("ph2 s-1")) == "1 / s"
