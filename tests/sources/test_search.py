"""Sources go in, sources come out: positions, fluxes, and nothing else."""

import warnings

import numpy as np
import pytest

from skyquilt.config.sources import SourceOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import refine_positions, sigma_of
from skyquilt.maps.peaks import find_peaks
from skyquilt.maps.skymap import SkyMap
from skyquilt.sky.frames import lonlat_to_vec, separation, vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.regions import cone, ipix_from_ranges
from skyquilt.sources.fluxes import fit_fluxes
from skyquilt.sources.links import correlations
from skyquilt.sources.model import source_counts_at, with_sources
from skyquilt.sources.search import CANDIDATE, Search

# Point spread 3 deg, pixels 1.8 deg, 0.2 background counts per pixel; a flux of 1 are 100 counts.
FAR = [(20.0, 10.0, 3.0), (100.0, -40.0, 1.0), (250.0, 60.0, 0.5)]
PLACES = {"pole": (0.0, 90.0), "near the pole": (77.0, -89.0), "antimeridian": (180.0, 5.0)}


def offsets(found, sources):
    """Separation of each injected source from the nearest found one [deg], and its number."""
    lon, lat, _ = np.array(sources, dtype=float).T
    apart = separation(lonlat_to_vec(lon, lat)[:, None], found.position.direction)
    return apart.min(axis=1), apart.argmin(axis=1)


def sigma(found):
    return np.linalg.det(found.position.covariance) ** 0.25


@pytest.mark.parametrize("method", ["iterative", "peaks"])
def test_sources_far_apart_are_all_found_and_no_other(search, method):
    _, _, found = search(*FAR, options={"method": method})
    offset, number = offsets(found, FAR)
    assert found.measured.ts.size == 3
    assert sorted(number) == [0, 1, 2]
    # 4 standard errors of a position in two dimensions: 3e-4
    assert np.all(offset < 4 * sigma(found)[number])
    pull = (found.measured.flux[number] - [3.0, 1.0, 0.5]) / found.measured.flux_err[number]
    assert np.all(np.abs(pull) < 3.3)
    assert np.all(np.diff(found.measured.ts) <= 0)


@pytest.mark.parametrize("place", PLACES)
def test_source_at_a_special_place_is_found_with_its_error(search, place):
    source = (*PLACES[place], 2.0)
    _, _, found = search(source)
    offset, _ = offsets(found, [source])
    assert found.measured.ts.size == 1
    assert offset[0] < 4 * sigma(found)[0]
    # 200 counts of a spread of 3 deg; the background adds a fifth
    assert sigma(found)[0] == pytest.approx(3 / np.sqrt(200), rel=0.3)


def test_no_source_gives_an_empty_list(search):
    _, skymap, found = search()
    assert skymap.ts.max() < 25
    assert found.measured.ts.shape == found.is_at_edge.shape == (0,)
    assert found.position.direction.shape == (0, 3)


def test_no_source_is_found_in_many_empty_skies(imager):
    # 12288 pixels of 1.8 deg and a spread of 3 deg: some thousand independent places; a TS of 25
    # has a probability of 3e-7 at each, 1e-2 in these skies
    for seed in range(20):
        problem = imager.Imager(nside=16).observe(
            np.empty((0, 3)), np.empty(0), np.random.default_rng(seed)
        )
        search = Search(problem, imager.map_of(problem, 16), SourceOptions())
        assert search.find_iteratively().ts.size == 0


def test_two_close_sources_are_told_apart_and_share_their_counts(search):
    # 8 deg are 2.7 widths: the map has one peak with a shoulder
    close = [(50.0, 0.0, 3.0), (58.0, 0.0, 1.5)]
    _, _, found = search(*close)
    offset, number = offsets(found, close)
    assert found.measured.ts.size == 2
    assert sorted(number) == [0, 1]
    assert np.all(offset < 4 * sigma(found)[number])
    pull = (found.measured.flux[number] - [3.0, 1.5]) / found.measured.flux_err[number]
    assert np.all(np.abs(pull) < 3.3)


def test_fluxes_of_close_sources_alone_are_too_high_and_together_right(search):
    close = [(50.0, 0.0, 3.0), (58.0, 0.0, 1.5)]
    problem, _, found = search(*close)
    alone = fit_pixels(problem, found.position.direction).flux
    assert np.all(alone > found.measured.flux + 3 * found.measured.flux_err)


