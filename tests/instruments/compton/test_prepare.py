import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.problem import LocalTable, SkyTable
from skyquilt.sky.frames import lonlat_to_vec, rotation
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.spectra import integrate
from skyquilt.status import AT_BOUND, GOOD, NO_EXPOSURE, OCCULTED

START = 1.8e9
FLUX = 1e-3 * 100**2 * (1 / np.array([100.0, 300]) - 1 / np.array([300.0, 900]))  # index -2
SKY = nest_to_vec(2, np.arange(48))


def fit(observation, directions=SKY):
    return fit_pixels(observation.problem(), directions)


def test_problem_holds_the_bins_with_counts(local):
    local.counts[0, 1, 2:7] = 0
    local.write_counts("counts.h5", local.counts)
    hit = local.counts > 0

    problem = local.problem()

    np.testing.assert_array_equal(problem.counts, local.counts[hit])
    np.testing.assert_array_equal(problem.background, local.background[hit])
    assert problem.frame == "galactic"
    assert problem.description.n_bins == 108
    wanted = np.einsum("e,nemps->nmps", FLUX, local.area)
    # float32 rows
    np.testing.assert_allclose(problem.expectation.rows, wanted[:, hit], rtol=1e-6)
    np.testing.assert_allclose(problem.expectation.totals, wanted.sum(axis=(1, 2, 3)), rtol=1e-6)


def test_problem_knows_the_time_of_its_counts(local):
    local.settings["data"] |= {"interval": [START + 1, START + 9]}
    local.settings["data"]["background"]["scale"] = 1
    assert local.problem().description.time_span == (START + 1, START + 9)


def test_problem_of_counts_without_times_has_those_of_the_orientation(local):
    assert local.problem().description.time_span == (START, START + 10)


def test_problem_without_times_says_so(galactic):
    assert galactic.problem().description.time_span is None


def test_problem_of_channels_holds_these_only(local):
    local.settings["energy"] = {"channels": [1, 3]}

    problem = local.problem()

    np.testing.assert_array_equal(problem.counts, local.counts[1:3][local.counts[1:3] > 0])
    assert problem.description.energy_range_keV == (200, 800)
    spectrum = local.analysis().spectrum
    assert problem.photon_flux == pytest.approx(integrate(spectrum, [200, 800])[0], rel=1e-12)


def test_problem_of_summed_channels_adds_them(local):
    local.settings["energy"] = {"channels": [1, 3], "sum_channels": True}

    problem = local.problem()

    np.testing.assert_array_equal(problem.counts, local.counts[1:3].sum(axis=0).ravel())
    np.testing.assert_allclose(problem.background, local.background[1:3].sum(axis=0).ravel())
    assert problem.description.n_bins == 36


def test_counts_spectrum_has_all_channels_and_terms(local):
    local.settings["energy"] = {"channels": [1, 2]}
    local.settings["data"]["counts"].append({"path": local.path("background.h5"), "label": "sky"})

    spectrum = local.problem().counts_spectra[""]

    counts, background = (values.sum(axis=(1, 2)) for values in (local.counts, local.background))
    assert spectrum.is_selected.tolist() == [False, True, False]
    assert list(spectrum.counts) == ["data", "counts", "sky", "background model"]
    np.testing.assert_allclose(spectrum.counts["data"], counts + background)
    np.testing.assert_allclose(spectrum.counts["counts"], counts)
    np.testing.assert_allclose(spectrum.counts["background model"], background)


def test_local_expectation_of_a_pixel_centre_is_its_row_times_the_livetime(local):
    # z points to l = 0, b = 0 and x to l = 90: the local north pole pixels are not interpolated
    # at pixel centres, so the galactic direction of a local centre has exactly one row
    expectation = local.problem().expectation
    attitude = expectation.rotation[0]

    block = expectation.block(ring_to_vec(1, np.arange(12)) @ attitude)

    np.testing.assert_allclose(block.unit_counts, 10.0 * expectation.rows, rtol=1e-6)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_galactic_expectation_of_a_pixel_centre_is_its_row(galactic, interpolation):
    galactic.settings["data"]["interpolation"] = interpolation
    expectation = galactic.problem().expectation

    block = expectation.block(ring_to_vec(1, np.arange(12)))

    assert isinstance(expectation, SkyTable)
    assert expectation.interpolation == interpolation
    np.testing.assert_allclose(block.unit_counts, expectation.rows, rtol=1e-6)


