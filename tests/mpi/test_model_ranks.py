"""`skyquilt model fit --mpi` with real ranks: the same numbers for any number of them."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from skyquilt.model.file import read_fit
from skyquilt.steps.model.fit import fit_model
from skyquilt.steps.model.prepare import prepare_model

MPIEXEC = Path(sys.executable).parent / "mpiexec"

pytestmark = [
    pytest.mark.mpi,
    pytest.mark.skipif(not MPIEXEC.exists(), reason="no mpiexec beside this Python"),
]


@pytest.fixture
def observed(local):
    """Ten seconds of counts, with a model of five bins of 2 s."""
    local.ask_model({"alone": {"split": "time_bin"}, "joint": {"errors": "profile"}})
    local.folder.joinpath("config.yaml").write_text(yaml.safe_dump(local.raw_config()))
    return local


def fit_with_ranks(observed, folder, fit, n_ranks):
    command = [str(MPIEXEC), "-n", str(n_ranks), str(MPIEXEC.with_name("skyquilt")), "model", "fit"]
    command += ["--mpi", "--ranks", str(n_ranks), "--fit", fit, "--output", str(folder)]
    command += ["--config", observed.path("config.yaml"), "--analysis", "tiny"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("fit", "n_ranks"), [("alone", 3), ("joint", 1), ("joint", 3)])
def test_fit_of_a_model_does_not_depend_on_the_number_of_ranks(observed, fit, n_ranks):
    found = []
    for ranks in (0, n_ranks):
        folder = observed.folder / f"ranks-{ranks}"
        prepare_model(observed.config(), "tiny", folder / "problem.h5")
        if ranks:
            fit_with_ranks(observed, folder, fit, ranks)
        else:
            fit_model(observed.config(), "tiny", fit, folder)
        found.append(read_fit(folder / f"{fit}.h5")[0])
    alone, shared = found
    for one, other in zip(alone.rows, shared.rows, strict=True):
        assert (one.name, one.status) == (other.name, other.status)
        assert one.value == other.value or abs(one.value - other.value) < 1e-9 * one.error
        assert other.error == pytest.approx(one.error, rel=1e-9, nan_ok=True)
        assert other.error_low == pytest.approx(one.error_low, rel=1e-6, nan_ok=True)
    assert shared.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12)