def test_total_of_expected_counts_equals_the_counts(search):
    # at the maximum over all fluxes, slope times flux is 0 and so is its sum over sources:
    # sum d s / (b + s) = sum s over all bins, for the source counts s
    problem, _, found = search(*FAR)
    templates = source_counts_at(problem, found.position.direction)
    expected = with_sources(problem, templates, found.measured.flux).background
    source = expected - problem.background
    assert np.sum(problem.counts * source / expected) == pytest.approx(
        found.measured.npred.sum(), rel=1e-6
    )


@pytest.mark.parametrize(("offset", "is_at_edge"), [(14.0, True), (3.0, False)])
def test_source_at_the_edge_of_the_region_is_flagged(search, offset, is_at_edge):
    ipix = ipix_from_ranges(cone(32, lonlat_to_vec(50.0, 0.0), 15.0))
    _, _, found = search((50.0 + offset, 0.0, 3.0), ipix=ipix)
    assert found.is_at_edge.tolist() == [is_at_edge]
    assert offsets(found, [(50.0 + offset, 0.0, 3.0)])[0][0] < 4 * sigma(found)[0]


def test_source_beyond_the_edge_is_flagged_and_stays_near_the_map(search):
    ipix = ipix_from_ranges(cone(32, lonlat_to_vec(50.0, 0.0), 15.0))
    _, _, found = search((70.0, 0.0, 5.0), ipix=ipix)
    assert np.all(found.is_at_edge)
    reach = separation(found.position.direction, lonlat_to_vec(50.0, 0.0))
    # from the outermost centre to the far corner of the pixel beyond: 1.5 diagonals, some longer
    assert np.all(reach < 15 + 2 * np.sqrt(2) * 1.84)


@pytest.mark.parametrize("method", ["iterative", "peaks"])
def test_largest_number_of_sources_keeps_the_strongest(search, method):
    _, _, found = search(*FAR, options={"max_sources": 2, "method": method})
    assert found.measured.ts.size == 2
    assert set(offsets(found, FAR[:2])[1]) == {0, 1}


def test_threshold_decides_what_is_a_source(search):
    _, _, every = search(*FAR)
    threshold = np.sort(every.measured.ts)[1] + 1
    _, _, found = search(*FAR, options={"threshold": threshold})
    assert found.measured.ts.size == 1


def test_least_separation_decides_what_is_another_source(search):
    close = [(50.0, 0.0, 3.0), (58.0, 0.0, 1.5)]
    _, _, found = search(*close, options={"min_separation": 12.0})
    apart = separation(found.position.direction[:, None], found.position.direction)
    assert np.all(apart[~np.eye(len(apart), dtype=bool)] >= 12 - 1e-9)


def test_search_leaves_the_map_as_it_is(search):
    problem, skymap, found = search(*FAR)
    directions = nest_to_vec(skymap.nside, skymap.ipix)
    assert found.measured.ts.size == 3
    np.testing.assert_array_equal(skymap.ts, fit_pixels(problem, directions).ts)


def search_plainly(imager, problem, skymap):
    """One source a round; after each all positions one after the other, and the whole map again.

    Returns positions, fluxes and position errors [deg].
    """
    options = SourceOptions()
    direction, error, flux, every = np.empty((0, 3)), np.empty(0), np.empty(0), skymap

    def refine(problem, start):
        return refine_positions(
            lambda vec: fit_pixels(problem, vec).ts, start, problem.frame, skymap.pixel_area**0.5
        )

    while True:
        now = with_sources(problem, source_counts_at(problem, direction), flux)
        peaks = find_peaks(every, CANDIDATE * options.threshold)
        new = refine(now, nest_to_vec(skymap.nside, skymap.ipix[peaks]))
        new = new.take(np.flatnonzero(new.ts >= options.threshold)[:1])
        if not new.ts.size:
            return direction, flux, error
        direction, flux = np.concatenate([direction, new.direction]), np.append(flux, 0.0)
        error = np.append(error, np.nan)
        for _ in range(5):
            flux = fit_fluxes(problem, direction, flux).flux
            for number in range(flux.size):
                others = source_counts_at(problem, direction)
                alone = with_sources(problem, others, flux, but=number)
                one = refine(alone, direction[number : number + 1])
                direction[number], error[number] = one.direction[0], sigma_of(one)[0]
        templates = source_counts_at(problem, direction)
        flux = fit_fluxes(problem, direction, flux).flux
        every = imager.map_of(with_sources(problem, templates, flux), skymap.nside)