def test_livetime_weights_halve_the_expected_counts(local):
    local.write_orientation(np.arange(0, 41, 10), livetime=[5, 5, 5, 5, 0])
    livetime = local.problem().expectation
    local.settings["data"]["time_weights"] = "elapsed"
    elapsed = local.problem().expectation

    assert livetime.weight.sum() == 20
    np.testing.assert_allclose(2 * livetime.block(SKY).total, elapsed.block(SKY).total, rtol=1e-12)


def test_interval_cuts_the_orientation(local):
    local.write_orientation(np.arange(0, 61, 15))
    local.settings["data"]["interval"] = [START + 5, START + 45]
    local.settings["data"]["background"]["scale"] = 1

    expectation = local.problem().expectation

    np.testing.assert_allclose(expectation.weight, [10, 15, 15])


def test_time_axis_of_the_counts_cuts_the_orientation(local):
    local.write_orientation(np.arange(0, 61, 15))
    local.write_counts("counts.h5", local.counts[None], time=[15, 30])
    local.write_counts("background.h5", local.background[None], time=[0, 60])

    assert local.problem().expectation.weight.tolist() == [15]


def test_interval_outside_the_orientation_is_refused(local):
    local.settings["data"]["interval"] = [START + 5, START + 11]
    local.settings["data"]["background"]["scale"] = 1

    with pytest.raises(InputError, match=r"orientation\.ori: covers .* not the interval"):
        local.problem()


@pytest.mark.parametrize("frame", ["local", "galactic"])
def test_under_fluctuating_pixels_do_not_kill_the_map(frame, request):
    # cosipy: IndexError for the whole map
    observation = request.getfixturevalue(frame)
    rng = np.random.default_rng(3)
    observation.write_counts("counts.h5", rng.poisson(observation.background).astype(float))

    result = fit(observation)

    assert {AT_BOUND, GOOD} == set(result.status)
    at_bound = result.status == AT_BOUND
    assert np.all(result.ts[at_bound] == 0)
    assert np.all(result.flux[at_bound] == 0)
    assert np.all(result.ts[~at_bound] > 0)


def test_pixels_without_exposure_have_a_status_at_once(galactic):
    # cosipy: 1000 iterations of 0/0 each
    galactic.area[4] = 0
    galactic.write_sky_response()
    galactic.settings["data"]["interpolation"] = "nearest"

    result = fit(galactic, ring_to_vec(1, np.arange(12)))

    assert result.status.tolist().count(NO_EXPOSURE) == 1
    assert result.status[4] == NO_EXPOSURE
    assert result.n_iter[4] == 0
    assert np.isnan(result.ts[4])


def test_galactic_and_icrs_hypotheses_of_one_direction_agree(local):
    from skyquilt.fit.chunk import fit_chunk
    from skyquilt.fit.plan import make_plan
    from skyquilt.sky.regions import full_sky

    problem = local.problem()
    plan = make_plan(problem, nside=2, ordering="nested", frame="icrs", ranges=full_sky(2))
    in_icrs = np.concatenate([fit_chunk(problem, plan, index).fit.ts for index in plan.chunks])

    # the same directions written in galactic coordinates; cosipy is 99 deg off
    in_galactic = fit_pixels(problem, SKY @ rotation("icrs", "galactic").T).ts

    np.testing.assert_allclose(in_icrs, in_galactic, rtol=1e-9, atol=1e-9)
    assert not np.allclose(in_icrs, fit_pixels(problem, SKY).ts, rtol=1e-2)


def test_occultation_hides_what_is_behind_the_earth(local):
    local.write_orientation(np.arange(11), zenith=(0.0, 90.0))
    local.settings["data"]["earth_occultation"] = True

    result = fit(local)

    # the limb is 67.0 deg from the nadir at 550 km
    is_hidden = SKY[:, 2] <= -np.sqrt(1 - (6378 / 6928) ** 2)
    np.testing.assert_array_equal(result.status == OCCULTED, is_hidden)
    assert 0 < is_hidden.sum() < 24
    assert np.all(np.isnan(result.ts[is_hidden]))
    assert np.all(np.isfinite(result.ts[~is_hidden]))


def test_without_occultation_all_pixels_are_fitted(local):
    local.write_orientation(np.arange(11), zenith=(0.0, 90.0))

    assert OCCULTED not in fit(local).status


def test_occultation_without_altitude_is_refused(local):
    local.write_orientation(np.arange(11), altitude=0.0)
    local.settings["data"]["earth_occultation"] = True

    with pytest.raises(
        InputError, match=r"orientation\.ori: altitude 0 or missing, .*earth_occultation: false"
    ):
        local.problem()


