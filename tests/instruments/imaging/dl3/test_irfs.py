"""Responses by energy and angle: interpolation, order of axes, kinds, and what is refused."""

import logging
from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.dl3.irf_file import read_field_background, read_field_response
from skyquilt.problem.profiles import linear_integral
from skyquilt.testing import dl3

TEV = 1e9  # keV
AT = np.array([0.5, 1.0, 7.0]) * TEV
OFFSET = np.radians([0.0, 0.3, 1.0, 2.4])


@pytest.fixture(params=["energy first", "energy last"])
def path(request, tmp_path):
    return dl3.write_dl3(tmp_path / "run.fits", is_energy_first=request.param == "energy first")


def test_effective_area_is_linear_between_angles_and_continued(path):
    found = read_field_response(str(path)).area.at(AT, OFFSET)
    expected = dl3.AREA * 1e4 * (1 - np.degrees(OFFSET) / 4)
    np.testing.assert_allclose(found, np.tile(expected[:, None], 3), rtol=1e-6)


def test_dispersion_is_a_density_of_measured_energy(path):
    response = read_field_response(str(path)).dispersion
    rows = response.rows(AT, OFFSET)
    measured = np.geomspace(0.2, 10, 2000) * TEV
    density = response.density(rows, AT, measured)
    assert density.shape == (4, 2000, 3)
    # steps of 0.02 in measured over true energy, of a width of 0.1
    peak = 1 / (np.sqrt(2 * np.pi) * dl3.RESOLUTION * AT)
    expected = np.exp(-(((measured[:, None] / AT - 1) / dl3.RESOLUTION) ** 2) / 2) * peak
    for one in density:
        np.testing.assert_allclose(one / peak, expected / peak, atol=6e-3)
    edges = np.array([0.2, 0.9, 1.1, 10]) * TEV
    fractions = response.fractions(rows, AT, edges)
    in_bands = [
        [
            np.trapezoid(np.where((measured >= a) & (measured <= b), one, 0), measured)
            for one in density[0].T
        ]
        for a, b in pairwise(edges)
    ]
    np.testing.assert_allclose(fractions[:, 0], in_bands, atol=2e-2)
    np.testing.assert_allclose(fractions.sum(axis=0), 1, atol=1e-4)


@pytest.mark.parametrize("factor", [0.01, 3.0])
def test_dispersion_of_another_norm_is_divided_by_it(tmp_path, caplog, factor):
    def change(file):
        file["ENERGY DISPERSION"].data["MATRIX"] *= factor

    plain = read_field_response(str(dl3.write_dl3(tmp_path / "a.fits"))).dispersion
    with caplog.at_level(logging.WARNING):
        other = read_field_response(str(dl3.write_dl3(tmp_path / "b.fits", change=change)))
    assert "each is divided by its own" in caplog.text
    np.testing.assert_allclose(other.dispersion.rows(AT, OFFSET), plain.rows(AT, OFFSET), rtol=1e-5)


@pytest.mark.parametrize("kind", ["PSF_TABLE", "PSF_3GAUSS"])
@pytest.mark.parametrize("is_energy_first", [True, False])
def test_point_spread_widens_with_the_angle_and_keeps_its_integral(tmp_path, kind, is_energy_first):
    path = dl3.write_dl3(tmp_path / "run.fits", psf=kind, is_energy_first=is_energy_first)
    theta, profile = read_field_response(str(path)).psf.profiles(
        AT, OFFSET[1:3], str(path), normalise=False
    )
    integral = linear_integral(theta, profile.reshape(-1, theta.size))
    np.testing.assert_allclose(integral, 1, rtol=2e-3)
    for degrees, rows in zip((0.3, 1.0), profile, strict=True):
        sigma = np.radians(dl3.SIGMA * (1 + degrees / 2))
        expected = np.exp(-((theta / sigma) ** 2) / 2) / (2 * np.pi * sigma**2)
        near = (theta > np.radians(0.02)) & (theta < 2 * sigma)
        for row in rows:
            # in a table densities, not widths, are linear between 0.25 and 0.75 deg
            np.testing.assert_allclose(row[near], expected[near], rtol=5e-2)


