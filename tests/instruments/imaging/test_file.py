"""Files that hold a whole observation: what is read from them, and what is refused."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.imaging.file import make_file_problem
from skyquilt.instruments.imaging.profiles import linear_integral
from skyquilt.sky.frames import lonlat_to_vec, vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.spectra import integrate
from skyquilt.testing.analyses import ask_one

SPECTRUM = {
    "model": "power_law",
    "norm": "1e-12 cm-2 s-1 TeV-1",
    "pivot": "1 TeV",
    "index": -2.7,
}
CENTER = lonlat_to_vec(np.array([83.6]), np.array([0.0]))
TRUE_KEV = np.array([0.5, 1, 2, 4, 16]) * 1e9


def problem(path, energy=None, **data):
    analysis = {
        "instrument": "imaging",
        "data": {"file": path} | data,
        "energy": energy or {},
        "spectrum": SPECTRUM,
    }
    return make_file_problem(ask_one(analysis))


def detected():
    """Photons of each true energy that a source of unit flux gives at the centre."""
    flux = integrate(parse_spectrum(), TRUE_KEV)
    return flux * np.arange(1, 5) * 1e8 * 1e4  # m2 s to cm2 s


def parse_spectrum():
    from pydantic import TypeAdapter

    from skyquilt.config.spectrum import Spectrum

    return TypeAdapter(Spectrum).validate_python(SPECTRUM)


def test_counts_and_background_are_those_of_the_hit_bins(dataset, tmp_path):
    found = problem(dataset.write(tmp_path / "x.fits"))

    counts, background = dataset.by_band()
    assert found.frame == "icrs"
    assert found.counts.sum() == counts.sum()
    assert found.background.sum() == pytest.approx(background[counts > 0].sum(), rel=1e-12)
    assert found.background_total == pytest.approx(background.sum(), rel=1e-12)
    assert found.description.n_bins == counts.size
    assert found.description.energy_range_keV == pytest.approx((1e9, 8e9), rel=1e-12)
    spectrum = found.counts_spectra[""]
    np.testing.assert_allclose(spectrum.edges, dataset.bands * 1e9)
    np.testing.assert_allclose(spectrum.counts["data"], counts.sum(axis=0))
    np.testing.assert_allclose(spectrum.counts["background model"], background.sum(axis=0))


def test_expected_counts_per_band_are_flux_times_exposure_times_dispersion(dataset, tmp_path):
    expectation = problem(dataset.write(tmp_path / "x.fits")).expectation

    # interpolated exposures are equal, 1e-12; integrals of the profiles are 1 to rounding
    integral = linear_integral(expectation.theta, expectation.profile)
    np.testing.assert_allclose(integral, 1, rtol=1e-9)
    per_band = (expectation.yields.at(CENTER)[0] * integral) @ expectation.to_band
    np.testing.assert_allclose(per_band, detected() @ dataset.to_band, rtol=1e-9)


def test_dataset_with_point_spread_by_true_energy_expects_the_same(map_dataset, tmp_path):
    dataset = map_dataset(by="ENERGY_TRUE")
    expectation = problem(dataset.write(tmp_path / "x.fits")).expectation

    assert expectation.profile.shape[0] == 4
    per_band = expectation.yields.at(CENTER)[0] @ expectation.to_band
    np.testing.assert_allclose(per_band, detected() @ dataset.to_band, rtol=1e-9)


def test_dispersion_is_that_of_the_place_where_the_point_spread_goes_by_band(map_dataset, tmp_path):
    dataset = map_dataset()
    dataset.maps["EDISP"][..., :2] = 0  # the half of larger right ascension detects nothing

    yields = problem(dataset.write(tmp_path / "x.fits")).expectation.yields

    east, west = (lonlat_to_vec(np.array([83.6 + d]), np.array([0.0])) for d in (0.6, -0.6))
    assert np.all(yields.at(east) < 0.5 * yields.at(west))


def test_point_spread_keeps_its_shape(dataset, tmp_path):
    expectation = problem(dataset.write(tmp_path / "x.fits")).expectation

    sigma = np.radians(0.15)
    wanted = np.exp(-0.5 * (expectation.theta / sigma) ** 2) / (2 * np.pi * sigma**2)
    # rings of a third of sigma, values in their middle; the first ring stands for the centre
    np.testing.assert_allclose(expectation.profile[-1], wanted, atol=0.03 * wanted[0])


@pytest.mark.parametrize("ordering", ["NESTED", "RING"])
def test_pixels_of_either_ordering_lie_where_they_are(healpix_dataset, ordering, tmp_path):
    dataset = healpix_dataset(ordering=ordering)
    only = np.zeros(dataset.columns["PIX"].size, int)
    only[17] = 5
    dataset.columns |= {f"COUNTS{band}": only * (band == 2) for band in (1, 2, 3)}

    found = problem(dataset.write(tmp_path / "x.fits"))

    import healpy

    wanted = healpy.pix2vec(256, dataset.columns["PIX"][17], nest=ordering == "NESTED")
    image = found.expectation.image
    assert image.shapes[0, :3] == pytest.approx(np.array(wanted), abs=1e-6)
    assert found.counts.tolist() == [5]
    assert image.bin_band.tolist() == [1]


def test_file_packed_by_gzip_reads_the_same(dataset, tmp_path):
    plain = problem(dataset.write(tmp_path / "x.fits"))
    content = (tmp_path / "x.fits").read_bytes()
    (tmp_path / "x.fits.gz").write_bytes(gzip.compress(content))

    packed = problem(str(tmp_path / "x.fits.gz"))

    np.testing.assert_array_equal(packed.counts, plain.counts)
    np.testing.assert_array_equal(packed.background, plain.background)


def test_energies_select_bands(dataset, tmp_path):
    found = problem(dataset.write(tmp_path / "x.fits"), {"range": ["2 TeV", "8 TeV"]})

    counts, _ = dataset.by_band()
    assert found.counts.sum() == counts[:, 1:].sum()
    assert found.description.energy_range_keV == pytest.approx((2e9, 8e9), rel=1e-12)
    assert found.expectation.to_band.shape[1] == 2
    assert found.counts_spectra[""].is_selected.tolist() == [False, True, True]


def test_summed_channels_have_the_counts_and_yields_of_all(dataset, tmp_path):
    path = dataset.write(tmp_path / "x.fits")
    apart, summed = problem(path), problem(path, {"sum_channels": True})

    assert summed.counts.sum() == apart.counts.sum()
    assert summed.counts.size < apart.counts.size
    to_band = apart.expectation.to_band.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(summed.expectation.to_band, to_band)


def test_masked_bands_and_pixels_are_left_out(map_dataset, tmp_path):
    dataset = map_dataset()
    dataset.maps["MASK_SAFE"][0] = 0
    dataset.maps["MASK_SAFE"][:, :3] = 0

    found = problem(dataset.write(tmp_path / "x.fits"))

    assert found.counts.sum() == dataset.maps["COUNTS"][1:, 3:].sum()
    assert found.description.n_bins == 2 * 9 * 16
    assert found.description.energy_range_keV == pytest.approx((2e9, 8e9), rel=1e-12)


def test_energies_that_the_mask_leaves_none_of_are_refused(map_dataset, tmp_path):
    dataset = map_dataset()
    dataset.maps["MASK_SAFE"][0] = 0

    with pytest.raises(InputError, match=r"of the bands \[0, 1\) its mask leaves none; .*\[1, 2\]"):
        problem(dataset.write(tmp_path / "x.fits"), {"channels": [0, 1]})


def test_pixels_without_background_and_counts_are_left_out(dataset, tmp_path, caplog):
    caplog.set_level("INFO")
    dataset.set_pixel(counts=0, background=0)

    found = problem(dataset.write(tmp_path / "x.fits"))

    assert "x.fits: 3 bins have no background; left out" in caplog.text
    assert found.description.n_masked_bins == 3


@pytest.mark.parametrize(
    ("what", "value", "message"),
    [
        ("counts", -1, "counts: 3 values are negative or not finite"),
        ("counts", np.nan, "counts: 3 values are negative or not finite"),
        ("background", -0.1, "background: 3 values are negative or not finite"),
        ("background", np.inf, "background: 3 values are negative or not finite"),
    ],
)
def test_impossible_values_are_refused(dataset, tmp_path, what, value, message):
    dataset.set_pixel(**{what: value})

    with pytest.raises(InputError, match=rf"x\.fits: {message}"):
        problem(dataset.write(tmp_path / "x.fits"))


def test_counts_without_background_are_refused(dataset, tmp_path):
    dataset.set_pixel(counts=2, background=0)

    with pytest.raises(InputError, match=r"x\.fits: 3 bins have counts but no background"):
        problem(dataset.write(tmp_path / "x.fits"))


def test_point_spread_that_is_not_normalised_is_told_and_divided_when_asked(
    dataset, tmp_path, caplog
):
    dataset.scale_psf(0.9)
    path = dataset.write(tmp_path / "x.fits")

    as_it_is, divided = problem(path), problem(path, normalise=True)

    assert "the point spread function has the integral 0.9; taken as it is" in caplog.text
    for found, wanted in ((as_it_is, 0.9), (divided, 1.0)):
        integral = linear_integral(found.expectation.theta, found.expectation.profile)
        np.testing.assert_allclose(integral, wanted, rtol=1e-9)


def test_point_spread_that_changes_over_the_map_is_told(map_dataset, tmp_path, caplog):
    caplog.set_level("INFO")
    dataset = map_dataset()
    dataset.maps["PSF"][..., 0] *= 1.2

    problem(dataset.write(tmp_path / "x.fits"))

    assert "changes over the map by 20 % of its maximum; that in the middle" in caplog.text


def without(name):
    return lambda dataset: dataset.maps.pop(name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("EDISP"), "its extensions .* no known layout"),
        (lambda d: d.units.update(BACKGROUND="s-1"), "image BACKGROUND has the unit 's-1'"),
        (lambda d: d.units.update(EXPOSURE="s"), "image EXPOSURE has the unit 's'"),
        (lambda d: d.units.update(EXPOSURE=""), "image EXPOSURE has the unit ''"),
        (lambda d: setattr(d, "energy_unit", None), "column E_MIN of COUNTS_BANDS has the unit ''"),
        (lambda d: d.maps.update(BACKGROUND=d.maps["BACKGROUND"][:, :5]), "different pixels"),
        (lambda d: d.axes.update(EXPOSURE=["RAD"]), "EXPOSURE_BANDS has 24 rows"),
        (lambda d: d.maps.update(EXPOSURE=d.maps["EXPOSURE"] * np.nan), "values are not finite"),
    ],
    ids=["EDISP", "rate", "unit", "no unit", "energy", "pixels", "axis", "exposure"],
)
def test_dataset_that_is_not_whole_is_refused(map_dataset, tmp_path, change, message):
    dataset = map_dataset()
    change(dataset)

    with pytest.raises(InputError, match=rf"x\.fits: .*({message})"):
        problem(dataset.write(tmp_path / "x.fits"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.columns.pop("BKG2"), "table SKYMAP has no column BKG2"),
        (lambda d: d.cards.update(COORDSYS="X"), "COORDSYS of SKYMAP is 'X'"),
        (lambda d: d.cards.pop("COORDSYS"), "COORDSYS of SKYMAP is None"),
        (lambda d: d.cards.update(NSIDE=3), "PIX of SKYMAP: nside 3"),
        (lambda d: d.cards.update(NSIDE=1), "PIX of SKYMAP"),
        (lambda d: d.columns.update(PIX=d.columns["PIX"] * 0), "PIX of SKYMAP has a pixel twice"),
        (lambda d: setattr(d, "edisp", d.edisp[:, :2]), "EDISP of IRF_CRAB has the shape"),
        (lambda d: setattr(d, "psf", d.psf[:, :2]), "PSF of IRF_CRAB has the shape"),
        (lambda d: d.units.update(E="s"), "column E_MIN of EBOUNDS has the unit 's'"),
        (lambda d: d.units.update(BKG="s-1"), "column BKG1 of SKYMAP has the unit 's-1'"),
        (lambda d: d.units.update(PSF=None), "column PSF of IRF_CRAB has the unit ''"),
    ],
)
def test_healpix_dataset_that_is_not_whole_is_refused(healpix_dataset, tmp_path, change, message):
    dataset = healpix_dataset()
    change(dataset)

    with pytest.raises(InputError, match=rf"x\.fits: {message}"):
        problem(dataset.write(tmp_path / "x.fits"))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"x\.fits: no such file"):
        problem(str(tmp_path / "x.fits"))


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.6, 0.95])
@pytest.mark.parametrize("packed", [False, True])
def test_truncated_file_is_refused(dataset, tmp_path, fraction, packed, truncate):
    path = dataset.write(tmp_path / "x.fits")
    if packed:
        Path(path).write_bytes(gzip.compress(Path(path).read_bytes()))
    truncate(path, fraction)

    with pytest.raises(InputError, match=r"x\.fits: "):
        problem(path)


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_energy_without_exposure_needs_no_response(healpix_dataset, tmp_path, value):
    dataset = healpix_dataset()
    dataset.columns["EXPO1"] = np.zeros(dataset.columns["PIX"].size)
    dataset.psf[0], dataset.edisp[0] = value, value

    expectation = problem(dataset.write(tmp_path / "x.fits")).expectation

    assert len(expectation.profile) == 3
    per_band = expectation.yields.at(CENTER)[0] @ expectation.to_band
    np.testing.assert_allclose(per_band, detected()[1:] @ dataset.to_band[1:], rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.psf.__setitem__(1, np.nan), "PSF or EDISP is not known .* 1.414e.09 keV"),
        (lambda d: d.psf.__setitem__(1, 0.0), "PSF or EDISP is not known .* 1.414e.09 keV"),
        (lambda d: d.edisp.__setitem__(1, np.nan), "PSF or EDISP is not known"),
        (lambda d: d.edisp.__setitem__(1, 2.0), "EDISP must hold probabilities"),
        (lambda d: d.psf.__setitem__((1, 3), -1.0), "PSF: some values are negative"),
        (lambda d: d.columns.update(EXPO1=d.columns["EXPO1"] * -1), "negative or not finite"),
        (
            lambda d: d.columns.update({f"EXPO{k}": d.columns["EXPO1"] * 0 for k in (1, 2, 3, 4)}),
            "no photons are expected",
        ),
    ],
)
def test_impossible_response_is_refused(healpix_dataset, tmp_path, change, message):
    dataset = healpix_dataset()
    change(dataset)

    with pytest.raises(InputError, match=rf"x\.fits: .*{message}"):
        problem(dataset.write(tmp_path / "x.fits"))


@pytest.mark.parametrize("value", [np.nan, -1.6375e30])
def test_exposure_that_is_not_known_is_a_status(healpix_dataset, tmp_path, value):
    dataset = healpix_dataset()
    whole = problem(dataset.write(tmp_path / "x.fits"))
    lon, _ = vec_to_lonlat(nest_to_vec(256, dataset.columns["PIX"]))
    for name in ("EXPO1", "EXPO2", "EXPO3", "EXPO4"):
        dataset.columns[name] = np.where(lon > 83.9, value, dataset.columns[name])

    part = problem(dataset.write(tmp_path / "x.fits"))

    places = lonlat_to_vec(np.array([83.6, 83.85, 84.3]), np.zeros(3))
    assert part.expectation.block(places).status.tolist()[::2] == [0, 2]
    # up to the edge of what is known it is not less
    found, wanted = (one.expectation.yields.at(places[:1]) for one in (part, whole))
    np.testing.assert_allclose(found, wanted)
    assert whole.expectation.block(places).status.tolist() == [0, 0, 0]
