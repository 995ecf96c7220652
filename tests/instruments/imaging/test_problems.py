"""Fit problems of events and of cubes: what they hold, what they find, what they refuse."""

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.config import parse_config
from skyquilt.errors import ConfigError, InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.analyses import check
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.io.provenance import Provenance
from skyquilt.likelihood.options import FluxOptions
from skyquilt.problem.file import read_problem, write_problem
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.status import GOOD, NO_EXPOSURE

SOURCE = (120.0, 35.0)
KINDS = ("events", "counts")
FLUX = 1e-14 * 1e7 * (1 - 1e-2)  # of the reference spectrum from 10 GeV to 1 TeV [cm-2 s-1]


def source():
    return lonlat_to_vec(*SOURCE)[np.newaxis]


@pytest.mark.parametrize("kind", KINDS)
def test_flux_of_a_source_is_recovered(make_sky, kind):
    """Injected with the same exposure, point spread function and spectrum."""
    flux = []
    for seed in range(1, 7):
        sky = make_sky(source_counts=400.0, background_counts=3000.0, seed=seed).write(kind)
        problem = make_problem(sky.analysis(kind))
        fit = fit_pixels(problem, source())
        assert fit.status[0] == GOOD
        flux.append([fit.flux[0] * problem.photon_flux, fit.flux_err[0] * problem.photon_flux])
    flux, error = np.array(flux).T
    pull = (flux - 400.0 / 1e11) / error

    # six experiments: mean 0 and width 1 of the pulls, within three of their standard errors
    assert abs(pull.mean()) < 3 / np.sqrt(6)
    assert 0.3 < pull.std(ddof=1) < 1.9


@pytest.mark.parametrize("kind", KINDS)
def test_source_is_found_where_it_was_put(make_sky, kind):
    sky = make_sky(source_counts=100.0).write(kind)
    directions = nest_to_vec(32, np.arange(12 * 32**2))

    fit = fit_pixels(make_problem(sky.analysis(kind)), directions)

    # pixels of 1.8 deg, a point spread function of 0.6 deg
    best = directions[np.nanargmax(fit.ts)]
    assert best @ source()[0] > np.cos(np.radians(1.8))
    assert np.nanmax(fit.ts) > 100


def test_events_are_more_significant_than_the_same_in_large_pixels(make_sky):
    ts = {}
    for kind in KINDS:
        sky = make_sky(source_counts=100.0).write(kind)
        ts[kind] = fit_pixels(make_problem(sky.analysis(kind)), source()).ts[0]

    assert ts["events"] > 1.3 * ts["counts"]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_source_ts_is_that_of_noise(sky, kind):
    problem = make_problem(sky.write(kind).analysis(kind))

    fit = fit_pixels(problem, nest_to_vec(8, np.arange(768)))

    # half of chi2 with one degree of freedom above 0; 768 directions, hardly correlated
    assert np.mean(fit.ts > 1) == pytest.approx(0.159, abs=0.045)
    assert np.nanmax(fit.ts) < 25


