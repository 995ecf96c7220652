"""The kernels: C functions on arrays, compiled when skyquilt is installed.

`kernels` holds them as attributes; interface.h says what each does, and arguments.py, which is made
of it, what each takes. They are called with whole blocks of pixels and let other threads run
meanwhile. Sizes and arguments are not checked in C: that is the callers' part, the public functions
of `sky`, `blocks`, `problem` and `likelihood`.

On x86-64 the same sources are compiled for three levels of vector instructions, and the best one
that the processor has is loaded. All of them give the same bits.
"""

import ctypes
from pathlib import Path

import numpy as np

from skyquilt.errors import RunError
from skyquilt.native.arguments import (
    ARGUMENTS,
    INTERFACE,
    WITH_RESULT,
    BandWeights,
    CameraPixels,
    ConcaveCounts,
    EntryLists,
    EventSpread,
    HitEvents,
    ImagePixels,
    KernelOptions,
    NearbyItems,
    Readout,
    SpreadTables,
    TailCuts,
)

__all__ = [
    "INTERFACE",
    "BandWeights",
    "CameraPixels",
    "ConcaveCounts",
    "EntryLists",
    "EventSpread",
    "HitEvents",
    "ImagePixels",
    "KernelOptions",
    "NearbyItems",
    "Readout",
    "SpreadTables",
    "TailCuts",
    "entry_lists",
    "kernels",
    "library_path",
    "load",
    "load_best",
]

FOLDER = Path(__file__).parent
"""Where the libraries lie."""

_LEVELS = (4, 3)  # of x86-64, best first; level 1 runs everywhere


def load(level: int, folder: Path = FOLDER) -> ctypes.CDLL:
    """Library for a level of x86-64, its functions ready to be called.

    Parameters
    ----------
    level : {1, 3, 4}
        Level; 1 runs on any processor.
    folder : Path
        Where the library lies.

    Raises
    ------
    RunError
        If the library is missing, cannot be loaded, or belongs to another version of skyquilt.
    """
    path = library_path(level, folder)
    again = "install skyquilt again with `make install` or `pip install .`"
    try:
        library = ctypes.CDLL(str(path))
        found = library.interface_version()
    except (OSError, AttributeError) as error:
        raise RunError(
            f"{path}: the compiled kernels cannot be loaded ({error}); {again}."
        ) from error
    if found != INTERFACE:
        raise RunError(
            f"{path}: compiled kernels of version {found}, this skyquilt needs version "
            f"{INTERFACE}; {again}."
        )
    for name, arguments in ARGUMENTS.items():
        function = getattr(library, name)
        function.argtypes = tuple(arguments.values())
        function.restype = ctypes.c_int64 if name in WITH_RESULT else None
    return library


def library_path(level: int, folder: Path = FOLDER) -> Path:
    """File of the library for a level."""
    return folder / f"kernels{level}.so"


def load_best(folder: Path = FOLDER) -> ctypes.CDLL:
    """Library that suits this processor best, of those that are there.

    Raises
    ------
    RunError
        As `load`.
    """
    first = load(1, folder)
    highest = first.processor_level()
    for level in _LEVELS:
        if level <= highest and library_path(level, folder).is_file():
            return load(level, folder)
    return first


def entry_lists(indptr: np.ndarray, column: np.ndarray, value: np.ndarray) -> EntryLists:
    """Where the entries of directions go; the first number of `indptr` stays as it is, 0."""
    return EntryLists.of(indptr=indptr, column=column, value=value)


kernels = load_best()
"""The functions, for this processor."""
