"""Kinds of file, and the verbs that read each."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from astropy.io import fits

from fuzzing.bytes_changes import byte_changes
from fuzzing.change import Change, of_bytes
from fuzzing.fits_changes import fits_changes
from fuzzing.hdf5_changes import hdf5_changes
from fuzzing.materials import CALIBRATE, CATALOGUES, PLOT, PRODUCT, REPORT, fit_verbs
from fuzzing.text_changes import json_changes, text_changes, yaml_changes

_P = "results/product"


class Kind(NamedTuple):
    """A kind of file.

    Attributes
    ----------
    name : str
        Its name.
    path : str
        The good one, in the folder of materials; a pattern where its name is a digest.
    verbs : tuple of str
        Command lines, one after the other, of which at least one reads it.
    number : callable
        What the verbs made of it, without times and the like; called in the folder.
    is_product : bool
        Whether skyquilt made it, with checksums: then no other number may come out.
    codes : tuple of int
        Exit codes of a refusal.
    answers : tuple of int
        Exit codes of an answer.
    before : tuple of str
        Command lines that make it, where it holds for one folder only.
    """

    name: str
    path: str
    verbs: tuple[str, ...]
    number: Callable[[], Any]
    is_product: bool = False
    codes: tuple[int, ...] = (2,)
    answers: tuple[int, ...] = (0,)
    before: tuple[str, ...] = ()

    def changes(self, folder: Path, n_changes: int, rng: np.random.Generator) -> list[Change]:
        """Changes to try: half of what the file means, half of its bytes."""
        path = next(folder.glob(self.path))
        meant = list(_meant(path, rng))
        chosen = [meant[index] for index in rng.permutation(len(meant))]
        n_meant = min(len(chosen), n_changes - n_changes // 3)
        plain = list(byte_changes(path.stat().st_size, n_changes, rng))
        return chosen[:n_meant] + plain[: n_changes - n_meant]


def _meant(path: Path, rng: np.random.Generator) -> Iterator[Change]:
    """Changes of what a file means."""
    match path.suffix:
        case ".h5" | ".hdf5":
            yield from hdf5_changes(path)
        case ".fits":
            yield from fits_changes(path)
            yield _packed()
        case ".gz":
            yield from _inside_gzip(path, rng)
        case ".json":
            yield from json_changes(path)
        case ".yaml":
            yield from yaml_changes(path)
            yield from text_changes(path, rng)
        case ".png" | ".pdf":
            pass
        case _:
            yield from text_changes(path, rng)


def _packed() -> Change:
    return of_bytes("packed with gzip under the same name", gzip.compress)


def _inside_gzip(path: Path, rng: np.random.Generator) -> Iterator[Change]:
    """Changes of what a packed file holds."""
    plain = path.with_suffix("")
    plain.write_bytes(gzip.decompress(path.read_bytes()))

    def packed(change: Change) -> Change:
        def apply(target: Path) -> None:
            inner = target.with_name(f"unpacked-{plain.name}")
            inner.write_bytes(gzip.decompress(target.read_bytes()))
            change.apply(inner)
            target.unlink()
            target.write_bytes(gzip.compress(inner.read_bytes()))
            inner.unlink()

        return Change(change.name, apply, change.is_equal)

    try:
        yield from map(packed, list(_meant(plain, rng)))
    finally:
        plain.unlink()


# --- what comes out ---


def _maps(analysis: str) -> Callable[[], Any]:
    """Numbers of the maps of `_fit`."""

    def number() -> Any:
        with fits.open(f"out/{analysis}/maps.fits") as file:
            table = file[1].data
            return [float(np.nansum(table[name])) for name in ("TS", "FLUX", "FLUX_UL")]

    return number


def _nothing() -> str:
    """For verbs whose results have no numbers of their own: pages, figures."""
    return "done"


def _chunk() -> Any:
    with h5py.File("out/chunk.h5") as file:
        return [float(np.nansum(file[name][()])) for name in ("ts", "flux", "flux_ul")]


def _table(path: str) -> Callable[[], Any]:
    def number() -> Any:
        with fits.open(path) as file:
            table = file[1].data
            names = [name for name in table.names if table[name].dtype.kind in "fi"]
            return [float(np.nansum(np.asarray(table[name], float))) for name in names]

    return number


def _binned(name: str) -> Callable[[], Any]:
    """Counts of a histogram, and where they lie."""

    def number() -> Any:
        with h5py.File(f"data/{name}_binned.h5") as file:
            cells = file["hist/contents"]
            return [cells["data"][()].tolist(), cells["coords"][()].tolist()]

    return number


def _summary() -> Any:
    content = json.loads(Path("out/summary.json").read_text())
    return [content["best_pixel"], content["credible"], content["containment"]]


def _calibration() -> Any:
    content = json.loads(Path("out/calibration.json").read_text())
    return {
        key: value
        for key, value in content.items()
        if key not in ("provenance", "sha256", "stages")
    }


def _text() -> Any:
    return Path("stdout.txt").read_text()


def _content(path: str) -> Callable[[], Any]:
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


# --- the kinds ---


def _input(name: str, path: str, analysis: str) -> Kind:
    return Kind(name, path, fit_verbs(analysis), _maps(analysis))


def _known(ending: str) -> Kind:
    """A catalogue: what the sources are compared with."""
    common, out = f"--config config.yaml --analysis known-{ending}", f"out/known-{ending}"
    return Kind(
        f"catalogue {ending}",
        f"imaging/known.{ending}",
        (
            f"sources {common} --problem {out}/problem.h5 --maps {out}/maps.fits"
            " --output out/sources.ecsv",
        ),
        _table("out/sources.fits"),
    )


def _product(name: str, path: str, verb: str, number: Callable[[], Any], **options: Any) -> Kind:
    return Kind(name, f"{_P}/{path}", (verb,), number, is_product=True, **options)


def _verified(path: str) -> Kind:
    """A product as `verify` sees it, which says on its standard output what is not whole."""
    full = f"{_P}/{path}"
    verbs = ("verify results", "status results")
    return Kind(f"verify {path}", full, verbs, _content(full), is_product=True, codes=(1, 2))


def _chunk_of_product() -> str:
    return (
        f"fit-chunk --problem {_P}/problem.h5 --plan {_P}/plan.json --chunk 0 --output out/chunk.h5"
    )


_LOCALISE = (
    f"localise {PRODUCT} --problem {_P}/problem.h5 --maps {_P}/maps.fits"
    f" --refined {_P}/refined.fits --output out"
)
_REFINE = (
    f"refine {PRODUCT} --problem {_P}/problem.h5 --maps {_P}/maps.fits --output out/refined.fits"
)
_MERGE = (
    f"merge --problem {_P}/problem.h5 --plan {_P}/plan.json --output out/maps.fits"
    f" {_P}/chunks/000-of-003.h5 {_P}/chunks/001-of-003.h5 {_P}/chunks/002-of-003.h5"
)
_CONTAINS = f"contains --skymap {_P}/skymap.multiorder.fits --lon 93 --lat -53 --frame galactic"
_BINNED = "--config config.yaml --binning"

KINDS = (
    # of Compton telescopes
    _input("counts dense", "data/burst_dense.h5", "dense"),
    _input("counts sparse", "data/burst_coo.h5", "coo"),
    _input("background", "data/background.h5", "local"),
    _input("response dense", "data/response.h5", "local"),
    _input("response sparse", "data/response_sparse.h5", "sparse"),
    _input("response 2", "data/response_version2.h5", "version2"),
    _input("response galactic", "data/response_galactic.h5", "galactic"),
    _input("orientation", "data/orientation.ori", "local"),
    Kind(
        "events HDF5",
        "data/steady_events.hdf5",
        (f"bin-events {_BINNED} steady",),
        _binned("steady"),
    ),
    Kind(
        "events FITS",
        "data/steady_events.fits.gz",
        (f"bin-events {_BINNED} fits",),
        _binned("fits"),
    ),
    # of imaging telescopes
    _input("photons", "imaging/events.fits", "events"),
    _input("counts HEALPix", "imaging/counts.fits", "cube"),
    _input("background HEALPix", "imaging/background.fits", "cube"),
    _input("counts WCS", "imaging/wcs_counts.fits", "wcs"),
    _input("background WCS", "imaging/wcs_background.fits", "wcs"),
    _input("exposure", "imaging/exposure.fits", "cube"),
    _input("point spread", "imaging/psf.fits", "cube"),
    _input("MapDataset", "imaging/dataset.fits", "dataset"),
    _input("HEALPix dataset", "imaging/pixels.fits", "pixels"),
    *map(_known, CATALOGUES),
    # what skyquilt is told, and keeps
    Kind("configuration", "small.yaml", ("check --config small.yaml",), _text),
    Kind("configuration run", "small.yaml", ("run --config small.yaml --threads 1",), _nothing),
    Kind(
        "table",
        "cache/tables/*.h5",
        fit_verbs("local"),
        _maps("local"),
        is_product=True,
        codes=(1, 2),
    ),
    Kind(
        "digest note",
        "cache/digests/*.sha256",
        fit_verbs("local"),
        _maps("local"),
        is_product=True,
        codes=(1, 2),  # what cannot be written in the cache is an error of output
        before=fit_verbs("local"),
    ),
    # its products, read by the next step
    _product("problem.h5", "problem.h5", _chunk_of_product(), _chunk),
    _product("plan.json", "plan.json", _chunk_of_product(), _chunk),
    _product("plan.json merged", "plan.json", _MERGE, _table("out/maps.fits")),
    _product("chunk", "chunks/001-of-003.h5", _MERGE, _table("out/maps.fits")),
    _product("maps.fits refined", "maps.fits", _REFINE, _table("out/refined.fits")),
    _product("maps.fits", "maps.fits", _LOCALISE, _summary),
    _product("refined.fits", "refined.fits", _LOCALISE, _summary),
    _product("sky map", "skymap.multiorder.fits", _CONTAINS, _text, answers=(0, 3)),
    _product("sky map plotted", "skymap.multiorder.fits", PLOT, _nothing),
    _product(
        "model.h5",
        "model.h5",
        f"simulate-skies {PRODUCT} --model {_P}/model.h5 --kind null --job 0 --output out/skies.h5",
        _nothing,
    ),
    _product(
        "skies",
        "skies/null-0.h5",
        CALIBRATE,
        _calibration,
    ),
    *(
        _product(f"{name} reported", name, REPORT, _nothing)
        for name in (
            "summary.json",
            "maps.fits",
            "sources.fits",
            "sources.ecsv",
            "calibration.json",
            "plots/figures.json",
            "plots/ts.png",
        )
    ),
    *map(
        _verified,
        (
            "config.yaml",
            "table.json",
            "problem.h5",
            "plan.json",
            "chunks/001-of-003.h5",
            "maps.fits",
            "refined.fits",
            "skymap.multiorder.fits",
            "skymap.fits",
            "summary.json",
            "sources.fits",
            "sources.ecsv",
            "calibration.json",
            "calibration.h5",
            "model.h5",
            "plots/figures.json",
            "plots/ts.png",
            "plots/ts.pdf",
            "report.html",
            "regions/credible-90.reg",
            "regions/credible-90.fits",
        ),
    ),
)
"""All kinds, in the order of the table."""