@pytest.mark.parametrize("kind", KINDS)
def test_total_is_flux_times_exposure(sky, kind):
    problem = make_problem(sky.write(kind).analysis(kind))

    total = problem.expectation.block(source()).total[0]

    exposure = 1e11 * (1 + 0.3 * source()[0, 2])
    # bilinear exposure in pixels of 7 deg; integral of the profile between 600 angles
    assert total == pytest.approx(FLUX * exposure, rel=3e-3)
    assert problem.photon_flux == pytest.approx(FLUX, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_problem_survives_writing_and_reading(sky, kind, tmp_path):
    problem = make_problem(sky.write(kind).analysis(kind))
    write_problem(tmp_path / "problem.h5", problem, Provenance("prepare"))

    found = read_problem(tmp_path / "problem.h5")

    directions = nest_to_vec(8, np.arange(0, 768, 11))
    ours, theirs = (fit_pixels(one, directions) for one in (problem, found))
    for name in ("ts", "flux", "status"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert found.frame == "galactic"


@pytest.mark.parametrize(("kind", "name"), [("events", "direction"), ("counts", "image/vertices")])
def test_a_flipped_bit_in_what_is_mapped_is_found(sky, kind, name, tmp_path):
    import h5py

    from skyquilt.errors import ProductError
    from skyquilt.problem.file import check_rows

    problem = make_problem(sky.write(kind).analysis(kind))
    write_problem(tmp_path / "problem.h5", problem, Provenance("prepare"))
    check_rows(tmp_path / "problem.h5")
    with h5py.File(tmp_path / "problem.h5", "r+") as file:
        values = file[f"expectation/{name}"]
        values[(0,) * values.ndim] += 1e-9

    with pytest.raises(ProductError, match=f"checksum of expectation/{name} differs"):
        check_rows(tmp_path / "problem.h5")


@pytest.mark.parametrize("kind", KINDS)
def test_frame_of_the_exposure_is_that_of_the_problem(sky, kind):
    sky.write(kind)
    sky.write_exposure(np.full((768, 6), 1e11), COORDSYS="EQU")
    turned = make_problem(sky.analysis(kind))
    sky.write_exposure(np.full((768, 6), 1e11))
    plain = make_problem(sky.analysis(kind))

    directions = nest_to_vec(8, np.arange(0, 768, 5))
    ours = fit_pixels(plain, directions)
    theirs = fit_pixels(turned, rotate(rotation("galactic", "icrs"), directions))

    assert (plain.frame, turned.frame) == ("galactic", "icrs")
    # rounding of the rotation beside the steps of tables
    np.testing.assert_allclose(ours.ts, theirs.ts, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_no_exposure_is_a_status_and_no_flux(sky, kind):
    values = np.full((768, 6), 1e11)
    values[384:] = 0
    sky.write(kind).write_exposure(values)

    fit = fit_pixels(make_problem(sky.analysis(kind)), np.array([[0.0, 0, 1], [0, 0, -1]]))

    assert fit.status.tolist() == [fit.status[0], NO_EXPOSURE]
    assert fit.status[0] != NO_EXPOSURE
    assert np.isnan(fit.flux[1])


@pytest.mark.parametrize("value", [np.nan, -1.6375e30])
@pytest.mark.parametrize("kind", KINDS)
def test_exposure_that_is_not_known_is_a_status_and_no_flux(sky, kind, value, caplog):
    caplog.set_level("INFO")
    values = np.full((768, 6), 1e11)
    whole = sky.write(kind)
    whole.write_exposure(values)
    up, down = np.array([[0.0, 0.6, 0.8]]), np.array([[0.0, 0, -1]])
    wanted = fit_pixels(make_problem(sky.analysis(kind)), up)
    values[384:] = value
    sky.write_exposure(values)

    fit = fit_pixels(make_problem(sky.analysis(kind)), np.concatenate([up, down]))

    assert "exposure.fits: 384 of 768 pixels have no value (NaN or UNSEEN)" in caplog.text
    assert fit.status.tolist() == [wanted.status[0], NO_EXPOSURE]
    # the mean over the sky, which weighs energies within a band, is of what is known
    np.testing.assert_allclose(fit.ts[0], wanted.ts[0], rtol=1e-9)
    assert np.isnan(fit.flux[1])


def test_exposure_of_events_may_be_an_image(sky):
    sky.write()
    values = np.full((768, 6), 1e11)
    sky.write_exposure(values)
    wanted = fit_pixels(make_problem(sky.analysis()), np.array([[0.0, 0.6, 0.8], [1, 0, 0]]))
    cards = {"BUNIT": "cm2 s", "CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR", "CRVAL1": 0.0}
    cards |= {"CRVAL2": 0.0, "CRPIX1": 0.5, "CRPIX2": 9.5, "CDELT1": 10.0, "CDELT2": 10.0}
    image = fits.PrimaryHDU(np.full((6, 18, 36), 1e11), fits.Header(cards))
    with fits.open(sky.path("exposure.fits")) as file:
        hdus = fits.HDUList([image, file["ENERGIES"].copy()])
    hdus.writeto(sky.path("exposure.fits"), overwrite=True)

    found = fit_pixels(make_problem(sky.analysis()), np.array([[0.0, 0.6, 0.8], [1, 0, 0]]))

    np.testing.assert_allclose(found.ts, wanted.ts, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_energies_of_the_analysis_select_photons(sky, kind):
    sky.write(kind)
    low, high = np.geomspace(10.0, 1000.0, 5)[[1, 3]]
    analysis = sky.analysis(kind, energy={"range": [f"{low} GeV", f"{high} GeV"]})

    problem = make_problem(analysis)

    energy = sky.photons()[1]
    assert problem.counts.sum() == np.count_nonzero((energy >= low) & (energy < high))
    assert problem.description.energy_range_keV == pytest.approx((low * 1e6, high * 1e6))
    assert problem.counts_spectra[""].is_selected.tolist() == [False, True, True, False]


def test_channels_of_a_cube_are_bands(sky):
    problem = make_problem(sky.write("counts").analysis("counts", energy={"channels": [1, 3]}))

    assert problem.counts.sum() == sky.counts()[:, 1:3].sum()


def test_scale_multiplies_the_background(sky):
    sky.write("counts")
    plain = make_problem(sky.analysis("counts"))

    scaled = make_problem(sky.analysis("counts", background={"scale": 0.5}))

    np.testing.assert_allclose(scaled.background, 0.5 * plain.background, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_free_background_finds_its_norm(sky, kind):
    problem = make_problem(sky.write(kind).analysis(kind, background={"scale": 0.8}))

    fit = fit_pixels(problem, source(), FluxOptions(free_background=True))

    # as many counts as there are over 0.8 of 4000 expected
    assert problem.background_total == pytest.approx(3200, rel=1e-9)
    n = len(sky.photons()[0])
    assert fit.background_norm[0] == pytest.approx(n / 3200, rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_check_says_what_it_found(sky, kind):
    n = len(sky.write(kind).photons()[0])

    text = check(sky.analysis(kind)).found

    assert text == (
        f"good; {n:g} photons over 4000 expected background in 10\N{EN DASH}1000 GeV, frame "
        "galactic"
    )


def _energy(**selection):
    return lambda sky: {"energy": selection}


@pytest.mark.parametrize(
    ("kind", "change", "error", "message"),
    [
        ("events", _energy(channels=[0, 2]), ConfigError, "events have no channels: give `range`"),
        ("events", _energy(sum_channels=True), ConfigError, "events have no channels"),
        ("counts", _energy(sum_channels=True), ConfigError, "sum_channels"),
        ("counts", _energy(channels=[2, 5]), ConfigError, r"\[2, 5\]: .* has 4 bands"),
        (
            "counts",
            _energy(range=["10 GeV", "50 GeV"]),
            ConfigError,
            r"5e\+07 keV is no edge of a band .*nearest is 3\.16228e\+07",
        ),
        ("counts", _energy(range=["1 TeV", "10 GeV"]), ConfigError, "the first must lie below"),
        (
            "events",
            _energy(range=["5 GeV", "50 GeV"]),
            InputError,
            r"background covers 1e\+07 to 1e\+09 keV, not energy\.range",
        ),
    ],
)
def test_impossible_energies_are_refused(sky, kind, change, error, message):
    sky.write(kind)

    with pytest.raises(error, match=message):
        make_problem(sky.analysis(kind, **change(sky)))


@pytest.mark.parametrize("kind", KINDS)
def test_energies_outside_the_exposure_are_refused(sky, kind):
    sky.write(kind).write_exposure(nodes=np.geomspace(20.0, 1000.0, 6))

    with pytest.raises(InputError, match=r"exposure\.fits: covers 2e\+07 to 1e\+09 keV, but"):
        make_problem(sky.analysis(kind))


def test_events_over_no_background_at_all_are_refused(sky):
    sky.write("events")
    sky.write_cube("background.fits", 0 * sky.expected())

    with pytest.raises(InputError, match=r"background\.fits: the expected background is 0 every"):
        make_problem(sky.analysis("events"))


def test_counts_without_background_are_refused(sky):
    sky.write("counts")
    expected, counts = sky.expected(), sky.counts()
    hit = np.argwhere(counts)[3]
    expected[tuple(hit)] = 0
    sky.write_cube("background.fits", expected)

    with pytest.raises(InputError, match=r"background\.fits: 1 bins with \d+ counts have no"):
        make_problem(sky.analysis("counts"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"COORDSYS": "EQU"}, "frame is galactic in the first and icrs in the second"),
        ({"edges": np.geomspace(10, 500, 5)}, "bands of"),
        ({"ipix": np.arange(1, 3073)[:-1]}, "number of pixels is 3072 in the first and 3071"),
    ],
)
def test_background_of_other_bins_is_refused(sky, options, message):
    sky.write("counts")
    expected = sky.expected()
    if "ipix" in options:
        expected = expected[options["ipix"]]
    sky.write_cube("background.fits", expected, **options)

    with pytest.raises(InputError, match=message):
        make_problem(sky.analysis("counts"))


def test_times_are_those_of_the_good_intervals(sky):
    sky.write("events").write_events(gti=((60.0, 70.0), (10.0, 20.0)))

    span = make_problem(sky.analysis("events")).description.time_span
    assert span == pytest.approx((10.0, 70.0), abs=1e-5)
    assert make_problem(sky.write("counts").analysis("counts")).description.time_span is None


@pytest.mark.parametrize("kind", KINDS)
def test_bins_without_background_cannot_be_masked(sky, kind):
    settings = sky.settings(kind)
    settings["data"]["zero_background"] = "mask"

    with pytest.raises(ConfigError, match=r"data\.zero_background: unknown key"):
        parse_config({"analyses": {"a": settings}})
