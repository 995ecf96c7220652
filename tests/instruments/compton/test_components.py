"""Several components of the background, and bands, of a Compton telescope."""

from shutil import copyfile

import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.analyses import check
from skyquilt.instruments.same_counts import check_files_once
from skyquilt.runs.answers import Digests, Questions, difference
from skyquilt.sky.healpix import nest_to_vec

DIRECTIONS = nest_to_vec(2, np.arange(48))
COMPONENTS = ("albedo", "activation")
SINGLE = 1e-7  # totals of blocks are sums of weights in single precision


@pytest.fixture(params=["local", "galactic"])
def observation(request):
    return request.getfixturevalue(request.param)


def split(observation, *, names=COMPONENTS, **keys):
    """Write two files that add up to the background; the settings that name them."""
    part = np.random.default_rng(3).uniform(0.1, 0.9, observation.background.shape)
    each = (part * observation.background, (1 - part) * observation.background)
    for name, values in zip(names, each, strict=True):
        observation.write_counts(f"{name}.h5", values)
    observation.settings["data"]["background"] = {
        name: {"path": observation.path(f"{name}.h5")} | keys for name in names
    }
    return each


def test_map_of_components_is_that_of_their_sum(observation):
    whole = observation.run()
    split(observation)
    several = observation.run()

    np.testing.assert_allclose(several.ts, whole.ts, rtol=1e-9, atol=1e-9)
    for name in ("FLUX", "flux"):
        if name in whole.columns:
            np.testing.assert_allclose(several.columns[name], whole.columns[name], rtol=1e-9)


def test_components_add_up_to_background_in_hit_bins_and_bands(observation):
    each = split(observation)

    problem = observation.problem()

    assert [one.name for one in problem.backgrounds] == list(COMPONENTS)
    sums = sum(one.in_bins(len(problem.background)) for one in problem.backgrounds)
    np.testing.assert_allclose(sums, problem.background, rtol=1e-12)
    for one, values in zip(problem.backgrounds, each, strict=True):
        np.testing.assert_allclose(one.totals, values.sum(axis=(1, 2)), rtol=1e-12)
    total = sum(one.totals.sum() for one in problem.backgrounds)
    assert total == pytest.approx(problem.background_total, rel=1e-12)


def test_one_named_component_is_the_unnamed_one_bit_for_bit(observation):
    unnamed = observation.problem()
    section = observation.settings["data"]["background"]
    observation.settings["data"]["background"] = {"all": section}

    named = observation.problem()

    assert np.array_equal(named.background, unnamed.background)
    assert (named.backgrounds[0].name, unnamed.backgrounds[0].name) == ("all", "")
    assert list(named.description.backgrounds) == ["all"]
    assert not unnamed.description.backgrounds


def test_check_names_components_with_counts_and_scales(observation):
    split(observation)

    found = check(observation.asked()).found

    assert "(albedo " in found
    assert "background albedo scale 1 (" in found
    assert "background activation scale 1 (" in found


def test_each_component_has_its_own_scale(observation):
    split(observation)
    observation.settings["data"]["background"]["albedo"]["scale"] = 3.0

    problem = observation.problem()

    assert [one.factor for one in problem.backgrounds] == [3.0, 1.0]
    assert problem.description.backgrounds["albedo"]["scale_from"] == "configuration"


def test_components_of_other_times_are_scaled_by_their_own_livetimes(local):
    local.write_counts("counts.h5", np.array([local.counts] * 2), time=[0, 2, 10])
    local.settings["data"]["interval"] = [1.8e9, 1.8e9 + 2]
    split(local)
    with pytest.raises(InputError, match=r"background albedo: .*`data.background.albedo.interval`"):
        local.problem()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda values: np.where(values == values.max(), -1.0, values), "1 bins are negative"),
        (lambda values: np.where(values == values.max(), np.nan, values), "not finite"),
        (lambda values: 0 * values, "all expected counts are 0"),
        (lambda values: values[:, :, :1], None),
    ],
)
def test_component_that_does_not_fit_is_one_error_with_its_name(observation, spoil, message):
    _, second = split(observation)
    if message is None:
        axes = observation.cds_axes()
        wide = axes[0]._replace(edges=axes[0].edges * 1.5)
        observation.write_counts("activation.h5", second, axes=[wide, *axes[1:]])
        message = "Em"
    else:
        observation.write_counts("activation.h5", spoil(second))

    with pytest.raises(InputError, match=rf"background activation: .*{message}"):
        observation.problem()


