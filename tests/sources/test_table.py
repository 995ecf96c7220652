import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skyquilt.sources.table import ellipses, names, source_columns


@pytest.mark.parametrize(
    ("ra", "dec", "name"),
    [
        (0.0, 0.0, "SQ J000000+000000"),
        (359.999999, -0.0001, "SQ J235959-000000"),
        (15.0, 89.99999, "SQ J010000+895959"),
        (83.6331, 22.0145, "SQ J053431+220052"),
        (180.0, -90.0, "SQ J120000-900000"),
    ],
)
def test_names_are_cut_and_not_rounded(ra, dec, name):
    assert names(np.array([ra]), np.array([dec]), np.zeros(1), "SQ").tolist() == [name]


def test_names_of_round_seconds_keep_them_whatever_the_last_bit():
    seconds = np.arange(0, 86400, 7)
    found = names(seconds / 240, np.zeros(seconds.size), np.zeros(seconds.size), "X")
    expected = [f"X J{s // 3600:02d}{s // 60 % 60:02d}{s % 60:02d}+000000" for s in seconds]
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (14 / 3600, "SQ J053431+220052"),
        (16 / 3600, "SQ J0534.5+2200"),
        (0.24, "SQ J0534.5+2200"),
        (0.26, "SQ J0534+22"),
        (np.nan, "SQ J0534.5+2200"),
    ],
)
def test_names_have_the_digits_that_errors_allow(error, name):
    found = names(np.array([83.6331]), np.array([22.0145]), np.array([error]), "SQ")
    assert found.tolist() == [name]


def test_sources_that_would_share_a_name_have_more_digits():
    ra, dec = np.array([83.6331, 83.70, 83.635, 120.0]), np.array([22.0145, 22.5, 22.0150, -1.0])
    found = names(ra, dec, np.full(4, 1.0), "SQ").tolist()
    assert found == ["SQ J053431+220052", "SQ J0534.8+2230", "SQ J053432+220054", "SQ J0800-01"]


def test_ellipses_are_those_of_the_eigenvalues():
    rng = np.random.default_rng(1)
    roots = rng.normal(size=(20, 2, 2))
    covariance = roots @ np.swapaxes(roots, 1, 2)
    sigma, major, minor, angle = ellipses(covariance)
    values, vectors = np.linalg.eigh(covariance)
    np.testing.assert_allclose(minor**2, values[:, 0], rtol=1e-6)
    np.testing.assert_allclose(major**2, values[:, 1], rtol=1e-9)
    np.testing.assert_allclose(sigma**4, np.linalg.det(covariance), rtol=1e-6)
    axis = np.stack([np.sin(np.radians(angle)), np.cos(np.radians(angle))], axis=1)  # east, north
    np.testing.assert_allclose(np.abs(np.sum(axis * vectors[:, :, 1], axis=1)), 1, rtol=1e-9)


def test_columns_have_units_descriptions_and_one_row_per_source(search):
    problem, _, found = search((10.0, 20.0, 3.0), (100.0, -30.0, 1.0))
    columns = source_columns(found, problem, "TOY", 0.0)
    assert {column.values.shape for column in columns.values()} == {(2,)}
    assert all(column.description for column in columns.values())
    assert all(name.startswith("TOY J") for name in columns["name"].values)
    for name in ("ra", "dec", "glon", "glat", "pos_err", "r68", "r95"):
        assert columns[name].unit == "deg"


def test_positions_in_both_frames_are_one_place(search):
    problem, _, found = search((10.0, 20.0, 3.0), (100.0, -30.0, 1.0))
    columns = source_columns(found, problem, "SQ", 0.0)
    icrs = SkyCoord(columns["ra"].values, columns["dec"].values, unit="deg")
    galactic = SkyCoord(
        columns["glon"].values, columns["glat"].values, unit="deg", frame="galactic"
    )
    assert icrs.separation(galactic.icrs).max().deg < 1e-6


def test_radii_of_containment_are_multiples_of_the_error(search):
    problem, _, found = search((10.0, 20.0, 3.0))
    columns = source_columns(found, problem, "SQ", 0.0)
    # chi2 of two degrees of freedom: -2 ln(1 - level)
    for name, level in (("r68", 0.68), ("r95", 0.95)):
        factor = columns[name].values / columns["pos_err"].values
        np.testing.assert_allclose(factor, np.sqrt(-2 * np.log(1 - level)), rtol=1e-3)


def test_systematic_error_adds_to_all_errors_of_positions_in_quadrature(search):
    problem, _, found = search((10.0, 20.0, 3.0))
    alone, both = (source_columns(found, problem, "SQ", error) for error in (0.0, 0.4))
    for name in ("err_major", "err_minor"):
        expected = np.hypot(alone[name].values, 0.4)
        np.testing.assert_allclose(both[name].values, expected, rtol=1e-12)
    major, minor = both["err_major"].values, both["err_minor"].values
    np.testing.assert_allclose(both["pos_err"].values, np.sqrt(major * minor))
    np.testing.assert_allclose(both["r95"].values, np.sqrt(5.99 * major * minor))
    assert (alone["pos_err_sys"].values.tolist(), both["pos_err_sys"].values.tolist()) == (
        [0.0],
        [0.4],
    )


def test_photon_flux_is_flux_times_the_integral_of_the_spectrum(search):
    from dataclasses import replace

    problem, _, found = search((10.0, 20.0, 3.0))
    columns = source_columns(found, replace(problem, photon_flux=0.25), "SQ", 0.0)
    assert columns["photon_flux"].values[0] == pytest.approx(found.measured.flux[0] / 4)
    assert columns["photon_flux_err"].values[0] == pytest.approx(found.measured.flux_err[0] / 4)


def test_energy_flux_is_photon_flux_times_the_mean_energy_of_its_photons(search):
    problem, _, found = search((10.0, 20.0, 3.0))
    columns = source_columns(found, problem, "SQ", 0.0, 500.0)
    for end in ("", "_err", "_ul"):
        expected = columns[f"photon_flux{end}"].values * 500 * 1.602176634e-9
        np.testing.assert_allclose(columns[f"energy_flux{end}"].values, expected, rtol=1e-12)
        assert columns[f"energy_flux{end}"].unit == "erg cm-2 s-1"
