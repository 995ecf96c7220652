"""Kinds of file, and the verbs that read each."""

import os
from collections.abc import Callable
from typing import Any

from fuzzing import numbers
from fuzzing.kind import Kind
from fuzzing.materials import (
    CALIBRATE,
    CATALOGUES,
    DRAW,
    INDEX,
    JOIN,
    PLOT,
    PRODUCT,
    REPORT,
    STEP,
    fit_verbs,
)

_P = "results/product"


def _input(name: str, path: str, analysis: str) -> Kind:
    return Kind(name, path, fit_verbs(analysis), numbers.maps_of(analysis))


def _events(form: str, path: str, binning: str) -> Kind:
    verb = f"bin-events --config config.yaml --binning {binning}"
    return Kind(f"events {form}", path, (verb,), numbers.binned(binning))


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
        numbers.table_at("out/sources.fits"),
    )


def _product(name: str, path: str, verb: str, number: Callable[[], Any], **options: Any) -> Kind:
    return Kind(name, f"{_P}/{path}", (verb,), number, is_product=True, **options)


def _verified(path: str) -> Kind:
    """A product as `verify` sees it, which says on its standard output what is not whole."""
    full = os.path.normpath(f"{_P}/{path}")
    verbs = ("verify results", "status results")
    return Kind(
        f"verify {path.removeprefix('../')}",
        full,
        verbs,
        numbers.content_of(full),
        is_product=True,
        codes=(1, 2),
    )


def _asked_where(file: str) -> str:
    return f"contains --skymap {_P}/{file} --lon 93 --lat -53 --frame galactic"


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
_REFINE_STEPS = _REFINE.replace(" --output", f" --steps {_P}/refine/0.json --output")
_REFINED = numbers.table_at("out/refined.fits")
_NEXT_STEP = f"{STEP} --steps {_P}/refine/0.json --output out/1.json"
_FIT_STEP = (
    f"fit-chunk --problem {_P}/problem.h5 --plan {_P}/refine/0.json --chunk 0 --output out/chunk.h5"
)
_SEARCH = (
    f"sources {PRODUCT} --problem {_P}/problem.h5 --maps {_P}/maps.fits --output out/sources.ecsv"
)
_EXPORT = f"export-gadf --maps {_P}/maps.fits --output out/maps.gadf.fits"
_MERGE = (
    f"merge --problem {_P}/problem.h5 --plan {_P}/plan.json --output out/maps.fits"
    f" {_P}/chunks/000-of-003.h5 {_P}/chunks/001-of-003.h5 {_P}/chunks/002-of-003.h5"
)
_FIT_MODEL = f"model fit {PRODUCT} --fit steady --output {_P}/model"
_COMPARE = f"model collect {PRODUCT} --output {_P}/model"
_PROFILED = f"simulate-skies {PRODUCT} --model {_P}/model.h5 --kind null --job 0"

