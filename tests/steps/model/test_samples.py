"""Verbs after a fit: `skyquilt model sample`, `profile`, `collect`, `plot` and `graph`."""

import builtins
import shutil
from copy import copy, deepcopy
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from astropy.table import Table

from skyquilt.cli.main import main
from skyquilt.config import parse_config
from skyquilt.errors import ConfigError, ProductError, SkyquiltError
from skyquilt.inference.profile import interval
from skyquilt.io.listing import read_listing
from skyquilt.io.provenance import Provenance
from skyquilt.model.ensembles import checkpoint_of, read_ensemble, write_ensemble
from skyquilt.model.expanded import MAX_ERROR
from skyquilt.model.fit import fit
from skyquilt.model.made import read_made_fit
from skyquilt.model.profiles import N_POINTS, join_profiles
from skyquilt.model.samples_file import read_samples
from skyquilt.model.sampling import make_target
from skyquilt.runs.answers import Digests
from skyquilt.runs.freshness import find_stale
from skyquilt.runs.verify import State, set_aside, verify_tree
from skyquilt.steps.model.build import model_of
from skyquilt.steps.model.check import check_models
from skyquilt.steps.model.collect import collect_model, collect_samples
from skyquilt.steps.model.figures import Drawn, draw_figures
from skyquilt.steps.model.fit import fit_model
from skyquilt.steps.model.plot import plot_model
from skyquilt.steps.model.prepare import prepare_model
from skyquilt.steps.model.profile import profile_model
from skyquilt.steps.model.sample import sample_model
from skyquilt.steps.report import report_analysis
from skyquilt.steps.settings import write_analysis_settings

SAMPLE = {"ensembles": 2, "walkers": 12, "steps": 60, "burn": 20, "seed": 3, "max_r_hat": 1.5}


@pytest.fixture(scope="module")
def fitted(observe, tmp_path_factory):
    """Ten seconds of counts, and two fits: one of each bin, one of a flux that stays."""
    local = observe(tmp_path_factory.mktemp("observation"), "local")
    level = {"light_curve": "constant", "level": {"start": 1, "range": [0, None]}}
    local.ask_model(
        {
            "alone": {"split": "time_bin", "set": {"a.index": -2}},
            "level": {
                "set": {"a.flux": level},
                "sample": SAMPLE,
                "profile": ["a.index", "a.flux.level"],
            },
        }
    )
    local.settings["model"]["truths"] = {"a.index": -2}
    prepare_model(local.config(), "tiny", f"{folder(local)}/problem.h5")
    for name in ("alone", "level"):
        fit_model(local.config(), "tiny", name, folder(local))
    return local


def on_a_copy(made, tmp_path):
    """The same with settings and results of its own."""
    other = copy(made)
    other.settings = deepcopy(made.settings)
    other.results = str(tmp_path / "results")
    shutil.copytree(results(made), other.results)
    return other


@pytest.fixture
def observed(fitted, tmp_path):
    """Fits, and nothing that was made of them."""
    return on_a_copy(fitted, tmp_path)


def results(observed):
    return getattr(observed, "results", observed.path("results"))


def parsed(observed):
    return parse_config(observed.raw_config() | {"results": results(observed)})


def folder(observed):
    return Path(results(observed)) / "tiny/model"


def sample_all(observed):
    paths = []
    for number in (1, 2):
        sample_model(parsed(observed), "tiny", "level", number, folder(observed))
        paths.append(folder(observed) / f"level/ensemble-{number}-of-2.h5")
    return paths


def profile_all(observed, of=2):
    for part in range(1, of + 1):
        profile_model(parsed(observed), "tiny", "level", part, of, folder(observed))
    return [folder(observed) / f"level/profile-{part}-of-{of}.h5" for part in range(1, of + 1)]


def arrays(path):
    with h5py.File(path) as file:
        found = {}
        file.visititems(
            lambda name, item: (
                found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
            )
        )
        return {name: value for name, value in found.items() if name != "seal"}


def assert_same(path, other):
    one, two = arrays(path), arrays(other)
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


# --- samples ---------------------------------------------------------------------------------


