"""The communicator, with stand-ins; tests/mpi starts real ranks."""

import logging
import sys

import pytest

from skyquilt.errors import ConfigError, InputError, RunError
from skyquilt.parallel.comm import abort_on_error, open_comm


class OneRank:
    """What a communicator needs here; remembers its end."""

    def __init__(self, rank=0):
        self.rank, self.aborted = rank, None

    def Get_rank(self):  # noqa: N802 - name of MPI
        return self.rank

    def Get_size(self):  # noqa: N802
        return 2

    def Abort(self, code):  # noqa: N802
        self.aborted = code


def test_open_comm_when_alone_as_expected_is_the_world():
    assert open_comm(1, 60.0).Get_size() == 1


def test_open_comm_when_ranks_are_missing_explains_the_wrong_launcher():
    with pytest.raises(RunError, match=r"^1 MPI ranks, expected 4.*rank 0 of 1.*--mpi=pmi2"):
        open_comm(4, 60.0)


@pytest.mark.parametrize("module", ["mpi4py", "mpi4py.MPI"])
def test_open_comm_when_mpi4py_is_missing_says_what_to_install(monkeypatch, module):
    import mpi4py

    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delattr(mpi4py, "MPI", raising=False)
    with pytest.raises(ConfigError, match="pip install mpi4py mpich"):
        open_comm(1, 60.0)


def test_open_comm_when_libmpi_is_missing_says_what_to_install(monkeypatch):
    class NoLibrary:
        def __getattr__(self, name):
            raise RuntimeError("cannot load MPI library")

    monkeypatch.setitem(sys.modules, "mpi4py", NoLibrary())
    with pytest.raises(ConfigError, match=r"cannot load MPI library.*pip install mpi4py mpich"):
        open_comm(1, 60.0)


def test_abort_on_error_when_serial_lets_the_error_pass():
    with pytest.raises(InputError, match=r"a\.h5"), abort_on_error(None, "chunk 7"):
        raise InputError("a.h5: truncated.")


def test_abort_on_error_when_nothing_happens_does_nothing():
    comm = OneRank()
    with abort_on_error(comm, "chunk 7"):
        pass
    with abort_on_error(None, "chunk 7"):
        pass
    assert comm.aborted is None


@pytest.mark.parametrize(
    ("error", "code"), [(ValueError("x"), 1), (InputError("x"), 2), (RunError("x"), 1)]
)
def test_abort_on_error_ends_all_ranks_with_the_code_of_the_error(error, code):
    comm = OneRank()
    with pytest.raises(type(error)), abort_on_error(comm, "chunk 7"):
        raise error
    assert comm.aborted == code


def test_abort_on_error_logs_rank_and_traceback(caplog):
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(ValueError, match="what happened"),
        abort_on_error(OneRank(1), "chunk 7"),
    ):
        raise ValueError("what happened")
    assert "chunk 7, rank 1 of 2 on " in caplog.text
    assert "what happened" in caplog.text
    assert "Traceback" in caplog.text


def test_abort_on_error_when_expected_logs_one_line(caplog):
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(InputError),
        abort_on_error(OneRank(1), "chunk 7"),
    ):
        raise InputError("a.h5: truncated.")
    assert "a.h5: truncated." in caplog.text
    assert "Traceback" not in caplog.text
