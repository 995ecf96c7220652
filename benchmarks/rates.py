"""Rates of one core of this machine, by a few lines of C compiled for it."""

import ctypes
import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

_SOURCE = Path(__file__).parent / "rates.c"
_FLAGS = ["-O3", "-march=native", "-ffp-contract=fast", "-mprefer-vector-width=512"]
_TRIALS = 7
_PER_CALL = 8 * 12  # operations of one turn of the loops in rates.c


class Rates(NamedTuple):
    """Best of several trials, per second.

    Attributes
    ----------
    read_table : float
        Bytes read again and again from as many as the hit columns of a table [byte/s].
    read_block : float
        The same from 1 MiB, a block of expected counts in the level 2 cache.
    multiply_adds, divisions : float
        Of float64.
    """

    read_table: float
    read_block: float
    multiply_adds: float
    divisions: float


def measure_rates(table_bytes: int) -> Rates:
    """Rates of this machine, the table's for a table of this size.

    Raises
    ------
    RuntimeError
        If no C compiler works; $CC names one.
    """
    with tempfile.TemporaryDirectory() as folder:
        library = _compile(Path(folder) / "rates.so")
        turns = 100_000
        return Rates(
            _read_rate(library, table_bytes),
            _read_rate(library, 2**20),
            _best(turns * _PER_CALL, lambda: library.multiply_add(turns, 0.5, 1.0)),
            _best(turns * _PER_CALL, lambda: library.divide(turns, 1.1)),
        )


def _compile(target: Path) -> ctypes.CDLL:
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, *_FLAGS, "-shared", "-fPIC", str(_SOURCE), "-o", str(target)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(f"{shlex.join(command)} fails ({error}); name a compiler in CC.") from (
            error
        )
    library = ctypes.CDLL(str(target))
    int64, double = ctypes.c_int64, ctypes.c_double
    library.read_bytes.argtypes = [ctypes.c_void_p, int64, int64]
    library.multiply_add.argtypes = [int64, double, double]
    library.divide.argtypes = [int64, double]
    for function in (library.read_bytes, library.multiply_add, library.divide):
        function.restype = double
    return library


def _read_rate(library: ctypes.CDLL, n_bytes: int) -> float:
    n_bytes -= n_bytes % 512
    values = np.ones(n_bytes // 8)
    repeats = max(1, 2**28 // n_bytes)
    return _best(
        n_bytes * repeats, lambda: library.read_bytes(values.ctypes.data, n_bytes, repeats)
    )


def _best(n: int, do: Callable[[], object]) -> float:
    """Operations per second of the fastest trial: others lose time to other programs."""
    times = []
    for _ in range(_TRIALS):
        began = time.perf_counter()
        do()
        times.append(time.perf_counter() - began)
    return n / min(times)