KINDS = (
    # of Compton telescopes
    _input("counts dense", "data/burst_dense.h5", "dense"),
    _input("counts sparse", "data/burst_coo.h5", "coo"),
    _input("counts histpy 1", "data/burst_histpy1.h5", "histpy1"),
    _input("background", "data/background.h5", "local"),
    _input("background histpy 1", "data/background_histpy1.h5", "histpy1"),
    _input("response dense", "data/response.h5", "local"),
    _input("response sparse", "data/response_sparse.h5", "sparse"),
    _input("response 2", "data/response_version2.h5", "version2"),
    _input("response galactic", "data/response_galactic.h5", "galactic"),
    _input("orientation", "data/orientation.ori", "local"),
    _input("orientation FITS", "data/orientation.fits", "oriented"),
    _events("HDF5", "data/steady_events.hdf5", "steady"),
    _events("FITS", "data/steady_events.fits.gz", "fits"),
    _events("TRA", "data/events.tra", "tra"),
    _events("TRA packed", "data/unpointed.tra.gz", "unpointed"),
    # of imaging telescopes
    _input("photons", "imaging/events.fits", "events"),
    _input("photons with responses", "imaging/dl3.fits", "dl3"),
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
    Kind("configuration", "small.yaml", ("check --config small.yaml",), numbers.text),
    Kind(
        "configuration run", "small.yaml", ("run --config small.yaml --threads 1",), numbers.nothing
    ),
    Kind(
        "table",
        "cache/tables/*.h5",
        fit_verbs("local"),
        numbers.maps_of("local"),
        is_product=True,
        codes=(1, 2),
    ),
    Kind(
        "digest note",
        "cache/digests/*.sha256",
        fit_verbs("local"),
        numbers.maps_of("local"),
        is_product=True,
        codes=(1, 2),  # what cannot be written in the cache is an error of output
        before=fit_verbs("local"),
    ),
    # its products, read by the next step
    _product("problem.h5", "problem.h5", _chunk_of_product(), numbers.chunk),
    _product("plan.json", "plan.json", _chunk_of_product(), numbers.chunk),
    _product("plan.json merged", "plan.json", _MERGE, numbers.table_at("out/maps.fits")),
    _product("chunk", "chunks/001-of-003.h5", _MERGE, numbers.table_at("out/maps.fits")),
    _product("maps.fits refined", "maps.fits", _REFINE, _REFINED),
    _product("maps.fits", "maps.fits", _LOCALISE, numbers.summary),
    _product("refined.fits", "refined.fits", _LOCALISE, numbers.summary),
    _product("problem.h5 refined", "problem.h5", _REFINE, _REFINED),
    _product("step fitted", "refine/0.json", _FIT_STEP, numbers.chunk),
    _product("step refined", "refine/0.json", _REFINE_STEPS, _REFINED),
    _product("step planned", "refine/0.json", _NEXT_STEP, numbers.plan),
    _product("step chunk", "refine/0/000-of-001.h5", _REFINE_STEPS, _REFINED),
    _product("step chunk planned", "refine/0/000-of-001.h5", _NEXT_STEP, numbers.plan),
    _product("maps.fits searched", "maps.fits", _SEARCH, numbers.table_at("out/sources.fits")),
    _product("problem.h5 searched", "problem.h5", _SEARCH, numbers.table_at("out/sources.fits")),
    _product("maps.fits exported", "maps.fits", _EXPORT, numbers.images_at("out/maps.gadf.fits")),
    *(
        _product(name, file, _asked_where(file), numbers.text, answers=(0, 3))
        for name, file in (
            ("sky map", "skymap.multiorder.fits"),
            ("sky map flat", "skymap.fits"),
            ("region", "regions/credible-90.fits"),
        )
    ),
    *(
        _product(f"{name} plotted", name, PLOT, numbers.nothing)
        for name in (
            *("skymap.multiorder.fits", "problem.h5", "maps.fits", "summary.json"),
            "sources.fits",
        )
    ),
    _product("model.h5", "model.h5", f"{_PROFILED} --output out/skies.h5", numbers.nothing),
    _product("model.h5 calibrated", "model.h5", CALIBRATE, numbers.calibration),
    _product("skies", "skies/null-0.h5", CALIBRATE, numbers.calibration),
    _product("skies injected", "skies/injected-0.h5", CALIBRATE, numbers.calibration),
    _product("model problem", "model/problem.h5", _FIT_MODEL, numbers.model_fit),
    _product("model fit begun from", "model/joint.h5", _FIT_MODEL, numbers.model_fit),
    _product("model fit compared", "model/joint.h5", _COMPARE, numbers.comparisons),
    _product("model chain", "model/steady/ensemble-1-of-2.h5", JOIN, numbers.model_samples),
    _product("model fit of chains", "model/steady.h5", JOIN, numbers.model_samples),
    *(
        _product(f"{name} drawn", f"model/{name}", DRAW, numbers.nothing)
        for name in (
            "problem.h5",
            "steady.h5",
            "steady-samples.h5",
            "steady/profile-1-of-1.h5",
        )
    ),
    *(
        _product(f"{name} indexed", name, INDEX, numbers.nothing)
        for name in ("report.html", "summary.json", "calibration.json")
    ),
    *(
        _product(f"{name} reported", name, REPORT, numbers.nothing)
        for name in (
            "summary.json",
            "maps.fits",
            "sources.fits",
            "sources.ecsv",
            "calibration.json",
            "plots/figures.json",
            "plots/ts.png",
            "calibration-plots/figures.json",
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
            "model/problem.h5",
            "model/joint.h5",
            "model/joint.ecsv",
            "model/comparison.json",
            "model/steady-samples.h5",
            "model/steady-samples.ecsv",
            "model/steady/ensemble-1-of-2.h5",
            "model/steady/profile-1-of-1.h5",
            "model/plots/figures.json",
            "model/plots/corner-steady.png",
            "plots/figures.json",
            "plots/ts.png",
            "plots/ts.pdf",
            "report.html",
            "regions/credible-90.reg",
            "regions/credible-90.fits",
            "regions/containment-90.reg",
            "regions/containment-90.fits",
            "refine/0.json",
            "refine/0/000-of-001.h5",
            "skies/injected-0.h5",
            "calibration-plots/coverage.png",
            "maps.gadf.fits",
            "../index.html",
        ),
    ),
)
"""All kinds, in the order of the table."""
