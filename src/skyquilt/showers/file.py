"""`runs/NAME.h5`: the showers and images of one run."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from skyquilt.io.hdf5 import get, new_hdf5, open_hdf5, put
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.showers.reconstruct import (
    EVENT_COLUMNS,
    IMAGE_COLUMNS,
    PixelImages,
    ReconstructedRun,
)

SCHEMA = Schema("skyquilt/showers", "1.0", "skyquilt showers reconstruct")

_PIXELS = {
    "indptr": ("", "pixels of image i: from indptr[i] to indptr[i + 1]"),
    "charge": ("p.e.", "charges"),
    "time": ("ns", "times of the pulses"),
    "mask": ("", "1 where a pixel is kept"),
}
_TELESCOPES = {
    "tel_id": ("", "number"),
    "position": ("m", "north, west, up"),
    "camera": ("", "name of the camera"),
    "optics": ("", "name of the optics"),
}


class ShowerTables(NamedTuple):
    """What is in a file.

    Attributes
    ----------
    obs_id : int
        Number of the run.
    n_lost_bytes : int
        Bytes at the end of a file that was cut; 0 of a whole one.
    events, images, telescopes : dict of str to ndarray
        Columns of the tables.
    pixels : PixelImages or None
        The images themselves, if they were kept.
    simulated : dict
        Settings of the simulation.
    """

    obs_id: int
    n_lost_bytes: int
    events: dict[str, np.ndarray]
    images: dict[str, np.ndarray]
    telescopes: dict[str, np.ndarray]
    pixels: PixelImages | None
    simulated: dict[str, Any]


def write_showers(path: str | Path, made: ReconstructedRun, provenance: Provenance) -> None:
    """Write the showers of a run.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with new_hdf5(path, SCHEMA, provenance) as file:
        file.attrs["obs_id"] = made.obs_id
        file.attrs["n_lost_bytes"] = sum(loss.n_byte for loss in made.run.loss)
        file.attrs["simulated"] = json.dumps(_plain(made.run.simulated))
        _put_table(file, "events", made.events, EVENT_COLUMNS)
        _put_table(file, "images", made.images, IMAGE_COLUMNS)
        _put_table(file, "telescopes", _telescopes(made), _TELESCOPES)
        if made.pixels is not None:
            _put_table(file, "pixels", vars(made.pixels), _PIXELS)


def read_showers(path: str | Path) -> ShowerTables:
    """Read what `write_showers` wrote.

    Raises
    ------
    ProductError
        If the file is missing, damaged, or of another kind or version.
    """
    with open_hdf5(path, SCHEMA) as file:
        pixels = None
        if "pixels" in file:
            names = [one.name for one in fields(PixelImages)]
            pixels = PixelImages(**{name: get(file["pixels"], name) for name in names})
        return ShowerTables(
            obs_id=int(file.attrs["obs_id"]),
            n_lost_bytes=int(file.attrs["n_lost_bytes"]),
            events=_get_table(file, "events", EVENT_COLUMNS),
            images=_get_table(file, "images", IMAGE_COLUMNS),
            telescopes=_get_table(file, "telescopes", _TELESCOPES),
            pixels=pixels,
            simulated=json.loads(file.attrs["simulated"]),
        )


def _put_table(
    file: h5py.File,
    name: str,
    table: dict[str, np.ndarray],
    columns: dict[str, tuple[str, str]],
) -> None:
    group = file.create_group(name)
    for column, (unit, description) in columns.items():
        put(group, column, table[column], unit, description)


def _get_table(
    file: h5py.File, name: str, columns: dict[str, tuple[str, str]]
) -> dict[str, np.ndarray]:
    return {column: get(file[name], column) for column in columns}


def _telescopes(made: ReconstructedRun) -> dict[str, np.ndarray]:
    telescopes = list(made.run.telescopes.values())
    return {
        "tel_id": np.array([one.tel_id for one in telescopes], dtype=np.int64),
        "position": np.array([one.position for one in telescopes]),
        "camera": np.array([one.camera.encode() for one in telescopes], dtype="S"),
        "optics": np.array([one.optics.encode() for one in telescopes], dtype="S"),
    }


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a simulation as plain numbers and texts; NaN becomes a text."""

    def plain(value: Any) -> Any:
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        if isinstance(value, np.ndarray):
            return [plain(one) for one in value.tolist()]
        if isinstance(value, np.generic):
            return plain(value.item())
        if isinstance(value, float) and not np.isfinite(value):
            return str(value)
        return value

    return {name: plain(value) for name, value in settings.items()}
