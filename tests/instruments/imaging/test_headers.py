import pytest

from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.headers import choose_frame, unit_factor


@pytest.mark.parametrize(
    ("stated", "given", "frame"),
    [
        ("GAL", None, "galactic"),
        ("G", "galactic", "galactic"),
        ("EQU", None, "icrs"),
        ("CEL", None, "icrs"),
        ("c", "icrs", "icrs"),
        (None, "icrs", "icrs"),
        ("", "galactic", "galactic"),
    ],
)
def test_frame_is_that_of_the_header_else_of_the_analysis(stated, given, frame):
    assert choose_frame("x.fits", stated, "data.exposure", given) == frame


def test_frame_that_nobody_says_is_asked_for():
    with pytest.raises(ConfigError, match=r"x\.fits.*no COORDSYS.*`frame: icrs` under data\.exp"):
        choose_frame("x.fits", None, "data.exposure", None)


def test_frame_against_the_header_is_refused():
    with pytest.raises(ConfigError, match=r"'GAL', galactic, but data\.counts says `frame: icrs`"):
        choose_frame("x.fits", "GAL", "data.counts", "icrs")


def test_unknown_frame_is_refused():
    with pytest.raises(InputError, match="COORDSYS 'ECL' is not known: allowed are G, GAL"):
        choose_frame("x.fits", "ECL", "data.counts", None)


def factor(stated, given):
    return unit_factor("x.fits", "the energies", stated, "data.psf.energy_unit", given, "keV")


@pytest.mark.parametrize(
    ("stated", "given", "expected"),
    [("MeV", None, 1e3), (None, "GeV", 1e6), ("keV", "keV", 1.0), ("MeV", "1000 keV", 1e3)],
)
def test_unit_is_that_of_the_header_else_of_the_analysis(stated, given, expected):
    assert factor(stated, given) == pytest.approx(expected, rel=1e-12)


def test_unit_that_nobody_says_is_asked_for():
    with pytest.raises(ConfigError, match=r"no unit for the energies.*_unit: keV`.*data\.psf"):
        factor(None, None)


def test_unit_against_the_header_is_refused():
    with pytest.raises(ConfigError, match=r"in 'MeV', but data\.psf\.energy_unit says 'keV'"):
        factor("MeV", "keV")


@pytest.mark.parametrize("stated", ["cm", "blah"])
def test_unit_of_another_kind_is_refused(stated):
    with pytest.raises(InputError, match=f"in '{stated}', which is not convertible to keV"):
        factor(stated, None)
