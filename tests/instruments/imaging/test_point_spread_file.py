import numpy as np
import pytest

from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.point_spread_file import read_point_spread


def psf_of(sky, **section):
    return read_point_spread(sky.analysis(psf=section).data.psf)


def test_profiles_are_read_with_units(sky, caplog):
    sky.write_psf()

    psf = psf_of(sky)

    assert psf.profile.shape == (6, 600)
    np.testing.assert_allclose(psf.theta[-1], np.radians(25))
    np.testing.assert_allclose(psf.energies[[0, -1]], [1e7, 1e9])
    assert not caplog.text


def test_function_that_is_not_normalised_is_warned_of_and_kept(sky, caplog):
    sky.write_psf(factor=0.8)

    psf = psf_of(sky)

    assert "integral of the point spread function is 0.8 to 0.8" in caplog.text
    assert "normalise: true" in caplog.text
    expected = 0.8 / (2 * np.pi * np.radians(0.8) ** 2)
    assert psf.profile[0, 0] == pytest.approx(expected, rel=1e-9)


def test_function_is_normalised_when_asked(sky, caplog):
    sky.write_psf(factor=0.8)

    psf = psf_of(sky, normalise=True)

    assert not [record for record in caplog.records if record.levelname == "WARNING"]
    # integral of the linear interpolation between 600 angles
    expected = 1 / (2 * np.pi * np.radians(0.8) ** 2)
    assert psf.profile[0, 0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "section", "message"),
    [
        ({"angle_unit": None}, {"angle_unit": "deg"}, r"no unit for the angles.*`angle_unit: rad`"),
        ({"energy_unit": None}, {"energy_unit": "GeV"}, "no unit for the energies"),
    ],
)
def test_what_the_file_does_not_say_is_asked_for(sky, options, section, message):
    sky.write_psf(**options)

    with pytest.raises(ConfigError, match=message):
        psf_of(sky)
    assert psf_of(sky, **section).theta[-1] < 1


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (-1.0, r"3142 values of Psf are negative.*, as -\d.* at angle 0 of row 0"),
        (np.nan, "values of Psf are negative or not finite, as nan"),
        (0.0, "profile: .*not all 0"),
        (3.0, r"integral .* is 3\S* to 3\S*, far from 1: are the angles in .* `angle_unit`"),
        (1 / 3600, r"integral .* is 0\.0002778 to"),
    ],
)
def test_impossible_profiles_are_refused(sky, factor, message):
    sky.write_psf(factor=factor)

    with pytest.raises(InputError, match=rf"psf\.fits: .*{message}"):
        psf_of(sky)


def test_integral_far_from_1_is_accepted_by_name(sky, caplog):
    sky.write_psf(factor=5.0)
    section = sky.analysis(psf={}).data.psf

    psf = read_point_spread(section, ["point_spread"])

    assert "far from 1" in caplog.text
    plain = read_point_spread(section.model_copy(update={"normalise": True}))
    # Gaussians end at 25 deg
    np.testing.assert_allclose(psf.profile, 5 * plain.profile, rtol=2e-3)


def test_angles_in_degrees_taken_as_radians_are_refused(sky):
    sky.write_psf(angle_unit="rad")

    with pytest.raises(InputError, match=r"reach 25 rad, more than half a turn.*`angle_unit`"):
        psf_of(sky)


def test_file_without_profiles_is_refused(sky):
    sky.write_exposure()

    with pytest.raises(InputError, match="no table PSF"):
        psf_of(sky, path=sky.path("exposure.fits"))