def test_ensembles_are_joined_and_agree_with_the_fit(observed):
    sample_all(observed)
    collect_samples(parsed(observed), "tiny", "level", folder(observed))
    made = read_made_fit(folder(observed), "level")
    samples = read_samples(folder(observed) / "level-samples.h5", made.identity)
    assert samples.x.shape == (2, 40, 12, 3)
    errors = np.sqrt(np.diag(made.found.covariance))
    assert np.all(np.abs(samples.flat.mean(axis=0) - made.x) < errors)
    table = Table.read(folder(observed) / "level-samples.ecsv")
    assert table["name"].tolist() == made.layer.names
    np.testing.assert_allclose(table["q50"], np.median(samples.flat, axis=0))
    assert np.all(table["q2.5"] < table["q16"])
    assert np.all((table["r_hat"] > 0.9) & (table["n_effective"] > 1))


def test_ensemble_that_was_stopped_is_that_of_an_undisturbed_run(observed):
    (first, _) = sample_all(observed)
    kept = shutil.copy(first, first.with_name("kept.h5"))
    whole = read_ensemble(first)
    first.unlink()
    states = whole.x[:25], whole.log_posterior[:25]
    # where it stood after 25 steps is found by a run of so many
    observed.settings["model"]["fits"]["level"]["sample"] = SAMPLE | {"steps": 25}
    sample_model(parsed(observed), "tiny", "level", 1, folder(observed))
    short = read_ensemble(first)
    np.testing.assert_array_equal(short.x, states[0])
    first.unlink()
    half = type(whole)(whole.task, short.x, short.log_posterior, short.last)
    write_ensemble(checkpoint_of(first), half, Provenance("test"))
    observed.settings["model"]["fits"]["level"]["sample"] = SAMPLE
    sample_model(parsed(observed), "tiny", "level", 1, folder(observed))
    assert_same(first, kept)
    assert not checkpoint_of(first).exists()


def test_samples_without_emcee_are_one_message(observed, monkeypatch):
    really = builtins.__import__

    def without(name, *others, **more):
        if name == "emcee":
            raise ImportError(name)
        return really(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SkyquiltError, match=r"need emcee, .*: pip install 'skyquilt\[sampling\]'"):
        sample_model(parsed(observed), "tiny", "level", 1, folder(observed))


@pytest.mark.parametrize(
    ("sample", "number", "message"),
    [
        (SAMPLE, 3, "ensemble 3: fit level has the ensembles 1 to 2"),
        (SAMPLE | {"walkers": 7}, 1, "7 walkers for 3 free numbers: at least 8 are needed"),
        (None, 1, "fit level asks for no samples: give it `sample`"),
    ],
)
def test_samples_that_cannot_be_made_are_refused(observed, sample, number, message):
    observed.settings["model"]["fits"]["level"]["sample"] = sample
    with pytest.raises(ConfigError, match=message):
        sample_model(parsed(observed), "tiny", "level", number, folder(observed))
    assert not (folder(observed) / "level").exists()


def test_too_few_walkers_are_told_by_check(observed):
    observed.settings["model"]["fits"]["level"]["sample"] = SAMPLE | {"walkers": 7}
    with pytest.raises(ConfigError, match=r"tiny.model, fit level: 7 walkers for 3 free numbers"):
        check_models(parsed(observed))


def test_chains_of_another_fit_are_refused(observed):
    sample_all(observed)
    observed.settings["model"]["background"]["prior"] = {"normal": [1, 0.2]}
    fit_model(parsed(observed), "tiny", "level", folder(observed))
    observed.settings["model"]["background"]["prior"] = {"normal": [1, 0.1]}
    # the settings are those of the chains again, but the fit is not
    with pytest.raises(ProductError, match="chains of another problem or fit"):
        collect_samples(parsed(observed), "tiny", "level", folder(observed))


def test_chains_of_other_settings_are_refused(observed):
    sample_all(observed)
    observed.settings["model"]["fits"]["level"]["sample"] = SAMPLE | {"seed": 4}
    with pytest.raises(ProductError, match=r"fits.level.sample.seed was 3 and is 4; make it again"):
        collect_samples(parsed(observed), "tiny", "level", folder(observed))


def test_chain_cut_short_is_one_message(observed):
    (first, _) = sample_all(observed)
    first.write_bytes(first.read_bytes()[:3000])
    with pytest.raises(ProductError, match=r"ensemble-1-of-2.h5: cannot be read"):
        collect_samples(parsed(observed), "tiny", "level", folder(observed))
    first.unlink()
    with pytest.raises(ProductError, match="ensemble 1 of 2 is missing"):
        collect_samples(parsed(observed), "tiny", "level", folder(observed))


