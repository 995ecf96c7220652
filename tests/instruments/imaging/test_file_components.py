"""Components of the background, and bands, of data that are one file."""

import copy

import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.analyses import check
from skyquilt.instruments.imaging.file import make_file_problem
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.testing.analyses import ask_one

SPECTRUM = {"model": "power_law", "norm": "1e-12 cm-2 s-1 TeV-1", "pivot": "1 TeV", "index": -2.7}
DIRECTIONS = lonlat_to_vec(83.6 + np.linspace(-0.4, 0.4, 9), np.linspace(-0.3, 0.3, 9))


def analysis(path, background=None, **energy):
    data = {"file": path} | ({} if background is None else {"background": background})
    settings = {"instrument": "imaging", "data": data, "energy": energy, "spectrum": SPECTRUM}
    return ask_one(settings)


def problem(*args, **energy):
    return make_file_problem(analysis(*args, **energy))


def set_background(dataset, values):
    """Set the expected counts, shape (n_pixel, n_band)."""
    if hasattr(dataset, "maps"):
        dataset.maps["BACKGROUND"] = values.T.reshape(dataset.maps["BACKGROUND"].shape)
    else:
        dataset.columns |= {f"BKG{band + 1}": values[:, band] for band in range(3)}


def write_cube(dataset, path, values):
    """A file of the background alone, in the same pixels."""
    other = copy.deepcopy(dataset)
    set_background(other, values)
    if hasattr(dataset, "maps"):
        other.maps = {"BACKGROUND": other.maps["BACKGROUND"]}
        return other.write(path)
    from astropy.io import fits

    names = ["PIX"] + [f"BKG{band}" for band in (1, 2, 3)]
    other.columns = {name: other.columns[name] for name in names}
    other.cards = other.cards | {"PIXTYPE": "HEALPIX"}
    path = other.write(path)
    with fits.open(path, mode="update") as file:
        for name in ("IRF_CRAB", "THETA"):
            del file[name]
    return path


@pytest.fixture
def files(dataset, tmp_path):
    """Paths of a data set with its whole background, of one with a part, and of the rest."""
    _, background = dataset.by_band()
    part = np.random.default_rng(5).uniform(0.2, 0.8, background.shape)
    whole = dataset.write(tmp_path / "whole.fits")
    rest = write_cube(dataset, tmp_path / "rest.fits", (1 - part) * background)
    set_background(dataset, part * background)
    return whole, dataset.write(tmp_path / "part.fits"), rest


def test_map_of_components_is_that_of_their_sum(files):
    whole, part, rest = files
    components = {"cosmic-rays": {}, "galactic": {"path": rest}}

    several, sum_ = problem(part, components), problem(whole)

    np.testing.assert_allclose(several.background, sum_.background, rtol=1e-12)
    fits = [fit_pixels(one, DIRECTIONS) for one in (several, sum_)]
    np.testing.assert_allclose(fits[0].ts, fits[1].ts, rtol=1e-9, atol=1e-9)
    assert [one.name for one in several.backgrounds] == ["cosmic-rays", "galactic"]
    sums = sum(one.in_bins(len(several.background)) for one in several.backgrounds)
    np.testing.assert_allclose(sums, several.background, rtol=1e-12)
    total = sum(one.totals for one in several.backgrounds)
    assert total.shape == (3,)
    assert total.sum() == pytest.approx(several.background_total, rel=1e-12)


def test_other_file_may_replace_the_background(files):
    whole, part, rest = files

    found = problem(whole, {"path": rest, "scale": 2.0})

    theirs = problem(part).background_total
    wanted = 2 * (problem(whole).background_total - theirs)
    assert found.background_total == pytest.approx(wanted, rel=1e-12)
    assert found.backgrounds[0].factor == 2.0


def test_own_background_may_be_scaled(files):
    found, plain = problem(files[0], {"scale": 2.0}), problem(files[0])

    np.testing.assert_array_equal(found.background, 2 * plain.background)


def test_default_is_the_own_background_bit_for_bit(files):
    plain, named = problem(files[0]), problem(files[0], {"own": {}})

    assert np.array_equal(plain.background, named.background)
    assert plain.backgrounds[0].name == ""


@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_component_with_impossible_counts_is_one_error_with_its_name(
    files, dataset, tmp_path, value
):
    values = np.ones_like([*dataset.by_band()][1])
    values[5] = [1.0, value, 1.0]
    bad = write_cube(dataset, tmp_path / "bad.fits", values)

    with pytest.raises(InputError, match=r"background galactic: .*negative or not finite"):
        problem(files[1], {"own": {}, "galactic": {"path": bad}})


def test_component_of_other_pixels_is_one_error_with_its_name(files, sky):
    sky.write("counts")

    with pytest.raises(InputError, match=r"background galactic: .*must agree"):
        problem(files[1], {"own": {}, "galactic": {"path": sky.path("background.fits")}})


def test_check_names_components(files):
    _, part, rest = files

    found = check(analysis(part, {"own": {}, "galactic": {"path": rest}})).found

    assert "(own " in found
    assert "galactic " in found


def test_bands_sum_to_totals(files):
    found = problem(files[0])

    totals = found.band_totals(DIRECTIONS)
    assert totals.shape == (9, 3)
    whole = found.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(totals.sum(axis=1), whole, rtol=1e-12)


@pytest.mark.parametrize("energy", [{}, {"bands": ["1 TeV", "2 TeV", "8 TeV"]}])
def test_bands_of_a_mask_by_place_are_those_without_one(map_dataset, tmp_path, energy):
    dataset = map_dataset()
    dataset.maps["MASK_SAFE"][1, :, :4] = 0  # two groups of bands that share their pixels

    found = problem(dataset.write(tmp_path / "x.fits"), **energy)

    assert len(found.expectation.parts) == 2
    edges = [[1, 2], [2, 4], [4, 8]] if not energy else [[1, 2], [2, 8]]
    np.testing.assert_allclose(found.bands.edges / 1e9, edges, rtol=1e-9)
    totals = found.band_totals(DIRECTIONS)
    whole = found.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(totals.sum(axis=1), whole, rtol=1e-12)
    mask = dataset.maps["MASK_SAFE"].reshape(3, -1).T > 0
    counts, background = (np.where(mask, one, 0).sum(axis=0) for one in dataset.by_band())
    if energy:
        counts, background = (np.append(one[0], one[1:].sum()) for one in (counts, background))
    np.testing.assert_allclose(found.bands.sum_hits(found.counts), counts)
    np.testing.assert_allclose(found.backgrounds[0].totals, background, rtol=1e-12)


def test_band_that_the_mask_leaves_out_goes_or_is_asked_for(map_dataset, tmp_path):
    dataset = map_dataset()
    dataset.maps["MASK_SAFE"][1] = 0
    path = dataset.write(tmp_path / "x.fits")

    found = problem(path)

    np.testing.assert_allclose(found.bands.edges / 1e9, [[1, 2], [4, 8]], rtol=1e-9)
    whole = found.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(found.band_totals(DIRECTIONS).sum(axis=1), whole, rtol=1e-12)
    joined = problem(path, bands=["1 TeV", "4 TeV", "8 TeV"])
    np.testing.assert_allclose(joined.bands.edges / 1e9, [[1, 4], [4, 8]], rtol=1e-9)
    with pytest.raises(InputError, match=r"leaves nothing of the band 2.*4.* TeV"):
        problem(path, bands=["1 TeV", "2 TeV", "4 TeV", "8 TeV"])