def test_building_a_block_does_not_change_the_problem(local):
    # cosipy overwrites the target path of the orientation with every call
    local.write_orientation(np.arange(0, 41, 10), z_lon=np.arange(0.0, 50.0, 10.0))
    problem = local.problem()
    arrays = ("rows", "totals", "rotation", "weight")
    before = {name: getattr(problem.expectation, name).copy() for name in arrays}
    first = problem.expectation.block(SKY)

    fit_pixels(problem, SKY[::-1])
    again = problem.expectation.block(SKY)

    np.testing.assert_array_equal(again.unit_counts, first.unit_counts)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(problem.expectation, name), value)


@pytest.mark.parametrize("axis", ["Em", "Phi"])
def test_response_with_other_edges_than_the_counts_names_both_files(local, axis):
    edges = {"Em": [100.0, 200, 410, 800], "Phi": [0.0, 60, 110, 180]}
    local.write_response(edges={axis: edges[axis]})

    with pytest.raises(InputError, match=rf"counts\.h5 and .*response\.h5: edge \d of axis {axis}"):
        local.problem()


def test_response_in_another_ordering_than_the_counts_is_refused(local):
    local.write_response(scheme="nested")

    with pytest.raises(InputError, match=r"axis PsiChi has ordering RING in the first and NESTED"):
        local.problem()


def test_nested_detector_response_is_refused(local, make_axis):
    axes = local.cds_axes(PsiChi=make_axis.healpix("PsiChi", "local", scheme="nested"))
    local.write_counts("counts.h5", local.counts, axes=axes)
    local.write_counts("background.h5", local.background, axes=axes)
    local.write_response(scheme="nested")

    with pytest.raises(InputError, match=r"NuLambda is in NESTED ordering; .* must be in RING"):
        local.problem()


@pytest.mark.parametrize("has_frame", [True, False])
def test_response_in_another_frame_than_the_counts_is_refused(galactic, make_axis, has_frame):
    frame = "galactic" if has_frame else None
    axes = galactic.cds_axes(PsiChi=make_axis.healpix("PsiChi", frame))
    galactic.write_counts("counts.h5", galactic.counts, axes=axes)
    galactic.write_counts("background.h5", galactic.background, axes=axes)
    galactic.write_response()  # a detector response

    with pytest.raises(InputError, match=r"axis PsiChi has frame galactic in the first and local"):
        galactic.problem()


def test_galactic_response_with_overflow_gives_the_same_map(galactic):
    plain = fit(galactic)
    galactic.write_sky_response(overflow={"NuLambda": 5.0, "Ei": 5.0, "PsiChi": 5.0})

    np.testing.assert_array_equal(fit(galactic).ts, plain.ts)


@pytest.mark.parametrize("layout", ["sparse", "version2"])
def test_layout_of_the_response_does_not_change_the_map(local, layout):
    local.area = np.rint(local.area * 1000) / 1000
    local.write_response()
    dense = fit(local)
    local.write_response(layout=layout)

    # float32 values in the dense file
    np.testing.assert_allclose(fit(local).ts, dense.ts, rtol=1e-6, atol=1e-6)


def test_source_of_the_test_data_is_found_where_it_is(local):
    problem = local.problem()
    assert isinstance(problem.expectation, LocalTable)

    # the counts hold a source in row 3 of the spacecraft's sky
    directions = ring_to_vec(1, np.arange(12)) @ problem.expectation.rotation[0]

    assert np.argmax(fit_pixels(problem, directions).ts) == 3


def test_moving_pointing_crosses_the_longitude_wrap(local):
    # half of the time at l = 350, half at l = 10, as one pointing each
    local.write_orientation([0, 5, 10], z_lon=np.array([350.0, 10.0, 10.0]))
    both = local.problem().expectation.block(SKY).total
    parts = []
    for lon in (350.0, 10.0):
        local.write_orientation([0, 5], z_lon=lon)
        parts.append(local.problem().expectation.block(SKY).total)

    # weights of rows are rounded to float32
    np.testing.assert_allclose(both, sum(parts), rtol=2**-23)


def test_direction_beside_the_boresight_depends_on_longitude(local):
    # guards the test above: the response is not the same in all directions
    total = (
        local.problem().expectation.block(lonlat_to_vec(np.array([0.0, 180.0]), np.zeros(2))).total
    )

    assert abs(total[0] / total[1] - 1) > 1e-3
