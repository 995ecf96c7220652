"""The kernels: C functions on arrays, compiled when skyquilt is installed.

`kernels` holds them as attributes; the C files beside this one say what each does. They are
called with whole blocks of pixels and let other threads run meanwhile. Sizes and arguments are
not checked in C: that is the callers' part, the public functions of `sky`, `problem` and
`likelihood`.

On x86-64 the same sources are compiled for three levels of vector instructions, and the best one
that the processor has is loaded. All of them give the same bits.
"""

import ctypes
from pathlib import Path

import numpy as np

from skyquilt.errors import RunError

INTERFACE = 11
"""Number of the set of functions and arguments, as in interface.h."""

FOLDER = Path(__file__).parent
"""Where the libraries lie."""

_LEVELS = (4, 3)  # of x86-64, best first; level 1 runs everywhere


class _Array:
    """Argument type: address of a contiguous array (in a third of the time of ndpointer)."""

    def __init__(self, dtype: type):
        self._dtype = np.dtype(dtype)

    def from_param(self, array: np.ndarray) -> ctypes.c_void_p:
        if array.dtype != self._dtype or not array.flags.c_contiguous:
            raise TypeError(f"{array.dtype} array: a contiguous one of {self._dtype} is needed.")
        return ctypes.c_void_p(array.ctypes.data)


class FitOptions(ctypes.Structure):
    """How pixels are fitted; `fit_options` of poisson.h."""

    _fields_ = (
        *(
            (name, ctypes.c_int64)
            for name in ("allow_negative", "has_limits", "is_free", "max_iter")
        ),
        *((name, ctypes.c_double) for name in ("tolerance", "confidence_level")),
        *((name, ctypes.c_double) for name in ("counts_total", "background_total")),
    )


_int = ctypes.c_int64
_float = ctypes.c_double
_options = ctypes.POINTER(FitOptions)
_ints, _floats, _singles, _shorts, _bytes = map(
    _Array, (np.int64, np.float64, np.float32, np.int32, np.uint8)
)

_ARGUMENTS = {
    "processor_level": (),
    # nside, n, from, to
    "nest_to_ring": (_int, _int, _ints, _ints),
    "ring_to_nest": (_int, _int, _ints, _ints),
    "nest_to_vec": (_int, _int, _ints, _floats),
    "ring_to_vec": (_int, _int, _ints, _floats),
    "vec_to_nest": (_int, _int, _floats, _ints),
    "vec_to_ring": (_int, _int, _floats, _ints),
    # nside, theta of the rings; n, directions, pixels, weights
    "ring_thetas": (_int, _floats),
    "interp_ring": (_int, _floats, _int, _floats, _ints, _floats),
    # nside, theta of the rings; n, directions; n_t, attitude, has_horizon; dense; stop, row,
    # weight, status
    "local_weights": (
        *(_int, _floats, _int, _floats, _int, _floats, _int, _floats),
        *(_ints, _ints, _floats, _bytes),
    ),
    # n, n_neighbours, pixels, shares; dense; stop, row, weight
    "merge_weights": (_int, _int, _ints, _floats, _floats, _ints, _ints, _floats),
    # n_hit, rows, totals; n, stop, row, weight; unit_counts, total
    "add_rows": (_int, _singles, _floats, _int, _ints, _ints, _floats, _floats, _floats),
    # n_hit, counts, background; n, unit_counts, total; options, room; results, n_iter, status
    "fit_block": (
        *(_int, _floats, _floats, _int, _floats, _floats),
        *(_options, _floats, _floats, _shorts, _bytes),
    ),
    # n_hit, counts, background; rows, totals; n, stop, row, weight; options, room; results, n_iter,
    # status
    "fit_rows": (
        *(_int, _floats, _floats, _singles, _floats, _int, _ints, _ints, _floats),
        *(_options, _floats, _floats, _shorts, _bytes),
    ),
    # counts, background; n, stop, bin, unit_counts, total, most; options, room; results, n_iter,
    # status
    "fit_sparse": (
        *(_floats, _floats, _int, _ints, _ints, _floats, _floats, _floats),
        *(_options, _floats, _floats, _shorts, _bytes),
    ),
    # n, directions, group, range_stop, ranges; places, flux_density, psf_node, exposure_node;
    # n_energy, exposure; n_column, step, psf, reach2, most2; stop, bin, unit_counts
    "event_counts": (
        *(_int, _floats, _ints, _ints, _ints, _floats, _floats, _floats, _floats, _int, _floats),
        *(_int, _float, _floats, _floats, _float, _ints, _ints, _floats),
    ),
    # n, directions, group, range_stop, ranges; n_vertex, vertices, shape, bin_stop, bin_band;
    # yields; band_stop, band_component, band_share; n_component, n_column, step, core, contained,
    # density, reach, far; room, lists; stop, bin, unit_counts
    "pixel_counts": (
        *(_int, _floats, _ints, _ints, _ints, _int, _floats, _floats, _ints, _ints),
        *(_floats, _ints, _ints, _floats, _int, _int, _float, _float, _floats, _floats, _floats),
        *(_float, _floats, _ints, _ints, _ints, _floats),
    ),
    # n, directions; n_edge, edges, inside; n_component, n_column, step, core, contained, reach,
    # every; room; contained_part
    "border_containment": (
        *(_int, _floats, _int, _floats, _floats, _int, _int, _float, _float, _floats, _floats),
        *(_ints, _floats, _floats),
    ),
    # n_pixel, n_part, directions, source; n_angle, n_column, table; image
    "add_cones": (_int, _int, _floats, _floats, _int, _int, _singles, _singles),
}
_NO_RESULT = (
    *("nest_to_ring", "ring_to_nest", "nest_to_vec", "ring_to_vec", "vec_to_nest", "vec_to_ring"),
    *("ring_thetas", "interp_ring", "add_rows", "fit_block", "fit_rows", "fit_sparse"),
    *("add_cones", "border_containment"),
)


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
    for name, arguments in _ARGUMENTS.items():
        function = getattr(library, name)
        function.argtypes = arguments
        function.restype = None if name in _NO_RESULT else _int
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


kernels = load_best()
"""The functions, for this processor."""
