"""Open a response of any kind."""

from collections.abc import Iterator
from contextlib import contextmanager

import h5py
import numpy as np

from skyquilt.errors import InputError, SkyquiltError
from skyquilt.instruments.compton.event_files.tra import refuse_tra
from skyquilt.instruments.compton.paths import check_file
from skyquilt.instruments.compton.response.model import Response
from skyquilt.instruments.compton.response.point_source import read_point_source
from skyquilt.instruments.compton.response.version1 import read_version_1
from skyquilt.instruments.compton.response.version2 import read_version_2
from skyquilt.io.hdf5_file import open_to_read
from skyquilt.io.reading import describe

_READERS = {1: read_version_1, 2: read_version_2}


@contextmanager
def open_response(path: str) -> Iterator[Response]:
    """Open a response of any kind; the content tells which.

    Raises
    ------
    InputError
        If the file is missing, damaged, or no response this program knows.
    """
    check_file(path, "a response")
    refuse_tra(path, "a response")
    try:
        file = open_to_read(path)
    except OSError as error:
        raise InputError(f"{path}: not a whole HDF5 file ({error}); fetch it again.") from error
    with file:
        try:
            response = _describe(file, path)
        except KeyError as error:
            raise InputError(f"{path}: incomplete response: {error.args[0]}.") from error
        except SkyquiltError:
            raise
        except Exception as error:  # of many kinds
            raise InputError(f"{path}: damaged response: {describe(error)}.") from error
        _check_energies("Ei", response.ei_edges, path)
        _check_energies("Em", response.space.em_edges, path)
        _check_overlap(response.ei_edges, response.space.em_edges, path)
        yield response


def _check_energies(name: str, edges: np.ndarray, path: str) -> None:
    if not (edges.size >= 2 and edges[0] > 0 and np.all(np.diff(edges) > 0)):
        raise InputError(
            f"{path}: edges of axis {name} must be above 0 keV and ascend; they are {edges} keV."
        )


def _check_overlap(ei_edges: np.ndarray, em_edges: np.ndarray, path: str) -> None:
    """True and measured energies without anything in common are in a wrong unit."""
    if ei_edges[-1] <= em_edges[0] or em_edges[-1] <= ei_edges[0]:
        raise InputError(
            f"{path}: true energies (Ei) of {ei_edges[0]:g} to {ei_edges[-1]:g} keV and measured "
            f"ones (Em) of {em_edges[0]:g} to {em_edges[-1]:g} keV have nothing in common: mend "
            "the unit of one of the axes."
        )


def _describe(file: h5py.File, path: str) -> Response:
    if "DRM" in file:
        version = int(file["DRM"].attrs.get("VERSION", 1))
        if version not in _READERS:
            raise InputError(
                f"{path}: detector response of version {version}; known are 1 and 2: use a later "
                "skyquilt, or write it in an older layout."
            )
        return _READERS[version](file["DRM"], path)
    if "hist" in file:
        return read_point_source(file["hist"], path)
    raise InputError(
        f"{path}: neither a detector response (group 'DRM') nor a point source response (group "
        f"'hist'); it has {', '.join(file) or 'nothing'}."
    )
