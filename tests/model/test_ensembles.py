"""Ensembles in files: what goes on, what is refused, and what arviz needs."""

import signal
import subprocess
import sys
import textwrap
import time

import h5py
import numpy as np
import pytest

from skyquilt.errors import ProductError
from skyquilt.inference.profile import Range
from skyquilt.inference.sampler import Cloud
from skyquilt.io.provenance import Provenance
from skyquilt.model import (
    Curve,
    Expression,
    Fixed,
    Free,
    Layer,
    PoissonData,
    Posterior,
    fit,
    one_axis,
)
from skyquilt.model.ensembles import (
    Task,
    checkpoint_of,
    make_cloud,
    read_ensemble,
    sample_ensemble,
    write_ensemble,
)
from skyquilt.model.samples import join_ensembles
from skyquilt.model.samples_file import read_samples, write_samples

RECORD = Provenance("test")
TASK = Task("abc", ("a", "b"), ("", "deg"), 1, 2, 8, 40, 5)
FREE = Range(np.full(2, -np.inf), np.full(2, np.inf))
CLOUD = Cloud(np.zeros(2), np.eye(2), np.ones(2))


def gaussian(x):
    return -0.5 * np.sum(x**2, axis=1)


def sample(path, task=TASK, function=gaussian, every_s=60.0):
    return sample_ensemble(function, CLOUD, FREE, task, path, RECORD, every_s)


def sample_all(folder, task=TASK):
    paths = [folder / f"ensemble-{n}.h5" for n in range(1, task.of + 1)]
    for number, path in enumerate(paths, start=1):
        sample(path, task._replace(number=number))
    return paths


def assert_same(one, other):
    assert one.task == other.task
    np.testing.assert_array_equal(one.x, other.x)
    np.testing.assert_array_equal(one.log_posterior, other.log_posterior)
    for found, wanted in zip(one.last, other.last, strict=True):
        np.testing.assert_array_equal(found, wanted)


class StoppedError(Exception):
    """What ends a chain in a test."""


@pytest.mark.parametrize("n_calls", [10, 45, 79])
def test_ensemble_that_was_stopped_is_that_of_an_undisturbed_run(tmp_path, n_calls):
    calls = []

    def stopping(x):
        calls.append(len(x))
        if len(calls) == n_calls:
            raise StoppedError
        return gaussian(x)

    sample(tmp_path / "whole.h5")
    path = tmp_path / "ensemble.h5"
    with pytest.raises(StoppedError):
        sample(path, function=stopping, every_s=0.0)
    assert not path.exists()
    sample(path)
    assert_same(read_ensemble(path), read_ensemble(tmp_path / "whole.h5"))
    assert not checkpoint_of(path).exists()


SCRIPT = """
    import sys
    import time
    import numpy as np
    sys.path.insert(0, {folder!r})
    from test_ensembles import gaussian, sample

    def slow(x):
        time.sleep(0.01)
        return gaussian(x)

    sample({path!r}, function=slow, every_s=0.05)
"""


def test_killed_ensemble_is_that_of_an_undisturbed_run(tmp_path, request):
    path = tmp_path / "ensemble.h5"
    code = SCRIPT.format(folder=str(request.path.parent), path=str(path))
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    deadline = time.monotonic() + 60
    while not checkpoint_of(path).exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not path.exists()
    n_done = len(read_ensemble(checkpoint_of(path)).x)
    assert 0 < n_done < TASK.n_step
    sample(path)
    sample(tmp_path / "whole.h5")
    assert_same(read_ensemble(path), read_ensemble(tmp_path / "whole.h5"))


@pytest.mark.parametrize("change", [{"fit_identity": "other"}, {"seed": 6}, {"n_walker": 10}])
def test_unfinished_ensemble_of_something_else_begins_anew(tmp_path, change, caplog):
    path = tmp_path / "ensemble.h5"
    sample(path, TASK._replace(**change))
    path.rename(checkpoint_of(path))
    sample(path)
    sample(tmp_path / "whole.h5")
    assert "begins anew" in caplog.text
    assert_same(read_ensemble(path), read_ensemble(tmp_path / "whole.h5"))


def test_unfinished_ensemble_that_is_damaged_begins_anew(tmp_path, caplog):
    path = tmp_path / "ensemble.h5"
    checkpoint_of(path).write_bytes(b"nothing")
    sample(path)
    assert "begins anew" in caplog.text


def test_ensembles_are_joined_without_their_burn_in(tmp_path):
    samples = join_ensembles(sample_all(tmp_path)[::-1], "abc", ("a", "b"), 10, None)
    assert samples.x.shape == (2, 30, 8, 2)
    first = read_ensemble(tmp_path / "ensemble-1.h5")
    np.testing.assert_array_equal(samples.x[0], first.x[10:])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("other", ("a", "b")), "chains of another problem or fit, abc, not other"),
        (("abc", ("a", "c")), "chains of a, b; the fit has a, c"),
    ],
)
def test_chains_of_another_fit_are_refused(tmp_path, given, message):
    with pytest.raises(ProductError, match=message):
        join_ensembles(sample_all(tmp_path), *given, 10)


def test_missing_ensemble_is_named(tmp_path):
    with pytest.raises(ProductError, match=r"ensemble 2 of 2 is missing.*--ensemble 2`"):
        join_ensembles(sample_all(tmp_path)[:1], "abc", ("a", "b"), 10, None)
    with pytest.raises(ProductError, match="no ensemble is given"):
        join_ensembles([], "abc", ("a", "b"), 10)