def test_samples_that_have_not_converged_are_refused_unless_told(observed):
    sample_all(observed)
    fits = observed.settings["model"]["fits"]
    fits["level"]["sample"] = SAMPLE | {"max_r_hat": 1.0001}
    with pytest.raises(ProductError, match=r"not converged: split R-hat of .* above 1.0001"):
        collect_samples(parsed(observed), "tiny", "level", folder(observed))
    # burn-in and limit belong to the joining: the chains stay
    fits["level"]["sample"] = SAMPLE | {"burn": 30}
    collect_samples(parsed(observed), "tiny", "level", folder(observed))
    identity = read_made_fit(folder(observed), "level").identity
    samples = read_samples(folder(observed) / "level-samples.h5", identity)
    assert samples.x.shape[1] == 30


def test_numbers_without_data_are_not_sampled(observed):
    made = read_made_fit(folder(observed), "level")
    path = sample_all(observed)[0]
    assert read_ensemble(path).task.names == tuple(made.layer.names)
    is_free = made.found.is_free.copy()
    is_free[0] = False
    dark = made._replace(found=made.found._replace(is_free=is_free))
    target = make_target(dark, 1)
    assert target.numbers.tolist() == [1, 2]
    full = target.in_all(np.zeros((2, 2)))
    np.testing.assert_array_equal(full[:, 0], made.layer.start[0])


def test_sources_far_from_where_they_were_expanded_are_exact(observed):
    position = observed.settings["model"]["sources"]["a"]["position"]
    position["range"] = "20 deg"
    prepare_model(parsed(observed), "tiny", folder(observed) / "problem.h5")
    fit_model(parsed(observed), "tiny", "level", folder(observed))
    made = read_made_fit(folder(observed), "level")
    target = make_target(made, 1)
    # a position that is known to 7 deg, of a table with 12 directions: no polynomial
    assert target.error > MAX_ERROR
    assert target.posterior is made.posterior


# --- profiles --------------------------------------------------------------------------------


def test_profiles_are_the_same_for_any_number_of_parts(observed):
    made = read_made_fit(folder(observed), "level")
    found = [join_profiles(profile_all(observed, of), made.identity) for of in (1, 2, 5)]
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert one.name == two.name
            np.testing.assert_array_equal(one.value, two.value)
            np.testing.assert_array_equal(one.fall, two.fall)
    index, level = found[0]
    assert (index.name, level.name, index.value.size) == ("a.index", "a.flux.level", N_POINTS)
    assert index.fall[N_POINTS // 2] == pytest.approx(0, abs=1e-4)


def test_profile_falls_by_one_at_the_ends_of_the_interval(observed):
    made = read_made_fit(folder(observed), "level")
    (curve, _) = join_profiles(profile_all(observed), made.identity)
    best = fit(made.posterior, made.x)
    ends = interval(made.posterior, best.climb, made.layer.names.index("a.index"), made.ranges)
    order = np.argsort(curve.value)
    fall = np.interp([ends.low, ends.high], curve.value[order], curve.fall[order])
    # 21 points over six errors: a straight line between them is off by 0.01
    assert fall == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "fit level asks for no profiles"),
        (["a.idx"], r"profile: no free number 'a.idx'; "),
    ],
)
def test_profiles_that_cannot_be_made_are_refused(observed, names, message):
    observed.settings["model"]["fits"]["level"]["profile"] = names
    with pytest.raises(ConfigError, match=message):
        profile_model(parsed(observed), "tiny", "level", 1, 1, folder(observed))


def test_missing_part_of_profiles_is_named(observed):
    paths = profile_all(observed)
    with pytest.raises(ProductError, match=r"part 2 of 2 .* is missing: make it with .*--part 2/2"):
        join_profiles(paths[:1], read_made_fit(folder(observed), "level").identity)
    with pytest.raises(ProductError, match="of another problem or fit"):
        join_profiles(paths, "other")


# --- figures and graph -----------------------------------------------------------------------


def test_figures_are_those_of_what_there_is(observed):
    options = model_of(parsed(observed).analyses["tiny"])
    fits = [
        Drawn(name, read_made_fit(folder(observed), name), None, []) for name in ("alone", "level")
    ]
    figures = dict(draw_figures("tiny", options, fits))
    plain = {"light-curve-a", "spectrum-level", "counts-level"}
    assert figures.keys() == plain | {"parameters-alone", "parameters-level"}


def test_figures_of_all_products_are_listed(whole):
    stems = {path.stem for path in read_listing(folder(whole) / "plots")}
    assert {"corner-level", "profiles-level", "light-curve-a"} <= stems


