"""MapDatasets in all their forms: the same observation expects the same counts."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from skyquilt.errors import InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.file import make_file_problem
from skyquilt.io.provenance import Provenance
from skyquilt.problem.file import read_problem, write_problem
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation
from skyquilt.testing.analyses import ask_one

SPECTRUM = {"model": "power_law", "norm": "1e-12 cm-2 s-1 TeV-1", "pivot": "1 TeV", "index": -2.7}
CENTER = (83.6, 0.0)
PLACES = lonlat_to_vec(np.array([83.6, 83.8, 83.3]), np.array([0.0, 0.1, -0.3]))


def problem(dataset, path, energy=None, **data):
    analysis = {
        "instrument": "imaging",
        "data": {"file": dataset.write(path / "x.fits")} | data,
        "energy": energy or {},
        "spectrum": SPECTRUM,
    }
    return make_file_problem(ask_one(analysis))


def expected(found, places=PLACES):
    """Expected counts per hit bin and total, at some places in ICRS."""
    block = found.expectation.block(rotate(rotation("icrs", found.frame), places))
    return block.dense().unit_counts, block.total


def by_true_energy(map_dataset):
    return map_dataset(by="ENERGY_TRUE")


# --- how axes are written ---


@pytest.mark.parametrize("by", ["E", "ENERGY_TRUE"])
@pytest.mark.parametrize("name", ["PSF", "EDISP"])
def test_axes_in_either_order_are_the_same(map_dataset, tmp_path, by, name):
    plain, turned = map_dataset(by=by), map_dataset(by=by)
    turned.axes[name] = turned.axes[name][::-1]
    turned.maps[name] = np.ascontiguousarray(np.swapaxes(turned.maps[name], 0, 1))

    one, other = (expected(problem(dataset, tmp_path)) for dataset in (plain, turned))

    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("by", ["E", "ENERGY_TRUE"])
@pytest.mark.parametrize("regions", [{"PSF"}, {"EDISP"}, {"PSF", "EDISP"}])
def test_responses_of_a_region_are_those_of_a_constant_map(map_dataset, tmp_path, by, regions):
    plain, region = map_dataset(by=by), map_dataset(by=by)
    region.regions = regions

    one, other = (expected(problem(dataset, tmp_path)) for dataset in (plain, region))

    np.testing.assert_allclose(one[0], other[0], rtol=1e-9)  # bilinear means of one value
    np.testing.assert_allclose(one[1], other[1], rtol=1e-9)


@pytest.mark.parametrize("name", ["COUNTS", "EXPOSURE"])
def test_images_of_a_region_are_refused(map_dataset, tmp_path, name):
    dataset = map_dataset()
    dataset.regions = {name}

    with pytest.raises(InputError, match=rf"{name} (is that of a region|has \d+ rows)"):
        problem(dataset, tmp_path)


TRUE_BY_TWO = np.array([0.5, 1, 2, 4, 8])  # TeV, so that nodes lie in the middle of equal bins


@pytest.mark.parametrize(
    "nodes",
    [
        {("EXPOSURE", "ENERGY_TRUE"), ("EDISP", "ENERGY_TRUE"), ("PSF", "ENERGY_TRUE")},
        {("EXPOSURE", "ENERGY_TRUE")},
        {("EDISP", "ENERGY_TRUE")},
        {("COUNTS", "E"), ("BACKGROUND", "E"), ("MASK_SAFE", "E"), ("EDISP", "E")},
    ],
)
def test_axes_of_nodes_are_those_of_the_bins_around_them(map_dataset, tmp_path, nodes):
    plain, at_nodes = by_true_energy(map_dataset), by_true_energy(map_dataset)
    plain.edges = at_nodes.edges = plain.edges | {"ENERGY_TRUE": TRUE_BY_TWO}
    at_nodes.nodes = nodes

    one, other = (problem(dataset, tmp_path) for dataset in (plain, at_nodes))

    np.testing.assert_allclose(expected(one)[0], expected(other)[0], rtol=1e-9)
    np.testing.assert_allclose(expected(one)[1], expected(other)[1], rtol=1e-9)
    np.testing.assert_allclose(one.counts_spectra[""].edges, other.counts_spectra[""].edges)


def test_point_spread_at_nodes_is_linear_between_them(map_dataset, tmp_path):
    dataset = by_true_energy(map_dataset)
    dataset.nodes = {("PSF", "RAD")}

    found = problem(dataset, tmp_path, normalise=True).expectation

    rad = np.radians((dataset.edges["RAD"][1:] + dataset.edges["RAD"][:-1]) / 2)
    np.testing.assert_allclose(found.theta, [0.0, *rad], rtol=1e-12)
    density = dataset.maps["PSF"][:, :, 1, 1]
    np.testing.assert_allclose(
        found.profile[:, 1:] / found.profile[:, 1:2], density / density[:, :1], rtol=1e-12
    )


def with_point_spread_at(map_dataset, path, edges):
    """Dataset whose point spread function, the same at all energies, has other energies."""
    dataset, other = by_true_energy(map_dataset), by_true_energy(map_dataset)
    dataset.maps["PSF"][:] = dataset.maps["PSF"][2]
    other.edges = other.edges | {"ENERGY_TRUE": edges}
    other.maps["PSF"] = np.repeat(dataset.maps["PSF"][:1], len(edges) - 1, axis=0)
    for name in ("EXPOSURE", "EDISP"):
        del other.maps[name]
    write = dataset.write
    with fits.open(other.write(path / "other.fits")) as file:
        spread = [file[name].copy() for name in ("PSF", "PSF_BANDS")]

    def write_both(target):
        with fits.open(write(target)) as file:
            kept = [hdu.copy() for hdu in file if not hdu.name.startswith("PSF")]
        fits.HDUList([*kept, *spread]).writeto(target, overwrite=True)
        return str(target)

    dataset.write = write_both
    return dataset


def test_point_spread_at_other_energies_is_interpolated(map_dataset, tmp_path):
    plain = by_true_energy(map_dataset)
    plain.maps["PSF"][:] = plain.maps["PSF"][2]
    other = with_point_spread_at(map_dataset, tmp_path, np.geomspace(0.4, 20, 7))

    one, two = (expected(problem(dataset, tmp_path)) for dataset in (plain, other))

    np.testing.assert_allclose(one[0], two[0], rtol=1e-9)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-9)


def test_point_spread_that_does_not_reach_all_energies_is_refused(map_dataset, tmp_path):
    other = with_point_spread_at(map_dataset, tmp_path, np.geomspace(3, 20, 7))

    with pytest.raises(InputError, match="PSF or EDISP is not known"):
        problem(other, tmp_path)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("E_MIN", "E_MIN of PSF_BANDS differs along the other axes"),
        ("E_MIN,E_MAX,E", "AXCOLS1 of PSF_BANDS is"),
        ("", "AXCOLS1 of PSF_BANDS is"),
        ("NONE_MIN,NONE_MAX", "PSF_BANDS has no column NONE_MIN"),
    ],
)
def test_axis_that_is_not_known_is_refused(map_dataset, tmp_path, axis, message):
    dataset = map_dataset()
    path = dataset.write(tmp_path / "x.fits")
    fits.setval(path, "AXCOLS1", value=axis, extname="PSF_BANDS")
    dataset.write = lambda _: path

    with pytest.raises(InputError, match=rf"x\.fits: .*({message})"):
        problem(dataset, tmp_path)


def test_map_without_the_names_of_its_axes_is_refused(map_dataset, tmp_path):
    dataset = map_dataset()
    path = dataset.write(tmp_path / "x.fits")
    fits.delval(path, "AXCOLS1", extname="COUNTS_BANDS")
    dataset.write = lambda _: path

    with pytest.raises(InputError, match="COUNTS_BANDS has no AXCOLS1"):
        problem(dataset, tmp_path)


# --- frames and pixels ---


GALACTIC = SkyCoord(*CENTER, unit="deg").galactic


def in_galactic(size):
    lon, lat = GALACTIC.l.deg, GALACTIC.b.deg
    cards = {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN", "CRVAL1": lon, "CRVAL2": lat}
    return cards | {"CDELT1": -size, "CDELT2": size}


@pytest.mark.parametrize("by", ["E", "ENERGY_TRUE"])
@pytest.mark.parametrize("names", [["EXPOSURE"], ["PSF", "EDISP"], ["EXPOSURE", "PSF", "EDISP"]])
def test_maps_in_another_frame_expect_the_same(map_dataset, tmp_path, by, names):
    plain, turned = map_dataset(by=by), map_dataset(by=by)
    turned.cards = {name: in_galactic(0.2 if name == "EXPOSURE" else 2.0) for name in names}

    one, other = (problem(dataset, tmp_path) for dataset in (plain, turned))

    assert other.frame == ("galactic" if "EXPOSURE" in names else "icrs")
    flux = [fit_pixels(p, rotate(rotation("icrs", p.frame), PLACES)) for p in (one, other)]
    np.testing.assert_allclose(flux[0].ts, flux[1].ts, rtol=1e-6)
    np.testing.assert_allclose(flux[0].npred, flux[1].npred, rtol=1e-6)
    np.testing.assert_allclose(expected(one)[1], expected(other)[1], rtol=1e-6)


@pytest.mark.parametrize("name", ["BACKGROUND", "MASK_SAFE"])
@pytest.mark.parametrize(
    "cards",
    [
        in_galactic(0.1),
        {"PC1_1": 0.0, "PC1_2": -1.0, "PC2_1": 1.0, "PC2_2": 0.0},
        {"CRVAL1": 83.7},
        {"CDELT2": 0.11},
    ],
)
def test_background_and_mask_in_other_pixels_are_refused(map_dataset, tmp_path, name, cards):
    dataset = map_dataset()
    dataset.cards = {name: cards}

    with pytest.raises(InputError, match=rf"COUNTS and {name} have different pixels or energies"):
        problem(dataset, tmp_path)


def test_counts_off_the_sky_are_refused(map_dataset, tmp_path):
    dataset = map_dataset()
    cards = {"CTYPE1": "RA---AIT", "CTYPE2": "DEC--AIT", "CDELT1": -25.0, "CDELT2": 25.0}
    dataset.cards = dict.fromkeys(("COUNTS", "BACKGROUND", "MASK_SAFE"), cards)

    with pytest.raises(InputError, match="counts in pixels that lie off the sky"):
        problem(dataset, tmp_path)


# --- what is not known ---


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_energy_without_exposure_needs_no_response(map_dataset, tmp_path, value):
    whole, part = by_true_energy(map_dataset), by_true_energy(map_dataset)
    for dataset in (whole, part):
        dataset.maps["EXPOSURE"][0] = 0
    part.maps["PSF"][0] = value
    part.maps["EDISP"][0] = value

    one, other = (expected(problem(dataset, tmp_path)) for dataset in (whole, part))

    np.testing.assert_allclose(one[0], other[0], atol=1e-4 * one[0].max())
    np.testing.assert_allclose(one[1], other[1], rtol=1e-3)  # reach of the wider function


@pytest.mark.parametrize("name", ["PSF", "EDISP"])
def test_energy_with_exposure_needs_a_response(map_dataset, tmp_path, name):
    dataset = by_true_energy(map_dataset)
    dataset.maps[name][1] = np.nan

    with pytest.raises(
        InputError, match=r"x\.fits: PSF or EDISP is not known .* at 1\.414e\+09 keV"
    ):
        problem(dataset, tmp_path)


def test_few_photons_without_a_response_are_left_out_with_a_warning(map_dataset, tmp_path, caplog):
    dataset = by_true_energy(map_dataset)
    dataset.maps["EXPOSURE"][1] *= 1e-3
    dataset.maps["PSF"][1] = 0

    problem(dataset, tmp_path)

    assert (
        "x.fits: PSF or EDISP is not known (NaN, or 0 everywhere) at 1.414e+09 keV" in caplog.text
    )


def test_band_without_yield_needs_no_point_spread(map_dataset, tmp_path):
    dataset = map_dataset()
    dataset.maps["EDISP"][:, 0] = 0
    dataset.maps["PSF"][0] = np.nan

    found = problem(dataset, tmp_path)

    counts, total = expected(found)
    assert np.all(np.isfinite(counts))
    assert np.all(total > 0)
    dataset.maps["EDISP"][:] = map_dataset().maps["EDISP"]
    with pytest.raises(InputError, match="PSF or EDISP is not known"):
        problem(dataset, tmp_path)


@pytest.mark.parametrize("by", ["E", "ENERGY_TRUE"])
def test_exposure_that_is_not_known_is_a_status(map_dataset, tmp_path, caplog, by):
    caplog.set_level("INFO")
    dataset = map_dataset(by=by)
    dataset.maps["EXPOSURE"][:, :, :6] = np.nan

    found = problem(dataset, tmp_path)
    places = lonlat_to_vec(np.array([83.6, 84.2]), np.zeros(2))

    assert "EXPOSURE is not known (NaN) in 72 pixels" in caplog.text
    assert found.expectation.block(places).status.tolist() == [0, 2]
    whole = problem(map_dataset(by=by), tmp_path)
    np.testing.assert_allclose(
        found.expectation.block(places).total[0], whole.expectation.block(places).total[0]
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EXPOSURE", -1.0, "EXPOSURE: 4 values are negative or infinite"),
        ("EXPOSURE", np.inf, "EXPOSURE: 4 values are negative or infinite"),
        ("EXPOSURE", 1e38, "EXPOSURE: 4 values are negative or infinite"),
        ("PSF", -1.0, "PSF: some values are negative or infinite"),
        ("PSF", np.inf, "PSF: some values are negative or infinite"),
        ("EDISP", -0.5, "EDISP must hold probabilities"),
        ("EDISP", 2.0, "EDISP must hold probabilities"),
        ("EDISP", 0.0, "no photons are expected"),
        ("EXPOSURE", 0.0, "no photons are expected"),
        ("MASK_SAFE", 0, "MASK_SAFE leaves no bin"),
    ],
)
def test_impossible_values_are_refused(map_dataset, tmp_path, name, value, message):
    dataset = map_dataset()
    if value == 0 or name == "EDISP":
        dataset.maps[name][:] = value
    else:
        dataset.maps[name][..., 1, 1] = value

    with pytest.raises(InputError, match=rf"x\.fits: {message}"):
        problem(dataset, tmp_path)


# --- energy dispersion over the ratio of energies ---


def test_dispersion_over_ratios_is_that_of_the_bands(map_dataset, tmp_path):
    dataset = by_true_energy(map_dataset)
    ratio = np.linspace(0.2, 2.0, 181)
    true = np.sqrt(np.array(dataset.edges["ENERGY_TRUE"][1:]) * dataset.edges["ENERGY_TRUE"][:-1])
    density = np.where((ratio[1:] > 0.7 + 1e-9) & (ratio[:-1] < 1.3 - 1e-9), 1 / 0.6, 0.0)
    dataset.edges = dataset.edges | {"MIGRA": ratio}
    dataset.axes["EDISP"] = ["ENERGY_TRUE", "MIGRA"]
    dataset.maps["EDISP"] = np.broadcast_to(density[:, None, None], (4, 180, 4, 4)).copy()

    found = problem(dataset, tmp_path).expectation.to_band

    edges = np.array(dataset.edges["E"]) / true[:, None]
    below = np.clip((edges - 0.7) / 0.6, 0, 1)
    np.testing.assert_allclose(found, np.diff(below, axis=1), atol=1e-12)


# --- masks by energy and place ---


def test_mask_that_differs_from_band_to_band_leaves_just_its_bins(map_dataset, tmp_path):
    dataset = by_true_energy(map_dataset)
    rng = np.random.default_rng(8)
    mask = rng.uniform(size=(3, 12, 16)) < 0.7
    mask[2] = mask[0]
    dataset.maps["MASK_SAFE"] = mask.astype(int)

    found = problem(dataset, tmp_path)

    counts, background = dataset.maps["COUNTS"], dataset.maps["BACKGROUND"]
    assert found.counts.sum() == counts[mask].sum()
    assert found.background_total == pytest.approx(background[mask].sum(), rel=1e-12)
    assert found.description.n_bins == mask.sum()
    spectrum = found.counts_spectra[""].counts["data"]
    np.testing.assert_allclose(spectrum, (counts * mask).sum(axis=(1, 2)))


def test_source_behind_a_mask_expects_the_counts_of_the_bins_that_are_left(map_dataset, tmp_path):
    whole, part = by_true_energy(map_dataset), by_true_energy(map_dataset)
    for dataset in (whole, part):
        dataset.maps["COUNTS"] = np.ones((3, 12, 16), np.float32)
    mask = np.ones((3, 12, 16), bool)
    mask[0, :, 9:], mask[1, :5] = False, False
    part.maps["MASK_SAFE"] = mask.astype(int)

    all_counts, _ = expected(problem(whole, tmp_path))
    counts, total = expected(problem(part, tmp_path))

    # bins of a whole mask: pixel by pixel in some order, each with all bands
    np.testing.assert_allclose(counts.sum(axis=1), total, rtol=3e-3)  # reach and integrals
    left = np.sort(counts[0])[::-1][:50]
    assert np.all(np.isin(np.round(left, 9), np.round(all_counts[0], 9)))


def test_problem_with_a_mask_by_place_is_written_and_read(map_dataset, tmp_path):
    dataset = by_true_energy(map_dataset)
    dataset.maps["MASK_SAFE"][0, 0, 0] = 0
    found = problem(dataset, tmp_path)

    write_problem(tmp_path / "problem.h5", found, Provenance("prepare", {}, ()))
    read = read_problem(tmp_path / "problem.h5")

    np.testing.assert_array_equal(fit_pixels(read, PLACES).ts, fit_pixels(found, PLACES).ts)
    assert np.all(fit_pixels(read, PLACES).status < 2)


def test_bands_with_a_mask_by_place_are_not_added(map_dataset, tmp_path):
    dataset = map_dataset()
    dataset.maps["MASK_SAFE"][0, 0, 0] = 0

    with pytest.raises(InputError, match=r"cannot be added: remove `energy\.sum_channels`"):
        problem(dataset, tmp_path, {"sum_channels": True})


def test_values_behind_the_mask_do_not_matter(map_dataset, tmp_path, caplog):
    caplog.set_level("INFO")
    dataset = map_dataset()
    dataset.maps["MASK_SAFE"][1, 2, 3] = 0
    dataset.maps["COUNTS"][1, 2, 3], dataset.maps["BACKGROUND"][1, 2, 3] = 7, np.nan

    found = problem(dataset, tmp_path)

    assert "its mask leaves out 1 bins of the chosen bands, with 7 counts" in caplog.text
    assert np.isfinite(found.counts_spectra[""].counts["background model"]).all()