@pytest.mark.parametrize("is_energy_first", [True, False])
def test_background_grows_with_right_ascension_whatever_the_order_of_axes(
    tmp_path, is_energy_first
):
    path = dl3.write_dl3(tmp_path / "run.fits", is_energy_first=is_energy_first)
    rate = read_field_background(str(path))
    lon, lat = np.radians([-1.0, 0.0, 0.05, 2.0]), np.radians([0.5, 0.0, -2.2, 1.0])
    found = rate.at(np.full(4, 2 * TEV), lon, lat)
    # [s-1 sr-1 keV-1]; powers and exponentials are straight in the logarithm
    np.testing.assert_allclose(found, dl3.RATE * 1e-3 / 4 * 1.5 ** np.degrees(lon), rtol=1e-4)
    assert rate.radius() == pytest.approx(np.radians(2.5))
    outside = rate.at(np.full(2, 2 * TEV), np.radians([2.6, 0.0]), np.radians([0.0, -2.6]))
    assert not outside.any()


def test_radial_background_depends_on_the_angle_alone(tmp_path):
    path = dl3.write_dl3(tmp_path / "run.fits", background="BKG_2D")
    rate = read_field_background(str(path))
    found = rate.at(np.full(3, 4 * TEV), np.radians([0.0, 1.5, 2.0]), np.radians([0.0, -1.9, 2.0]))
    np.testing.assert_allclose(found[:2], dl3.RATE * 1e-3 / 16, rtol=1e-4)
    assert found[2] == 0  # 2.8 deg from the pointing


def test_bins_without_background_have_none_beside_them(tmp_path):
    def change(file):
        file["BACKGROUND"].data["BKG"][0, :, :, 5:] = 0  # energies are the last of the array

    path = dl3.write_dl3(tmp_path / "run.fits", change=change)
    rate = read_field_background(str(path))
    energy = dl3.middle(dl3.ENERGY)[[2, 8]] * TEV
    found = rate.at(energy, np.zeros(2), np.zeros(2))
    assert found[0] > 0
    assert found[1] == 0


def drop(name):
    def change(file):
        del file[name]

    return change


def header(name, key, value):
    def change(file):
        file[name].header[key] = value

    return change


def column(table, name, function):
    def change(file):
        file[table].data[name] = function(np.array(file[table].data[name]))

    return change


def as_complex(table, name):
    """The same numbers in a column of complex ones."""

    def change(file):
        columns = list(file[table].columns)
        at = file[table].columns.names.index(name)
        values = np.array(file[table].data[name]).astype(complex)
        shape = f"({','.join(map(str, values.shape[:0:-1]))})"
        columns[at] = fits.Column(
            name, f"{values[0].size}M", columns[at].unit, dim=shape, array=values
        )
        file[table] = fits.BinTableHDU.from_columns(columns, file[table].header, name=table)

    return change


def unit(table, name, text):
    def change(file):
        file[table].columns[name].unit = text

    return change


def nan_at(index):
    def change(values):
        values[index] = np.nan
        return values

    return change


