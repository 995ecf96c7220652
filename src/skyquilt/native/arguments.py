"""Functions of the kernels: made of interface.h by generate.py, not to be edited."""

import ctypes
from collections.abc import Mapping
from typing import Any, ClassVar

from skyquilt.native.arrays import FLOAT32, FLOAT64, INT32, INT64, UINT8, UINT16, Arguments

INTERFACE = 16
"""Number of the set of functions and arguments."""


class KernelOptions(Arguments):
    """`kernel_options` of interface.h."""

    _fields_ = (
        ("allow_negative", ctypes.c_int64),
        ("has_limits", ctypes.c_int64),
        ("is_free", ctypes.c_int64),
        ("max_iter", ctypes.c_int64),
        ("tolerance", ctypes.c_double),
        ("confidence_level", ctypes.c_double),
        ("counts_total", ctypes.c_double),
        ("background_total", ctypes.c_double),
    )
    arrays: ClassVar = {}


class NearbyItems(Arguments):
    """`nearby_items` of interface.h."""

    _fields_ = (
        ("group", ctypes.c_void_p),
        ("indptr", ctypes.c_void_p),
        ("ranges", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "group": INT64,
        "indptr": INT64,
        "ranges": INT64,
    }


class EntryLists(Arguments):
    """`entry_lists` of interface.h."""

    _fields_ = (
        ("indptr", ctypes.c_void_p),
        ("column", ctypes.c_void_p),
        ("value", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "indptr": INT64,
        "column": INT64,
        "value": FLOAT64,
    }


class HitEvents(Arguments):
    """`hit_events` of interface.h."""

    _fields_ = (
        ("directions", ctypes.c_void_p),
        ("flux_density", ctypes.c_void_p),
        ("psf_node", ctypes.c_void_p),
        ("exposure_node", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "directions": FLOAT64,
        "flux_density": FLOAT64,
        "psf_node": FLOAT64,
        "exposure_node": FLOAT64,
    }


class EventSpread(Arguments):
    """`event_spread` of interface.h."""

    _fields_ = (
        ("n_column", ctypes.c_int64),
        ("step", ctypes.c_double),
        ("most2", ctypes.c_double),
        ("density", ctypes.c_void_p),
        ("reach2", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "density": FLOAT64,
        "reach2": FLOAT64,
    }


class ImagePixels(Arguments):
    """`image_pixels` of interface.h."""

    _fields_ = (
        ("n_vertex", ctypes.c_int64),
        ("vertices", ctypes.c_void_p),
        ("shapes", ctypes.c_void_p),
        ("bin_stop", ctypes.c_void_p),
        ("bin_band", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "vertices": FLOAT64,
        "shapes": FLOAT64,
        "bin_stop": INT64,
        "bin_band": INT64,
    }


class SpreadTables(Arguments):
    """`spread_tables` of interface.h."""

    _fields_ = (
        ("n_component", ctypes.c_int64),
        ("n_column", ctypes.c_int64),
        ("step", ctypes.c_double),
        ("core", ctypes.c_double),
        ("far", ctypes.c_double),
        ("contained", ctypes.c_void_p),
        ("density", ctypes.c_void_p),
        ("reach", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "contained": FLOAT64,
        "density": FLOAT64,
        "reach": FLOAT64,
    }


class BandWeights(Arguments):
    """`band_weights` of interface.h."""

    _fields_ = (
        ("indptr", ctypes.c_void_p),
        ("component", ctypes.c_void_p),
        ("weight", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "indptr": INT64,
        "component": INT64,
        "weight": FLOAT64,
    }


class ConcaveCounts(Arguments):
    """`concave_counts` of interface.h."""

    _fields_ = (
        ("n_hit", ctypes.c_int64),
        ("n", ctypes.c_int64),
        ("observed", ctypes.c_void_p),
        ("fixed", ctypes.c_void_p),
        ("columns", ctypes.c_void_p),
        ("totals", ctypes.c_void_p),
        ("center", ctypes.c_void_p),
        ("weight", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "observed": FLOAT64,
        "fixed": FLOAT64,
        "columns": FLOAT64,
        "totals": FLOAT64,
        "center": FLOAT64,
        "weight": FLOAT64,
    }


class CameraPixels(Arguments):
    """`camera_pixels` of interface.h."""

    _fields_ = (
        ("n_pixel", ctypes.c_int64),
        ("indptr", ctypes.c_void_p),
        ("neighbour", ctypes.c_void_p),
        ("x", ctypes.c_void_p),
        ("y", ctypes.c_void_p),
        ("area", ctypes.c_void_p),
        ("diameter", ctypes.c_void_p),
        ("ring", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "indptr": INT64,
        "neighbour": INT64,
        "x": FLOAT64,
        "y": FLOAT64,
        "area": FLOAT64,
        "diameter": FLOAT64,
        "ring": UINT8,
    }


class Readout(Arguments):
    """`readout` of interface.h."""

    _fields_ = (
        ("extractor", ctypes.c_int64),
        ("n_gain", ctypes.c_int64),
        ("n_sample", ctypes.c_int64),
        ("width", ctypes.c_int64),
        ("shift", ctypes.c_int64),
        ("own_weight", ctypes.c_int64),
        ("peak", ctypes.c_int64),
        ("gain_threshold", ctypes.c_double),
        ("rate", ctypes.c_double),
        ("correction", ctypes.c_void_p),
        ("pedestal", ctypes.c_void_p),
        ("factor", ctypes.c_void_p),
        ("time_shift", ctypes.c_void_p),
        ("broken", ctypes.c_void_p),
    )
    arrays: ClassVar = {
        "correction": FLOAT64,
        "pedestal": FLOAT32,
        "factor": FLOAT32,
        "time_shift": FLOAT32,
        "broken": UINT8,
    }


class TailCuts(Arguments):
    """`tail_cuts` of interface.h."""

    _fields_ = (
        ("neighbours", ctypes.c_int64),
        ("keep_isolated", ctypes.c_int64),
        ("picture", ctypes.c_double),
        ("boundary", ctypes.c_double),
    )
    arrays: ClassVar = {}


ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "interface_version": {},
    "processor_level": {},
    "nest_to_ring": {
        "nside": ctypes.c_int64,
        "n": ctypes.c_int64,
        "nest": INT64,
        "ring": INT64,
    },
    "ring_to_nest": {
        "nside": ctypes.c_int64,
        "n": ctypes.c_int64,
        "ring": INT64,
        "nest": INT64,
    },
    "nest_to_vec": {
        "nside": ctypes.c_int64,
        "n": ctypes.c_int64,
        "ipix": INT64,
        "vec": FLOAT64,
    },
    "ring_to_vec": {
        "nside": ctypes.c_int64,
        "n": ctypes.c_int64,
        "ipix": INT64,
        "vec": FLOAT64,
    },
    "vec_to_nest": {
        "nside": ctypes.c_int64,
        "n": ctypes.c_int64,
        "vec": FLOAT64,
        "ipix": INT64,
    },
    "vec_to_ring": {
        "nside": ctypes.c_int64,
        "n": ctypes.c_int64,
        "vec": FLOAT64,
        "ipix": INT64,
    },
    "ring_thetas": {
        "nside": ctypes.c_int64,
        "theta": FLOAT64,
    },
    "interp_ring": {
        "nside": ctypes.c_int64,
        "ring_theta": FLOAT64,
        "n": ctypes.c_int64,
        "vec": FLOAT64,
        "ipix": INT64,
        "weight": FLOAT64,
    },
    "local_weights": {
        "nside": ctypes.c_int64,
        "ring_theta": FLOAT64,
        "n": ctypes.c_int64,
        "directions": FLOAT64,
        "n_t": ctypes.c_int64,
        "attitude": FLOAT64,
        "has_horizon": ctypes.c_int64,
        "dense": FLOAT64,
        "to": ctypes.POINTER(EntryLists),
        "status": UINT8,
    },
    "merge_weights": {
        "n": ctypes.c_int64,
        "n_neighbours": ctypes.c_int64,
        "ipix": INT64,
        "fraction": FLOAT64,
        "dense": FLOAT64,
        "to": ctypes.POINTER(EntryLists),
    },
    "add_rows": {
        "n_hit": ctypes.c_int64,
        "rows": FLOAT32,
        "totals": FLOAT64,
        "n": ctypes.c_int64,
        "indptr": INT64,
        "row": INT64,
        "weight": FLOAT64,
        "unit_counts": FLOAT64,
        "total": FLOAT64,
    },
    "fit_block": {
        "n_hit": ctypes.c_int64,
        "counts": FLOAT64,
        "background": FLOAT64,
        "n": ctypes.c_int64,
        "unit_counts": FLOAT64,
        "total": FLOAT64,
        "options": ctypes.POINTER(KernelOptions),
        "room": FLOAT64,
        "results": FLOAT64,
        "n_iter": INT32,
        "status": UINT8,
    },
    "fit_rows": {
        "n_hit": ctypes.c_int64,
        "counts": FLOAT64,
        "background": FLOAT64,
        "rows": FLOAT32,
        "totals": FLOAT64,
        "n": ctypes.c_int64,
        "indptr": INT64,
        "row": INT64,
        "weight": FLOAT64,
        "options": ctypes.POINTER(KernelOptions),
        "room": FLOAT64,
        "results": FLOAT64,
        "n_iter": INT32,
        "status": UINT8,
    },
    "fit_sparse": {
        "counts": FLOAT64,
        "background": FLOAT64,
        "n": ctypes.c_int64,
        "indptr": INT64,
        "bin": INT64,
        "unit_counts": FLOAT64,
        "total": FLOAT64,
        "most": FLOAT64,
        "options": ctypes.POINTER(KernelOptions),
        "room": FLOAT64,
        "results": FLOAT64,
        "n_iter": INT32,
        "status": UINT8,
    },
    "event_counts": {
        "n": ctypes.c_int64,
        "directions": FLOAT64,
        "near": ctypes.POINTER(NearbyItems),
        "events": ctypes.POINTER(HitEvents),
        "psf": ctypes.POINTER(EventSpread),
        "n_energy": ctypes.c_int64,
        "exposure": FLOAT64,
        "to": ctypes.POINTER(EntryLists),
    },
    "pixel_counts": {
        "n": ctypes.c_int64,
        "directions": FLOAT64,
        "near": ctypes.POINTER(NearbyItems),
        "image": ctypes.POINTER(ImagePixels),
        "tables": ctypes.POINTER(SpreadTables),
        "to_band": ctypes.POINTER(BandWeights),
        "yields": FLOAT64,
        "room": FLOAT64,
        "lists": INT64,
        "to": ctypes.POINTER(EntryLists),
    },
    "border_containment": {
        "n": ctypes.c_int64,
        "directions": FLOAT64,
        "n_edge": ctypes.c_int64,
        "edges": FLOAT64,
        "inside": FLOAT64,
        "tables": ctypes.POINTER(SpreadTables),
        "every": INT64,
        "room": FLOAT64,
        "contained_part": FLOAT64,
    },
    "add_cones": {
        "n_pixel": ctypes.c_int64,
        "n_part": ctypes.c_int64,
        "directions": FLOAT64,
        "source": FLOAT64,
        "n_angle": ctypes.c_int64,
        "n_column": ctypes.c_int64,
        "table": FLOAT32,
        "image": FLOAT32,
    },
    "cell_weights": {
        "nside": ctypes.c_int64,
        "ring_theta": FLOAT64,
        "n_sample": ctypes.c_int64,
        "directions": FLOAT64,
        "seconds": FLOAT64,
        "group": INT64,
        "column": INT64,
        "n_column": ctypes.c_int64,
        "weight": FLOAT64,
    },
    "cell_sums": {
        "n_view": ctypes.c_int64,
        "n_cell": ctypes.c_int64,
        "indptr": INT64,
        "n_row": ctypes.c_int64,
        "weight": FLOAT64,
        "rows": FLOAT64,
        "sums": FLOAT64,
    },
    "cell_slopes": {
        "n_cell": ctypes.c_int64,
        "indptr": INT64,
        "counts": FLOAT64,
        "mu": FLOAT64,
        "n_name": ctypes.c_int64,
        "slopes": FLOAT64,
        "room": FLOAT64,
        "gradient": FLOAT64,
        "curvature": FLOAT64,
    },
    "maximise_concave": {
        "counts": ctypes.POINTER(ConcaveCounts),
        "m": ctypes.c_int64,
        "held": UINT8,
        "values": FLOAT64,
        "loglike": FLOAT64,
        "slope": FLOAT64,
        "has_converged": UINT8,
        "room": FLOAT64,
    },
    "decode_samples": {
        "n_byte": ctypes.c_int64,
        "bytes": UINT8,
        "n_trace": ctypes.c_int64,
        "n_sample": ctypes.c_int64,
        "samples": UINT16,
    },
    "extract_charges": {
        "n": ctypes.c_int64,
        "camera": ctypes.POINTER(CameraPixels),
        "options": ctypes.POINTER(Readout),
        "samples": UINT16,
        "room": FLOAT32,
        "charge": FLOAT32,
        "time": FLOAT32,
        "gain": UINT8,
    },
    "clean_images": {
        "n": ctypes.c_int64,
        "camera": ctypes.POINTER(CameraPixels),
        "cuts": ctypes.POINTER(TailCuts),
        "charge": FLOAT32,
        "room": UINT8,
        "mask": UINT8,
    },
    "image_parameters": {
        "n": ctypes.c_int64,
        "camera": ctypes.POINTER(CameraPixels),
        "min_pixels": ctypes.c_int64,
        "n_start": ctypes.c_int64,
        "seed": INT64,
        "charge": FLOAT32,
        "time": FLOAT32,
        "mask": UINT8,
        "room": FLOAT64,
        "lists": INT64,
        "parameters": FLOAT64,
    },
    "stereo_showers": {
        "n": ctypes.c_int64,
        "indptr": INT64,
        "ellipse": FLOAT64,
        "weight": FLOAT64,
        "pointing": FLOAT64,
        "position": FLOAT64,
        "array": FLOAT64,
        "psi": FLOAT64,
        "showers": FLOAT64,
    },
}
"""Types of the arguments of each function, by their names."""

WITH_RESULT = frozenset(
    {
        "interface_version",
        "processor_level",
        "local_weights",
        "merge_weights",
        "event_counts",
        "pixel_counts",
        "decode_samples",
    }
)
"""Functions that return a number; the others return nothing."""
