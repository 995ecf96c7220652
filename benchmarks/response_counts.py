"""The simulated detector response once more, as cosipy has written it since mid 2025."""

from pathlib import Path

import astropy.units as u
import h5py
import hdf5plugin
import numpy as np
from histpy import Axes, Axis, HealpixAxis
from scoords import SpacecraftFrame

LARGEST = np.iinfo(np.uint16).max


def write_response_of_counts(dense: Path, path: Path) -> None:
    """Write a response of integer counts, each of an area that depends on the true energy.

    Parameters
    ----------
    dense : Path
        Response in the dense layout of cosipy up to 0.3.4, contents in cm2.
    path : Path
        File to write: a chunk for each direction and true energy, compressed with Bitshuffle.
    """
    with h5py.File(dense) as old, h5py.File(path, "w") as new:
        contents = old["DRM/CONTENTS"]
        area = _largest(contents) / LARGEST
        drm = new.create_group("DRM")
        drm.attrs.update(VERSION=2, UNIT="cm2", SPARSE=False)
        _axes(old["DRM/AXES"]).write(drm.create_group("AXES", track_order=True))
        drm["EFF_AREA"] = area
        counts = drm.create_dataset(
            "COUNTS",
            contents.shape,
            dtype=np.uint16,
            chunks=(1, 1, *contents.shape[2:]),
            **hdf5plugin.Bitshuffle(),
        )
        for ipix in range(len(contents)):
            counts[ipix] = np.rint(contents[ipix] / area[:, None, None, None])


def _largest(contents: h5py.Dataset) -> np.ndarray:
    """Largest bin of each true energy [cm2]."""
    rows = [contents[ipix].max(axis=(1, 2, 3)) for ipix in range(len(contents))]
    return np.max(rows, axis=0).astype(np.float64)


def _axes(group: h5py.Group) -> Axes:
    local = SpacecraftFrame()
    nside = {name: int(group[name].attrs["NSIDE"]) for name in ("NuLambda", "PsiChi")}
    return Axes(
        [
            HealpixAxis(nside["NuLambda"], coordsys=local, label="NuLambda"),
            Axis(group["Ei"][:] * u.keV, label="Ei", scale="log"),
            Axis(group["Em"][:] * u.keV, label="Em", scale="log"),
            Axis(group["Phi"][:] * u.deg, label="Phi"),
            HealpixAxis(nside["PsiChi"], coordsys=local, label="PsiChi"),
        ]
    )
