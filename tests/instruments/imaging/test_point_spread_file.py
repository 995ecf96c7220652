import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.point_spread_file import read_point_spread
from skyquilt.instruments.imaging.prepare import make_problem


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


def write_rows(sky, rows, value):
    sky.write_psf()
    with fits.open(sky.path("psf.fits"), mode="update") as file:
        file["PSF"].data["Psf"][rows] = value


@pytest.mark.parametrize("value", [np.nan, 0.0])
@pytest.mark.parametrize(("rows", "kept"), [([0], [1, 5]), ([0, 1, 5], [2, 4]), ([4, 5], [0, 3])])
def test_first_and_last_energies_without_values_are_left_out(sky, rows, kept, value, caplog):
    caplog.set_level("INFO")
    write_rows(sky, rows, value)

    psf = psf_of(sky)

    first, last = kept
    np.testing.assert_allclose(psf.energies, np.geomspace(1e7, 1e9, 6)[first : last + 1])
    assert psf.profile.shape == (last + 1 - first, 600)
    assert f"NaN or 0 at all angles at {len(rows)} of 6 energies" in caplog.text


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_energy_without_values_between_others_is_refused(sky, value):
    write_rows(sky, [2], value)

    with pytest.raises(InputError, match=r"NaN or 0 at all angles at 6\.30957e\+07 keV, between"):
        psf_of(sky)


def test_energy_that_is_needed_but_left_out_is_named(sky):
    sky.write("events")
    write_rows(sky, [5], np.nan)

    with pytest.raises(InputError, match=r"covers 1e\+07 to 3\.98107e\+08 keV, but .* is needed"):
        make_problem(sky.analysis())


@pytest.mark.parametrize("angles", [1, 599])
def test_values_that_do_not_fit_the_angles_are_refused(sky, angles):
    sky.write_psf()
    with fits.open(sky.path("psf.fits")) as file:
        hdus = [file[0].copy(), file["PSF"].copy()]
        hdus.append(fits.BinTableHDU(file["THETA"].data[:angles], name="THETA"))
        hdus[2].header["TUNIT1"] = "deg"
        fits.HDUList(hdus).writeto(sky.path("other.fits"))

    with pytest.raises(InputError, match=rf"shape \(6, 600\); 6 energies and {angles} angles"):
        psf_of(sky, path=sky.path("other.fits"))
