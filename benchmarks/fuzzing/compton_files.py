"""Layouts of Compton telescopes that the simulator does not write, made from the files it does."""

import gzip
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy.io import fits

_AXES = ("NuLambda", "Ei", "Em", "Phi", "PsiChi")


def write_compton_files(folder: Path, start_s: float) -> None:
    """Write them from the files of a simulation.

    Parameters
    ----------
    folder : Path
        Folder of the simulation.
    start_s : float
        When its data begin [UNIX s].
    """
    with h5py.File(folder / "response.h5") as file:
        drm = file["DRM"]
        axes = [(name, drm["AXES"][name][:], dict(drm["AXES"][name].attrs)) for name in _AXES]
        area = drm["CONTENTS"][:]
    _write_sparse(folder / "response_sparse.h5", axes, area)
    _write_version_2(folder / "response_version2.h5", axes, area)
    _write_dense_and_coo(folder)
    for name in ("burst", "background"):
        _write_histpy_1(folder / f"{name}.h5", folder / f"{name}_histpy1.h5")
    _write_orientation(folder / "orientation.ori", folder / "orientation.fits")
    pointed = _event_list(start_s, ["GX 90 0", "GZ 0 0"])
    (folder / "events.tra").write_bytes(pointed)
    (folder / "unpointed.tra.gz").write_bytes(gzip.compress(_event_list(start_s, [])))


def _write_sparse(path: Path, axes: list, area: np.ndarray) -> None:
    with h5py.File(path, "w") as file:
        drm = file.create_group("DRM")
        drm.attrs.update(UNIT="cm2", SPARSE=True)
        group = drm.create_group("AXES", track_order=True)
        for name, edges, attributes in axes:
            group.create_dataset(name, data=edges).attrs.update(attributes)
        values = drm.create_dataset("CONTENTS", (len(area),), h5py.vlen_dtype(np.float64))
        numbers = drm.create_dataset("BIN_NUMBERS", (len(area),), h5py.vlen_dtype(np.int64))
        for row, block in enumerate(area):
            place = np.array(np.nonzero(block))
            numbers[row], values[row] = place.ravel(), block[tuple(place)]


def _write_version_2(path: Path, axes: list, area: np.ndarray) -> None:
    per_count = area.max(axis=(0, 2, 3, 4)) / 60000
    with h5py.File(path, "w") as file:
        drm = file.create_group("DRM")
        drm.attrs.update(UNIT="cm2", VERSION=2, SPARSE=False)
        group = drm.create_group("AXES")
        for index, (name, edges, old) in enumerate(axes):
            attributes = {"label": name, "scale": "linear", "__class__": ["histpy.axis", "Axis"]}
            if old["TYPE"] == "healpix":
                nside = int(np.sqrt((len(edges) - 1) / 12))
                attributes["__class__"] = ["histpy.healpix_axis", "HealpixAxis"]
                attributes |= {"nside": nside, "scheme": "ring", "coordsys": "spacecraftframe"}
            else:
                attributes["unit"] = old["UNIT"]
            group.create_dataset(str(index), data=edges).attrs.update(attributes)
        drm.create_dataset("EFF_AREA", data=per_count)
        counts = np.rint(area / per_count[:, None, None, None]).astype(np.uint16)
        drm.create_dataset(
            "COUNTS", data=counts, chunks=(1, 1, *area.shape[2:]), compression="gzip"
        )


def _write_dense_and_coo(folder: Path) -> None:
    from histpy import Histogram
    from sparse import COO

    burst = Histogram.open(folder / "burst.h5")
    dense = _dense(burst)
    for name, values in (("dense", dense), ("coo", COO.from_numpy(dense))):
        Histogram(burst.axes, contents=values).write(folder / f"burst_{name}.h5", overwrite=True)


def _dense(histogram: Any) -> np.ndarray:
    contents = histogram.contents
    return contents.todense() if hasattr(contents, "todense") else np.asarray(contents)


def _write_histpy_1(source: Path, target: Path) -> None:
    """A histogram with under- and overflow on all axes, HEALPix axes without a scale."""
    from histpy import Histogram

    histogram = Histogram.open(source)
    with h5py.File(target, "w") as file:
        hist = file.create_group("hist")
        hist.attrs["unit"] = ""
        hist["contents"] = np.pad(_dense(histogram), 1)
        axes = hist.create_group("axes", track_order=True)
        for number, axis in enumerate(histogram.axes):
            is_healpix = axis.label == "PsiChi"
            edges = getattr(axis.edges, "value", axis.edges)
            attributes = {"__class__": ["histpy.axis", "Axis"], "label": axis.label}
            attributes |= {} if is_healpix else {"scale": axis.axis_scale, "unit": str(axis.unit)}
            if is_healpix:
                attributes["__class__"] = ["histpy.healpix_axis", "HealpixAxis"]
                attributes |= {"nside": axis.nside, "scheme": "RING"}
                attributes["coordsys"] = "spacecraftframe"
            axes.create_dataset(str(number), data=np.asarray(edges)).attrs.update(attributes)


def _write_orientation(source: Path, target: Path) -> None:
    """The records of a text file as `SpacecraftHistory.write_fits` of cosipy 0.4 has them."""
    lines = (line.split() for line in source.read_text().splitlines())
    rows = np.array([line[1:] for line in lines if line[:1] == ["OG"]], float)
    columns = {
        "TimeStamp": ("D", "s", rows[:, 0]),
        "XPointings": ("2D", "deg", rows[:, [2, 1]]),
        "ZPointings": ("2D", "deg", rows[:, [4, 3]]),
        "EarthZenith": ("2D", "deg", rows[:, [7, 6]]),
        "Altitude": ("D", "km", rows[:, 5]),
        "LiveTime": ("D", "s", rows[:, 8]),
    }
    made = [fits.Column(key, form, unit, array=v) for key, (form, unit, v) in columns.items()]
    table = fits.BinTableHDU.from_columns(made)
    table.header["VERSION"] = "20260130"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(target, overwrite=True)


def _event_list(start_s: float, pointing: list[str]) -> bytes:
    """Events as MEGAlib writes them, each with these lines about its pointing."""
    rng = np.random.default_rng(1)
    lines = ["TYPE TRA", "", "VERSION 1", "# events", ""]
    for number in range(60):
        photon, electron = rng.uniform(60, 240, 2)
        lines += ["SE", "ET CO", f"ID {number}", f"TI {start_s + number / 2:.9f}"]
        lines += [*pointing, "SQ 2", "CT 0.1 0.2", f"CE {photon:.3f} 1.5   {electron:.3f} 1.1"]
        for interaction, place in enumerate(rng.uniform(-9, 9, (2, 3))):
            x, y, z = place.round(3)
            lines.append(f"CH {interaction} {x} {y} {z} 100 0 0.1 0.1 0.1 1 1e+15")
    return "\n".join([*lines, "EN", ""]).encode()
