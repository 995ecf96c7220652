import healpy
import numpy as np
import pytest

from skyquilt.localisation.posterior import flatten_probability, localise
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.sky.uniq import to_uniq

AREA = np.degrees(np.degrees(4 * np.pi))


@pytest.fixture
def part():
    """Base pixel 0 in quarters, base pixel 5 whole; nothing elsewhere."""
    uniq = np.append(to_uniq(1, np.arange(4)), 4 + 5)
    ts = np.array([3.0, 9.0, 0.0, np.nan, 6.0])
    columns = {"ts": ts, "flux": ts / 3, "exposure": np.arange(5.0), "n_iter": np.arange(5)}
    return MultiOrderMap("icrs", uniq, columns)


def test_cells_cover_the_sky_and_are_empty_where_there_were_none(part):
    cells = localise(part, (0.9,)).cells
    assert cells.pixel_area.sum() == pytest.approx(AREA, rel=1e-12)  # rounding
    assert cells.uniq.size == 5 + 10
    place = cells.find(part.centres)
    is_added = ~np.isin(np.arange(15), place)
    np.testing.assert_array_equal(cells.ts[place], part.ts)
    assert np.isnan(cells.ts[is_added]).all()
    assert (cells.columns["probdensity"][is_added] == 0).all()


def test_columns_are_the_density_and_the_fitted_quantities(part):
    cells = localise(part, (0.9,)).cells
    assert list(cells.columns) == ["probdensity", "ts", "flux", "exposure"]


def test_density_is_that_of_the_likelihood_and_integrates_to_one(part):
    found = localise(part, (0.9,))
    weight = np.exp(part.ts / 2) * np.array([1, 1, 1, 0, 4]) / 4
    wanted = np.exp(part.ts / 2) / (np.nansum(weight) * np.pi / 3)
    density = found.density[found.cells.find(part.centres)]
    np.testing.assert_allclose(density, np.nan_to_num(wanted), rtol=1e-12)


def test_exposure_as_prior_multiplies_the_density(part):
    flat, exposed = localise(part, (0.9,)), localise(part, (0.9,), "exposure")
    place = flat.cells.find(part.centres)[[1, 4]]
    ratio = exposed.density[place] / flat.density[place]
    assert ratio[1] / ratio[0] == pytest.approx(4, rel=1e-12)


def test_regions_of_both_kinds_have_the_levels_asked_for(part):
    found = localise(part, (0.5, 0.9))
    for regions in (found.containment, found.credible):
        assert [region.level for region in regions] == [0.5, 0.9]
    # 9 and 6 are within 4.6 of the maximum
    assert found.containment[1].area == pytest.approx(AREA / 12 * 1.25, rel=1e-12)


@pytest.mark.parametrize("nside", [1, 2, 8])
def test_flat_map_shares_out_large_cells_and_adds_up_small_ones(part, nside):
    found = localise(part, (0.9,))
    flat = flatten_probability(found.cells, found.density, nside)
    assert flat.size == 12 * nside**2
    assert flat.sum() == pytest.approx(1, rel=1e-12)
    fine = flatten_probability(found.cells, found.density, 8)
    np.testing.assert_allclose(flat, fine.reshape(flat.size, -1).sum(axis=1), atol=1e-15)


def test_flat_map_has_the_density_of_the_cells(part):
    found = localise(part, (0.9,))
    flat = flatten_probability(found.cells, found.density, 8)
    centres = np.stack(healpy.pix2vec(8, np.arange(768), nest=True), axis=-1)
    density = found.density[found.cells.find(centres)]
    np.testing.assert_allclose(flat, density * healpy.nside2pixarea(8), rtol=1e-12)