AREA, EDISP = "EFFECTIVE AREA", "ENERGY DISPERSION"
PSF, BKG = "POINT SPREAD FUNCTION", "BACKGROUND"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop(AREA), "no effective area .AEFF_2D.; give a file that has all of them as `data.irf"),
        (drop(EDISP), "no energy dispersion"),
        (drop(PSF), "no point spread function .PSF_3GAUSS or PSF_TABLE"),
        (header(AREA, "HDUCLAS3", "POINT-LIKE"), "EFFECTIVE AREA is POINT-LIKE"),
        (header(EDISP, "HDUCLAS3", "point-like"), "ENERGY DISPERSION is POINT-LIKE"),
        (header(PSF, "HDUCLAS4", "PSF_KING"), "PSF_KING; known for the point spread function"),
        (header(AREA, "HDUCLAS4", "PSF_TABLE"), "no effective area .AEFF_2D."),
        (unit(AREA, "EFFAREA", "TeV"), "EFFAREA of EFFECTIVE AREA has the unit 'TeV'"),
        (unit(AREA, "ENERG_LO", "m"), "ENERG_LO of EFFECTIVE AREA has the unit 'm'"),
        (unit(AREA, "THETA_LO", "TeV"), "THETA_LO of EFFECTIVE AREA has the unit 'TeV'"),
        (unit(PSF, "RPSF", "m"), "RPSF of POINT SPREAD FUNCTION has the unit 'm'"),
        (column(AREA, "ENERG_LO", lambda v: v[:, ::-1]), "axis ENERG does not ascend"),
        (column(AREA, "ENERG_LO", lambda v: -v), "energies must be above 0"),
        (column(AREA, "THETA_HI", nan_at((0, 2))), "axis THETA has values that are not finite"),
        (column(AREA, "THETA_LO", lambda v: v * 0), "THETA: its bins do not follow|not ascend"),
        (
            column(AREA, "EFFAREA", nan_at((0, 1, 2))),
            "1 values of EFFAREA are negative or not finite",
        ),
        (as_complex(AREA, "EFFAREA"), "column EFFAREA of EFFECTIVE AREA holds no numb"),
        (as_complex(EDISP, "THETA_HI"), "column THETA_HI of ENERGY DISPERSION holds no"),
        (column(AREA, "EFFAREA", lambda v: -v), "120 values of EFFAREA are negative"),
        (column(AREA, "EFFAREA", lambda v: 0 * v), "effective area is 0 everywhere"),
        (column(EDISP, "MATRIX", lambda v: 0 * v), "energy dispersion is 0 everywhere"),
        (column(EDISP, "MATRIX", lambda v: -v), "some values of MATRIX are negative"),
        (column(PSF, "RPSF", lambda v: -v), "some values of RPSF are negative"),
        (header(AREA, "LO_THRES", "low"), None),
    ],
)
def test_bad_responses_are_one_error(tmp_path, change, message):
    path = dl3.write_dl3(tmp_path / "run.fits", change=change)
    if message is None:  # one threshold alone says nothing
        assert read_field_response(str(path)).thresholds is None
        return
    with pytest.raises(InputError, match=message) as error:
        read_field_response(str(path))
    assert "run.fits" in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop(BKG), "no background .BKG_2D or BKG_3D.; give a file that has one as `data.backgr"),
        (header(BKG, "FOVALIGN", "ALTAZ"), "FOVALIGN ALTAZ: it turns on the sky"),
        (unit(BKG, "BKG", "sr-1"), "BKG of BACKGROUND has the unit 'sr-1'"),
        (column(BKG, "BKG", nan_at((0, 1, 1, 1))), "1 values of BKG are negative or not finite"),
        (column(BKG, "BKG", lambda v: 0 * v), "background is 0 everywhere"),
    ],
)
def test_bad_backgrounds_are_one_error(tmp_path, change, message):
    path = dl3.write_dl3(tmp_path / "run.fits", change=change)
    with pytest.raises(InputError, match=message):
        read_field_background(str(path))


def test_background_without_alignment_is_taken_for_that_of_the_sky(tmp_path, caplog):
    def change(file):
        del file[BKG].header["FOVALIGN"]

    read_field_background(str(dl3.write_dl3(tmp_path / "run.fits", change=change)))
    assert "does not say FOVALIGN; RADEC is taken" in caplog.text


def test_values_of_another_shape_than_their_axes_are_refused(tmp_path):
    path = dl3.write_dl3(tmp_path / "run.fits")
    with fits.open(path) as file:
        file[AREA].header["TDIM5"] = "(5,24)"
        file.writeto(tmp_path / "other.fits")
    with pytest.raises(InputError, match=r"EFFAREA has the shape \(5, 24\).*have \(24, 5\)"):
        read_field_response(str(tmp_path / "other.fits"))


def test_thresholds_are_those_of_the_effective_area(tmp_path):
    def change(file):
        file[AREA].header.update({"LO_THRES": 0.5, "HI_THRES": 50.0})

    path = dl3.write_dl3(tmp_path / "run.fits", change=change)
    assert read_field_response(str(path)).thresholds == pytest.approx((0.5 * TEV, 50 * TEV))


@pytest.mark.parametrize(
    ("energy", "offset"), [(0.05, 0.5), (200.0, 0.5), (1.0, 2.6), (1.0, np.nan)]
)
def test_energies_and_angles_outside_are_refused(tmp_path, energy, offset):
    response = read_field_response(str(dl3.write_dl3(tmp_path / "run.fits")))
    with pytest.raises(Exception, match=r"(ENERG|THETA) covers .* is needed"):
        response.area.at(np.array([energy * TEV]), np.radians([offset]))