def test_counts_where_no_component_expects_any_are_refused_with_all_names(observation):
    each = split(observation)
    for name, values in zip(COMPONENTS, each, strict=True):
        hole = values.copy()
        hole[:, 0] = 0
        observation.write_counts(f"{name}.h5", hole)

    with pytest.raises(
        InputError, match=r"background albedo\), .*background activation\): \d+ bins"
    ):
        observation.problem()


def test_masked_bins_are_those_without_any_component(observation):
    first, second = split(observation)
    first[:, 0], second[:, 0] = 0, 0
    second[1, 1] = 0
    observation.write_counts("albedo.h5", first)
    observation.write_counts("activation.h5", second)
    observation.settings["data"]["zero_background"] = "mask"

    problem = observation.problem()

    assert problem.description.n_masked_bins == first[:, 0].size
    whole = problem.expectation.block(DIRECTIONS).total
    # rows are float32
    np.testing.assert_allclose(problem.band_totals(DIRECTIONS).sum(axis=1), whole, rtol=1e-6)


# --- bands ---


def test_bands_are_the_channels_and_sum_to_totals(observation):
    problem = observation.problem()

    n_channel = observation.counts.shape[0]
    assert problem.bands.n_band == n_channel
    totals = problem.band_totals(DIRECTIONS)
    assert totals.shape == (48, n_channel)
    whole = problem.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(totals.sum(axis=1), whole, rtol=SINGLE)
    counts = problem.bands.sum_hits(problem.counts)
    np.testing.assert_array_equal(counts, observation.counts.sum(axis=(1, 2)))
    assert problem.bands.integrals.photon_flux.sum() == pytest.approx(problem.photon_flux)


def test_a_channel_alone_is_that_band_of_all(observation):
    whole = observation.problem()
    observation.settings["energy"] = {"channels": [1, 2]}

    alone = observation.problem()

    theirs = alone.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(whole.band_totals(DIRECTIONS)[:, 1], theirs, rtol=SINGLE)
    assert whole.bands.edges[1].tolist() == list(alone.description.energy_range_keV)


def test_added_channels_are_one_band(observation):
    observation.settings["energy"] = {"sum_channels": True}

    problem = observation.problem()

    assert problem.bands.n_band == 1
    assert not problem.bands.of_hit.any()
    whole = problem.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(problem.band_totals(DIRECTIONS)[:, 0], whole, rtol=SINGLE)


def test_response_scale_counts_in_bands_too(galactic):
    galactic.settings["data"]["response_scale"] = 0.5

    problem = galactic.problem()

    whole = problem.expectation.block(DIRECTIONS).total
    np.testing.assert_allclose(problem.band_totals(DIRECTIONS).sum(axis=1), whole, rtol=SINGLE)


def test_bands_between_channels_are_refused_by_check_and_fit(observation):
    edges = observation.cds_axes()[0].edges
    inner = (edges[0] + edges[1]) / 2
    observation.settings["energy"] = {"bands": [f"{e} keV" for e in (edges[0], inner, edges[-1])]}

    for step in (lambda: check(observation.asked()), observation.problem):
        with pytest.raises(InputError, match="is no edge of its energies"):
            step()


def test_one_background_under_two_names_is_refused(observation):
    split(observation)
    copyfile(observation.path("albedo.h5"), observation.path("activation.h5"))

    with pytest.raises(InputError, match="are the same background, which would be added twice"):
        check_files_once(observation.config().analyses["tiny"])


def test_every_component_is_an_input_that_results_answer(observation):
    split(observation)
    paths = [observation.path(f"{name}.h5") for name in COMPONENTS]

    def data():
        return Questions(observation.config(), "tiny", Digests(None))("problem")["data"]

    before = data()
    observation.write_counts("activation.h5", observation.background)
    after = data()

    assert set(paths) <= set(before)
    assert before[paths[0]] == after[paths[0]]
    assert before[paths[1]] != after[paths[1]]


def test_results_of_one_background_are_no_results_of_components(observation):
    wanted = Questions(observation.config(), "tiny", Digests(None))("problem")
    split(observation)
    named = Questions(observation.config(), "tiny", Digests(None))("problem")

    assert difference(wanted, named)
    assert not difference(named, named)