def test_search_finds_what_a_plain_one_finds(imager):
    """Many a round, only what changed: positions and fluxes of a search that spares nothing."""
    crowd = [(50.0, 0.0, 3.0), (58.0, 0.0, 1.5), (58.0, 9.0, 1.0), *FAR]
    lon, lat, flux = np.array(crowd).T
    problem = imager.Imager(nside=16).observe(
        lonlat_to_vec(lon, lat), flux, np.random.default_rng(6)
    )
    skymap = imager.map_of(problem, 16)
    search = Search(problem, skymap, SourceOptions())
    found = search.find_iteratively()
    direction, flux, error = search_plainly(imager, problem, skymap)
    assert found.ts.size == flux.size == len(crowd)
    apart = separation(direction[:, None], found.direction)
    number = apart.argmin(axis=1)
    # sweeps end where no position moves by a tenth of its error
    assert np.all(apart.min(axis=1) < 0.1 * error)
    np.testing.assert_allclose(search.crowd.flux[number], flux, rtol=0.005)


def test_positions_without_an_error_make_no_warning(search):
    """As the determinant of NaN does, in some builds of LAPACK."""
    _, _, found = search(*FAR)
    unknown = found.position._replace(covariance=np.full((3, 2, 2), np.nan))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.all(np.isnan(sigma_of(unknown)))
    np.testing.assert_allclose(sigma_of(found.position), sigma(found))


def test_correlation_predicts_the_peak_at_the_place_of_another(imager):
    """The square of it times TS is the TS that a source gives elsewhere."""
    here = lonlat_to_vec(np.array([10.0, 16.0, 25.0, 60.0]), np.zeros(4))
    problem = imager.Imager(background=20.0).observe(
        here[:1], np.array([3.0]), np.random.default_rng(2)
    )
    ts = fit_pixels(problem, here).ts
    predicted = correlations(problem, source_counts_at(problem, here)).toarray()[0] ** 2 * ts[0]
    # noise: a TS of x scatters by 2 sqrt(x)
    assert np.all(np.abs(predicted - ts) < 3 * 2 * np.sqrt(ts[0] * predicted / ts[0] + 1))
    assert predicted[3] == 0


def test_compton_sources_are_found_in_dense_expectations(toy):
    telescope, rng = toy.Telescope(background_counts=4000), np.random.default_rng(4)
    lon, lat = vec_to_lonlat(telescope.attitude[0][0][2])  # on axis
    directions = lonlat_to_vec(np.array([lon - 50.0, lon + 70.0]), np.array([lat, lat]))
    flux, ipix = np.array([4.0, 3.0]), np.arange(12 * 16**2)
    counts = telescope.background + sum(
        f * telescope.expected(one) for f, one in zip(flux, directions, strict=True)
    )
    problem = telescope.problem(rng.poisson(counts))
    ts = fit_pixels(problem, nest_to_vec(16, ipix)).ts
    search = Search(problem, SkyMap(16, problem.frame, ipix, {"ts": ts}), SourceOptions())
    found = search.find_iteratively()

    apart = separation(directions[:, None], found.direction)
    number = apart.argmin(axis=1)
    assert found.ts.size == 2
    errors = np.linalg.det(found.covariance) ** 0.25
    assert np.all(apart.min(axis=1) < 4 * errors[number])


def test_fits_say_how_they_ended(search):
    """A source beyond the edge of the map is held there."""
    _, _, apart = search(*FAR)
    assert apart.fit.tolist() == ["good"] * 3

    ipix = ipix_from_ranges(cone(32, lonlat_to_vec(50.0, 0.0), 15.0))
    _, _, beyond = search((70.0, 0.0, 5.0), ipix=ipix)
    assert set(beyond.fit) <= {"at_bound", "not_converged"}
    assert "at_bound" in beyond.fit
