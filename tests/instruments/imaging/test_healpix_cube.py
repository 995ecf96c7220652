import healpy
import numpy as np
import pytest

from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.healpix_cube import read_bands, read_exposure

NAME = "data.background"


def cube_of(sky, **section):
    return read_bands(sky.analysis(background=section).data.background, NAME)


def exposure_of(sky, **section):
    return read_exposure(sky.analysis(exposure=section).data.exposure)


def test_cube_is_read_with_frame_and_edges(sky):
    sky.write_cube("background.fits", sky.expected())

    cube = cube_of(sky)

    np.testing.assert_array_equal(cube.values, sky.expected())
    np.testing.assert_allclose(cube.energies, np.geomspace(1e7, 1e9, 5), rtol=1e-12)
    assert (cube.frame, cube.nside, cube.is_full) == ("galactic", 16, True)


def test_nested_pixels_are_put_in_ring_order(sky):
    values = sky.expected()
    sky.write_cube("background.fits", values[healpy.nest2ring(16, np.arange(3072))], "NESTED")

    np.testing.assert_array_equal(cube_of(sky).values, values)


def test_part_of_the_sky_is_read_with_its_pixels(sky):
    ipix = np.array([700, 30, 45])
    sky.write_cube("background.fits", sky.expected()[ipix], ipix=ipix)

    cube = cube_of(sky)

    assert cube.ipix.tolist() == [30, 45, 700]
    np.testing.assert_array_equal(cube.values, sky.expected()[cube.ipix])
    assert not cube.is_full


def test_exposure_is_converted(sky):
    sky.write_exposure(unit="m2 s")

    cube = exposure_of(sky)

    assert 0.7e15 < cube.values.min() < cube.values.max() < 1.3e15
    np.testing.assert_allclose(cube.energies[[0, -1]], [1e7, 1e9])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"COORDSYS": None}, r"background\.fits: its header has no COORDSYS"),
        ({"unit": None}, r"no unit for the energies.*under data\.background"),
    ],
)
def test_what_a_cube_does_not_say_is_asked_for(sky, options, message):
    sky.write_cube("background.fits", sky.expected(), **options)

    with pytest.raises(ConfigError, match=message):
        cube_of(sky)
    assert cube_of(sky, **({"frame": "icrs"} if "unit" not in options else {"energy_unit": "GeV"}))


@pytest.mark.parametrize(
    ("options", "section", "message"),
    [
        ({"unit": None}, {"unit": "cm2 s"}, r"no unit for the exposures.*under data\.exposure"),
        ({"energy_unit": None}, {"energy_unit": "MeV"}, r"no unit for the energies"),
        ({"COORDSYS": None}, {"frame": "galactic"}, "no COORDSYS"),
    ],
)
def test_what_an_exposure_does_not_say_is_asked_for(sky, options, section, message):
    sky.write_exposure(**options)

    with pytest.raises(ConfigError, match=message):
        exposure_of(sky)
    assert exposure_of(sky, **section).values.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"PIXTYPE": None}, "no table with PIXTYPE HEALPIX"),
        ({"NSIDE": 17}, "nside 17"),
        ({"NSIDE": 8}, "3072 rows for 768 pixels"),
        ({"NSIDE": None}, "not a HEALPix table: .*NSIDE"),
        ({"ordering": "SPIRAL"}, "ORDERING 'SPIRAL': allowed are RING, NESTED"),
        ({"edges": np.geomspace(10, 100, 4)}, "4 columns of values for 3 energies"),
        ({"edges": np.array([10.0, 30.0, 20.0, 50.0, 60.0])}, "must be above 0 and ascend"),
        ({"edges": np.array([0.0, 30.0, 40.0, 50.0, 60.0])}, "must be above 0 and ascend"),
        ({"unit": "cm"}, "in 'cm', which is not convertible to keV"),
        ({"COORDSYS": "ECL"}, "COORDSYS 'ECL' is not known"),
    ],
)
def test_cube_that_is_none_is_refused(sky, options, message):
    sky.write_cube("background.fits", sky.expected(), **options)

    with pytest.raises(InputError, match=message):
        cube_of(sky)


def test_rate_in_place_of_counts_is_refused(sky):
    sky.write_cube("background.fits", sky.expected(), TUNIT3="ph s-1 sr-1")

    with pytest.raises(InputError, match="values are in 'ph s-1 sr-1'; counts are needed"):
        cube_of(sky)


@pytest.mark.parametrize("unit", ["counts", "count / pixel", "ph", "ct pix-1"])
def test_counts_have_a_unit_of_many_names(sky, unit):
    sky.write_cube("background.fits", sky.expected(), TUNIT3=unit)

    np.testing.assert_array_equal(cube_of(sky).values, sky.expected())


def test_pixels_twice_are_refused(sky):
    ipix = np.array([3, 5, 3])
    sky.write_cube("background.fits", sky.expected()[ipix], ipix=ipix)

    with pytest.raises(InputError, match="some pixels are there more than once"):
        cube_of(sky)


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, 1e38, 1.6375e30])
def test_impossible_values_are_refused(sky, value):
    values = sky.expected()
    values[7, 2] = value
    sky.write_cube("background.fits", values)

    with pytest.raises(InputError, match=r"1 values are negative or not finite.*row 7 of CHANNEL3"):
        cube_of(sky)


def test_gap_between_bands_is_refused(sky):
    bounds = {"E_MIN": ([10.0, 30.0], "GeV"), "E_MAX": ([20.0, 40.0], "GeV")}
    sky.write_tables("background.fits", ("EBOUNDS", bounds, {}))

    with pytest.raises(InputError, match="EBOUNDS has gaps or overlaps"):
        cube_of(sky)


def test_exposure_of_zero_everywhere_is_refused(sky):
    sky.write_exposure(np.zeros((768, 6)))

    with pytest.raises(InputError, match=r"exposure\.fits: the exposure is 0 everywhere"):
        exposure_of(sky)


def test_cube_without_bands_is_refused(sky):
    sky.write_exposure()

    with pytest.raises(InputError, match="no table EBOUNDS"):
        cube_of(sky, path=sky.path("exposure.fits"))
