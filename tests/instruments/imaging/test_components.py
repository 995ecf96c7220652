"""Several components of the background, and bands, of instruments that make images."""

import re

import numpy as np
import pytest

from skyquilt.errors import ConfigError, InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.analyses import check as check_analysis
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.testing.analyses import ask_one

KINDS = ("events", "counts")
PARTS = {"galactic": 0.25, "isotropic": 0.5, "cosmic-rays": 0.25}
DIRECTIONS = nest_to_vec(2, np.arange(48))


def lumpy(expected, name):
    """A component of its own shape over the sky and the energies."""
    tilt = ring_to_vec(16, np.arange(len(expected)))[:, list(PARTS).index(name)]
    slope = {"galactic": 0.4, "isotropic": -0.4}.get(name, 0.0)
    shape = (1 + 0.6 * tilt)[:, np.newaxis] * (1 + slope * np.linspace(-1, 1, 4))
    return PARTS[name] * expected * shape


@pytest.fixture
def parts(sky):
    """Write a telescope's files, with a cube for each component; `background.fits` is their sum."""

    def write(kind, **scales):
        sky.write(kind)
        cubes = {name: lumpy(sky.expected(), name) for name in PARTS}
        for name, values in cubes.items():
            sky.write_cube(f"{name}.fits", values)
        total = sum(scales.get(name, 1.0) * values for name, values in cubes.items())
        sky.write_cube("background.fits", total)
        return sky

    return write


def settings_of(sky, kind, components=None, **energy):
    """Settings in which the background is in components."""
    settings = sky.settings(kind)
    if components is not None:
        settings["data"]["background"] = {
            name: {"path": sky.path(f"{name}.fits")} | keys for name, keys in components.items()
        }
    return settings | ({"energy": energy} if energy else {})


def problem_of(sky, kind, components=None, **energy):
    return make_problem(ask_one(settings_of(sky, kind, components, **energy)))


ALL = {name: {} for name in PARTS}


