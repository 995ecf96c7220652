"""What verbs made of a file, as numbers to compare: without times and the like."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy.io import fits


def maps_of(analysis: str) -> Callable[[], Any]:
    """Numbers of the maps of an analysis."""

    def number() -> Any:
        with fits.open(f"out/{analysis}/maps.fits") as file:
            table = file[1].data
            return [float(np.nansum(table[name])) for name in ("TS", "FLUX", "FLUX_UL")]

    return number


def nothing() -> str:
    """For verbs whose results have no numbers of their own: pages, figures."""
    return "done"


def chunk() -> Any:
    """Sums over the pixels of a chunk."""
    with h5py.File("out/chunk.h5") as file:
        return [float(np.nansum(file[name][()])) for name in ("ts", "flux", "flux_ul")]


def table_at(path: str) -> Callable[[], Any]:
    """Sums of the columns of a table."""

    def number() -> Any:
        with fits.open(path) as file:
            table = file[1].data
            names = [name for name in table.names if table[name].dtype.kind in "fi"]
            return [float(np.nansum(np.asarray(table[name], float))) for name in names]

    return number


def binned(name: str) -> Callable[[], Any]:
    """Counts of a histogram, and where they lie."""

    def number() -> Any:
        with h5py.File(f"data/{name}_binned.h5") as file:
            cells = file["hist/contents"]
            return [cells["data"][()].tolist(), cells["coords"][()].tolist()]

    return number


def plan() -> Any:
    """Pixels and chunks of the next step of a refinement."""
    content = json.loads(Path("out/1.json").read_text())
    return [content["ranges"], content["n_chunks"]]


def images_at(path: str) -> Callable[[], Any]:
    """Sums of images."""

    def number() -> Any:
        with fits.open(path) as file:
            data = (hdu.data for hdu in file if hdu.is_image and hdu.data is not None)
            return [float(np.nansum(values)) for values in data]

    return number


def summary() -> Any:
    """Pixel and regions of a localisation."""
    content = json.loads(Path("out/summary.json").read_text())
    return [content["best_pixel"], content["credible"], content["containment"]]


def calibration() -> Any:
    """All numbers of a calibration."""
    content = json.loads(Path("out/calibration.json").read_text())
    return {
        key: value
        for key, value in content.items()
        if key not in ("provenance", "sha256", "stages")
    }


def model_fit() -> Any:
    """Numbers of a fit of a model."""
    from skyquilt.model.file import read_fit

    found = read_fit("results/product/model/steady.h5")[0]
    return [found.status, found.log_likelihood, [[row.name, row.value] for row in found.rows]]


def model_samples() -> Any:
    """Draws of a model."""
    with h5py.File("results/product/model/steady-samples.h5") as file:
        return file["numbers"][()].tolist()


def comparisons() -> Any:
    """What fits of a model say of each other."""
    content = json.loads(Path("results/product/model/comparison.json").read_text())
    return [content["fits"], content["comparisons"]]


def text() -> Any:
    """What a verb printed."""
    return Path("stdout.txt").read_text()


def content_of(path: str) -> Callable[[], Any]:
    """What a file holds, whatever its layout: a whole one must hold what was written."""

    def number() -> Any:
        match Path(path).suffix:
            case ".h5":
                with h5py.File(path) as file:
                    found = {"/": _attributes(file)}
                    file.visititems(lambda name, item: found.__setitem__(name, _hdf5_item(item)))
                    return found
            case ".fits":
                with fits.open(path) as file:
                    return [_hdu(hdu) for hdu in file]
            case ".json":
                return json.loads(Path(path).read_text())
            case ".yaml":
                from skyquilt.config import load_config

                return load_config(path).model_dump(mode="json")
            case _:
                return Path(path).read_bytes().hex()

    return number


def _attributes(item: Any) -> dict[str, str]:
    return {key: repr(value) for key, value in item.attrs.items()}


def _hdf5_item(item: Any) -> Any:
    values = repr(item[()].tolist()) if isinstance(item, h5py.Dataset) else ""
    return [_attributes(item), values]


def _hdu(hdu: Any) -> Any:
    sums = ("CHECKSUM", "DATASUM", "")
    header = {key: str(value) for key, value in hdu.header.items() if key not in sums}
    return [header, "" if hdu.data is None else repr(hdu.data.tolist())]