def test_graph_is_printed_or_written(observed, tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(observed.raw_config()))
    arguments = ["model", "graph", "--config", str(config), "--analysis", "tiny", "--fit", "level"]
    assert main(arguments) == 0
    assert "a.flux.level" in capsys.readouterr().out
    assert main([*arguments, "--output", f"{tmp_path}/graph.svg"]) == 0
    assert (tmp_path / "graph.svg").read_text().startswith("<svg")
    assert main([*arguments, "--output", f"{tmp_path}/graph.png"]) == 2
    assert "allowed are files that end in .txt, .dot, .svg" in capsys.readouterr().err
    assert not (tmp_path / "graph.png").exists()


def test_truths_of_unknown_numbers_are_refused(observed):
    observed.settings["model"]["truths"] = {"a.inde": -2}
    with pytest.raises(ConfigError, match=r"truths.a.inde: no number of this name; .*a.index"):
        check_models(parsed(observed))


# --- all products ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(fitted, tmp_path_factory):
    """All products of a model, as the workflow makes them."""
    observed = on_a_copy(fitted, tmp_path_factory.mktemp("all"))
    config = parsed(observed)
    write_analysis_settings(config, "tiny")
    (Path(results(observed)) / "tiny/logs").mkdir()
    sample_all(observed)
    collect_samples(config, "tiny", "level", folder(observed))
    profile_all(observed)
    collect_model(config, "tiny", folder(observed))
    plot_model(config, "tiny", folder(observed))
    whole = Path(folder(observed)).parent
    report_analysis(config, "tiny", whole, whole / "report.html")
    return observed


@pytest.fixture
def whole(made, tmp_path):
    """The same for one test."""
    observed = on_a_copy(made, tmp_path)
    write_analysis_settings(parsed(observed), "tiny")
    return observed


def stale(observed):
    config = parsed(observed)
    found = find_stale(config, "tiny", Digests(config.cache))
    return {(item.product, path.name) for item in found for path in item.paths}


def test_all_products_are_whole_and_fresh(whole):
    findings = verify_tree(results(whole))
    assert {item.path.name: item for item in findings if item.state is not State.WHOLE} == {}
    assert stale(whole) == set()


def test_what_is_stale_after_which_change(whole):
    ensembles = {("model_ensembles", f"ensemble-{n}-of-2.h5") for n in (1, 2)}
    samples = {("model_samples", f"level-samples.{end}") for end in ("h5", "ecsv")}
    profiles = {("model_profiles", f"profile-{n}-of-2.h5") for n in (1, 2)}
    ends = {
        ("model_comparison", "comparison.json"),
        ("model_plots", "plots"),
        ("page", "report.html"),
    }
    level = whole.settings["model"]["fits"]["level"]
    level["sample"] = SAMPLE | {"seed": 4}
    assert stale(whole) == ensembles | samples | ends
    level["sample"] = SAMPLE | {"burn": 10}
    assert stale(whole) == samples | ends
    level["sample"] = SAMPLE
    level["profile"] = ["a.index"]
    assert stale(whole) == profiles | ends
    level["profile"] = ["a.index", "a.flux.level"]
    whole.settings["model"]["fits"]["more"] = {}
    assert stale(whole) == ends
    del whole.settings["model"]["fits"]["more"]
    whole.settings["model"]["truths"] = {}
    assert stale(whole) == ends


def test_repair_sets_aside_what_is_damaged_or_of_another_fit(whole, damage):
    level = folder(whole) / "level"
    damage(level / "ensemble-1-of-2.h5", dataset="x")
    shutil.copy(level / "profile-2-of-2.h5", level / "profile-1-of-2.h5")
    (folder(whole) / "plots/corner-level.png").unlink()
    findings = {
        item.path.name: item.state
        for item in verify_tree(results(whole))
        if item.state is not State.WHOLE
    }
    assert findings["ensemble-1-of-2.h5"] is State.DAMAGED
    assert findings["corner-level.png"] is State.MISSING
    set_aside(verify_tree(results(whole)))
    assert not (level / "ensemble-1-of-2.h5").exists()
    assert not (folder(whole) / "plots").exists()


def test_chains_of_another_fit_are_foreign(whole):
    whole.settings["model"]["background"]["prior"] = {"normal": [1, 0.2]}
    fit_model(parsed(whole), "tiny", "level", folder(whole))
    findings = {item.path.name: item for item in verify_tree(results(whole))}
    for name in ("ensemble-1-of-2.h5", "profile-1-of-2.h5", "level-samples.h5"):
        assert (findings[name].state, findings[name].reason) == (
            *(State.FOREIGN, "it is of another fit"),
        )