@pytest.mark.parametrize("kind", KINDS)
def test_map_of_components_is_that_of_their_sum(parts, kind):
    sky = parts(kind, galactic=2.0)

    several = problem_of(sky, kind, ALL | {"galactic": {"scale": 2.0}})
    whole = problem_of(sky, kind)

    np.testing.assert_allclose(several.background, whole.background, rtol=1e-12)
    assert several.background_total == pytest.approx(whole.background_total, rel=1e-12)
    fits = [fit_pixels(problem, DIRECTIONS) for problem in (several, whole)]
    np.testing.assert_allclose(fits[0].ts, fits[1].ts, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(fits[0].flux, fits[1].flux, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_components_add_up_to_background_in_hit_bins_and_bands(parts, kind):
    problem = problem_of(parts(kind), kind, ALL | {"isotropic": {"scale": 0.5}})

    assert [one.name for one in problem.backgrounds] == list(PARTS)
    assert [one.factor for one in problem.backgrounds] == [1.0, 0.5, 1.0]
    sums = sum(one.in_bins(len(problem.background)) for one in problem.backgrounds)
    np.testing.assert_allclose(sums, problem.background, rtol=1e-12)
    total = sum(one.totals for one in problem.backgrounds)
    assert total.sum() == pytest.approx(problem.background_total, rel=1e-9)
    assert total.shape == (4,)


@pytest.mark.parametrize("kind", KINDS)
def test_one_named_component_is_the_unnamed_one_bit_for_bit(parts, kind):
    sky = parts(kind)

    section = {"scale": 1.3}
    named = problem_of(sky, kind, {"background": section})
    settings = settings_of(sky, kind)
    settings["data"]["background"] |= section
    unnamed = make_problem(ask_one(settings))

    assert np.array_equal(named.background, unnamed.background)
    assert named.background_total == unnamed.background_total
    assert ([one.name for one in named.backgrounds], unnamed.backgrounds[0].name) == (
        ["background"],
        "",
    )
    assert unnamed.backgrounds[0].factor == 1.3


@pytest.mark.parametrize("kind", KINDS)
def test_component_may_be_0_where_others_are_not(sky, kind):
    sky.write(kind)
    half = np.where(np.arange(3072) < 1536, 1.0, 0.0)[:, np.newaxis]
    sky.write_cube("north.fits", half * sky.expected())
    sky.write_cube("all.fits", 0.5 * sky.expected())

    problem = problem_of(sky, kind, {"north": {}, "all": {}})

    north = problem.backgrounds[0].counts
    assert np.any(north == 0)
    assert np.all(problem.background > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_check_names_components_with_their_counts(parts, kind):
    found = check_analysis(ask_one(settings_of(parts(kind), kind, ALL))).found

    assert re.search(r"expected background \(galactic \d+\.?\d*, isotropic \d+", found)


@pytest.mark.parametrize("kind", KINDS)
def test_counts_far_below_all_components_are_refused_with_their_names(parts, kind):
    components = ALL | {"isotropic": {"scale": 30.0}}

    with pytest.raises(InputError, match=r"background alone expects .*\(galactic .*, isotropic"):
        check_analysis(ask_one(settings_of(parts(kind), kind, components)))


def negative(sky):
    values = lumpy(sky.expected(), "galactic")
    values[7, 1] = -1.0
    sky.write_cube("galactic.fits", values)


def not_a_number(sky):
    values = lumpy(sky.expected(), "galactic")
    values[7, 1] = np.nan
    sky.write_cube("galactic.fits", values)


def other_pixels(sky):
    values = lumpy(sky.expected(), "galactic")[:768]
    sky.write_cube("galactic.fits", values, NSIDE=8)


def other_bands(sky):
    from astropy.io import fits

    with fits.open(sky.path("galactic.fits"), mode="update") as file:
        file["EBOUNDS"].data["E_MAX"][1] *= 1.2
        file["EBOUNDS"].data["E_MIN"][2] *= 1.2


def fewer_bands(sky):
    values = lumpy(sky.expected(), "galactic")[:, :3]
    sky.write_cube("galactic.fits", values, edges=np.geomspace(10.0, 1000.0, 5)[:4])


def other_frame(sky):
    sky.write_cube("galactic.fits", lumpy(sky.expected(), "galactic"), COORDSYS="CEL")


def missing(sky):
    (sky.folder / "galactic.fits").unlink()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (negative, "1 values are negative"),
        (not_a_number, "1 values are negative or not finite"),
        (other_pixels, "nside is"),
        (other_bands, "bands of"),
        (fewer_bands, "number of bands"),
        (other_frame, "frame is"),
        (missing, "galactic.fits"),
    ],
)
@pytest.mark.parametrize("place", [0, 2])
def test_component_that_does_not_fit_is_one_error_with_its_name(parts, kind, spoil, message, place):
    sky = parts(kind)
    spoil(sky)
    names = ["isotropic", "cosmic-rays"]
    names.insert(place, "galactic")

    with pytest.raises((InputError, ConfigError), match=message) as caught:
        problem_of(sky, kind, {name: {} for name in names})

    assert "background " in str(caught.value)
    assert "galactic.fits" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_counts_where_no_component_expects_any_are_refused(sky, kind):
    sky.write(kind)
    half = np.where(np.arange(3072) < 1536, 1.0, 0.0)[:, np.newaxis]
    for name in ("north", "more"):
        sky.write_cube(f"{name}.fits", half * sky.expected())

    with pytest.raises(InputError, match=r"north.fits \(background north\), .*background more"):
        problem_of(sky, kind, {"north": {}, "more": {}})


# --- bands ---


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("energy", [{}, {"range": ["31.6227766 GeV", "1 TeV"]}])
def test_bands_sum_to_totals(parts, kind, energy):
    problem = problem_of(parts(kind), kind, **energy)

    totals = problem.band_totals(DIRECTIONS)

    assert totals.shape == (48, 3 if energy else 4)
    whole = problem.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(totals.sum(axis=1), whole, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_a_band_alone_is_that_band_of_all(parts, kind):
    sky = parts(kind)
    edges = np.geomspace(10.0, 1000.0, 5)

    whole = problem_of(sky, kind)
    alone = problem_of(sky, kind, range=[f"{edges[1]} GeV", f"{edges[2]} GeV"])

    assert alone.counts.sum() == whole.bands.sum_hits(whole.counts)[1]
    theirs = alone.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(whole.band_totals(DIRECTIONS)[:, 1], theirs, rtol=1e-6)
    assert whole.bands.integrals.photon_flux[1] == pytest.approx(alone.photon_flux, rel=1e-9)
    assert whole.backgrounds[0].totals[1] == pytest.approx(alone.background_total, rel=1e-6)


def test_bands_of_a_cube_may_be_joined(parts):
    sky = parts("counts")
    edges = [f"{edge} GeV" for edge in np.geomspace(10.0, 1000.0, 5)]

    each = problem_of(sky, "counts")
    joined = problem_of(sky, "counts", bands=[edges[0], edges[1], edges[4]])

    assert np.array_equal(joined.counts, each.counts)
    assert np.array_equal(joined.background, each.background)
    theirs = each.band_totals(DIRECTIONS)
    np.testing.assert_allclose(joined.band_totals(DIRECTIONS)[:, 1], theirs[:, 1:].sum(axis=1))
    np.testing.assert_allclose(joined.bands.edges[:, 1], each.bands.edges[[0, 3], 1])
    counts = each.bands.sum_hits(each.counts)
    assert joined.bands.sum_hits(joined.counts).tolist() == [counts[0], counts[1:].sum()]


def test_bands_of_events_may_have_any_edges(parts):
    sky = parts("events")

    each = problem_of(sky, "events", range=["12 GeV", "500 GeV"])
    bands = problem_of(sky, "events", bands=["12 GeV", "17 GeV", "333 GeV", "500 GeV"])

    assert np.array_equal(bands.background, each.background)
    assert np.array_equal(
        bands.expectation.block(DIRECTIONS).total, each.expectation.block(DIRECTIONS).total
    )
    np.testing.assert_allclose(bands.bands.edges[:, 0] / 1e6, [12.0, 17.0, 333.0])
    middle = problem_of(sky, "events", range=["17 GeV", "333 GeV"])
    assert bands.bands.sum_hits(bands.counts)[1] == middle.counts.sum()
    theirs = middle.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(bands.band_totals(DIRECTIONS)[:, 1], theirs, rtol=1e-9)
    assert bands.backgrounds[0].totals[1] == pytest.approx(middle.background_total, rel=1e-9)


def test_reference_spectrum_in_bands_is_that_of_a_power_law(parts):
    problem = problem_of(parts("counts"), "counts")

    low, high = problem.bands.edges.T
    norm = 1e-14 * 1e7**2  # of E^-2, index of the small telescope's spectrum
    flux, energy_flux, dnde = problem.bands.integrals
    np.testing.assert_allclose(flux, norm * (1 / low - 1 / high), rtol=1e-6)
    np.testing.assert_allclose(energy_flux, norm * np.log(high / low), rtol=1e-6)
    np.testing.assert_allclose(dnde, norm / (low * high), rtol=1e-12)
    assert flux.sum() == pytest.approx(problem.photon_flux, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("bands", "message"),
    [
        (["1 GeV", "20 GeV", "1 TeV"], "energy.bands"),
        (["10 GeV", "20 GeV", "9 TeV"], "energy.bands"),
        (["2 TeV", "3 TeV"], "energy.bands"),
    ],
)
def test_bands_outside_the_data_are_refused(parts, kind, bands, message):
    with pytest.raises((InputError, ConfigError), match=message):
        problem_of(parts(kind), kind, bands=bands)


def test_bands_between_edges_of_a_cube_are_refused_with_its_edges(parts):
    with pytest.raises(InputError, match=r"energy.bands: 2e\+07 keV is no edge.*3.16228e\+07"):
        problem_of(parts("counts"), "counts", bands=["10 GeV", "20 GeV", "1 TeV"])


def test_components_of_a_part_of_the_sky_add_up(parts):
    sky = parts("events")
    inside = ring_to_vec(16, np.arange(3072))[:, 2] > 0
    total = 0.0
    for name in PARTS:
        values = np.where(inside[:, np.newaxis], lumpy(sky.expected(), name), np.nan)
        sky.write_cube(f"{name}.fits", values)
        total = total + values
    sky.write_cube("background.fits", total)

    several, whole = problem_of(sky, "events", ALL), problem_of(sky, "events")

    np.testing.assert_allclose(several.background, whole.background, rtol=1e-12)
    sums = sum(one.in_bins(len(several.background)) for one in several.backgrounds)
    np.testing.assert_allclose(sums, several.background, rtol=1e-12)
    total = sum(one.totals for one in several.backgrounds)
    assert total.sum() == pytest.approx(whole.background_total, rel=1e-9)