def test_chain_cut_short_is_refused(tmp_path):
    paths = sample_all(tmp_path)
    whole = read_ensemble(paths[1])
    short = type(whole)(whole.task, whole.x[:20], whole.log_posterior[:20], whole.last)
    write_ensemble(paths[1], short, RECORD)
    with pytest.raises(ProductError, match="cut short: 20 of 40 steps"):
        join_ensembles(paths, "abc", ("a", "b"), 10, None)
    paths[1].write_bytes(paths[1].read_bytes()[:5000])
    with pytest.raises(ProductError, match=r"not a whole HDF5 file"):
        join_ensembles(paths, "abc", ("a", "b"), 10, None)


def test_samples_that_have_not_converged_are_refused_unless_told(tmp_path):
    paths = sample_all(tmp_path, TASK._replace(n_step=14))
    with pytest.raises(ProductError, match=r"not converged: split R-hat of [ab] is .*above 1.05"):
        join_ensembles(paths, "abc", ("a", "b"), 10)
    join_ensembles(paths, "abc", ("a", "b"), 10, 100.0)


def test_all_steps_as_burn_in_are_refused(tmp_path):
    paths = sample_all(tmp_path)
    with pytest.raises(ProductError, match="all steps are burn-in"):
        join_ensembles(paths, "abc", ("a", "b"), 40)


# --- of a model ------------------------------------------------------------------------------

CELLS = one_axis("time_bin", np.arange(4.0), np.arange(4.0) + 1)


@pytest.fixture(scope="module")
def layer():
    curve = {"peak": Free(20.0, 0.0, unit="MeV"), "t0": Fixed(2.0), "sigma": Fixed(1.0)}
    return Layer(
        {
            "flux": Curve("gaussian", curve),
            "norm": Free(1.0, 0.0, per="time_bin"),
            "ratio": Expression("flux.peak / 10"),
        },
        CELLS,
    )


@pytest.fixture(scope="module")
def posterior(layer):
    counts = np.array([[12.0], [30.0], [25.0], [9.0]])
    bright = np.array([[10.0, 100.0]])
    data = np.hstack([counts, np.full((4, 1), 104.0)])
    return Posterior(
        layer,
        PoissonData(data, lambda flux, norm: bright * norm + flux * [[1.0, 0.0]], ("flux", "norm")),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, posterior, layer):
    """Samples of the model, and its fit."""
    folder = tmp_path_factory.mktemp("samples")
    best = fit(posterior)
    cloud = make_cloud(posterior, best.x, best.covariance.matrix)
    ranges = Range(layer.lower, layer.upper)
    names, units = tuple(layer.names), tuple(layer.units)
    paths = [folder / f"ensemble-{n}-of-2.h5" for n in (1, 2)]
    for number, path in enumerate(paths, start=1):
        task = Task("abc", names, units, number, 2, 16, 180, 1)
        function = lambda x: posterior.value(x, np.zeros(len(x), dtype=int))  # noqa: E731
        sample_ensemble(function, cloud, ranges, task, path, RECORD)
    samples = join_ensembles(paths, "abc", names, 60, 1.3)
    write_samples(folder / "samples.h5", samples, layer, "abc", RECORD)
    return folder, samples, best


def test_samples_agree_with_the_errors_of_the_fit(folder):
    _, samples, best = folder
    found = samples.summarise()
    assert np.all(np.abs(found.mean - best.x) < 0.5 * best.errors)
    assert found.deviation == pytest.approx(best.errors, rel=0.35)
    assert np.all(found.n_effective > 50)


def test_samples_in_a_file_have_dimensions_of_netcdf(folder):
    path, samples, _ = folder[0] / "samples.h5", *folder[1:]
    with h5py.File(path) as file:
        group = file["posterior"]
        assert set(group) == {
            *("chain", "draw", "time_bin"),
            *("flux", "flux.peak", "norm", "ratio"),
        }
        for name, dimensions in (
            ("flux", ("chain", "draw", "time_bin")),
            ("ratio", ("chain", "draw")),
        ):
            found = [group[name].dims[n][0].name for n in range(len(dimensions))]
            assert found == [f"/posterior/{dimension}" for dimension in dimensions]
        assert group["flux.peak"].attrs["unit"] == "MeV"
        assert group["flux"].shape == (32, 120, 4)
        # chain 17 is walker 1 of the second ensemble
        np.testing.assert_array_equal(group["flux.peak"][17], samples.x[1, :, 1, 0])
        np.testing.assert_array_equal(group["ratio"][17], samples.x[1, :, 1, 0] / 10)
        np.testing.assert_array_equal(file["sample_stats/lp"][17], samples.log_posterior[1, :, 1])


def test_samples_are_read_as_written(folder):
    found, wanted = read_samples(folder[0] / "samples.h5", "abc"), folder[1]
    assert (found.names, found.units) == (wanted.names, wanted.units)
    np.testing.assert_array_equal(found.x, wanted.x)
    np.testing.assert_array_equal(found.log_posterior, wanted.log_posterior)


def test_walkers_start_around_a_fit_at_its_bound(layer):
    counts = np.full((4, 2), 100.0)
    bright = np.array([[110.0, 100.0]])
    posterior = Posterior(
        layer,
        PoissonData(
            counts, lambda flux, norm: bright * norm + flux * [[1.0, 0.0]], ("flux", "norm")
        ),
    )
    best = fit(posterior)
    assert best.climb.is_bound[0].any()
    cloud = make_cloud(posterior, best.x, best.covariance.matrix)
    assert np.all(np.isfinite(cloud.size) & (cloud.size > 0))
