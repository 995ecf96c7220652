"""A folder with one good file of every kind, made by skyquilt where it makes such files."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from fuzzing.compton_files import write_compton_files
from fuzzing.imaging_files import PLACE, write_imaging_files
from skyquilt.cli.main import main
from skyquilt.sky.chunks import chunk_name
from skyquilt.testing import dl3

POSITION = {"lon": 93.0, "lat": -53.0, "frame": "galactic"}
START = 1835478000.0
INTERVAL = [START + 10, START + 50]
TIME_BINS = {"start": INTERVAL[0], "stop": INTERVAL[1], "width": "20 s"}
_ENERGIES = ["100 keV", "200 keV", "500 keV"]
_BRIGHT = {"model": "power_law", "norm": "0.2 cm-2 s-1 keV-1", "pivot": "100 keV", "index": -2.2}
_STEADY = _BRIGHT | {"norm": "0.02 cm-2 s-1 keV-1"}
_GEV = {"model": "power_law", "norm": "1e-14 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.0}
_TEV = {"model": "power_law", "norm": "1e-11 cm-2 s-1 TeV-1", "pivot": "1 TeV", "index": -2.3}


def make_materials(folder: Path) -> None:
    """Write inputs, the configuration, and the results of some analyses below the current folder.

    Raises
    ------
    RuntimeError
        If a verb fails.
    """
    write_imaging_files(folder / "imaging")
    dl3.write_dl3(folder / "imaging/dl3.fits")
    Path("config.yaml").write_text(yaml.safe_dump(configuration(), sort_keys=False))
    _verb("simulate --config config.yaml")
    write_compton_files(Path("data"), START)
    _verb("bin-events --config config.yaml --binning steady")
    small = {key: value for key, value in configuration().items() if key != "analyses"}
    small["analyses"] = {"local": configuration()["analyses"]["local"]}
    Path("small.yaml").write_text(yaml.safe_dump(small, sort_keys=False))
    results = "results/product"
    _verb("run --config config.yaml --analysis product --threads 1")
    common = "--config config.yaml --analysis product"
    _verb(f"prepare {common} --all-bins --output {results}/model.h5")
    _verb(
        f"simulate-skies {common} --model {results}/model.h5 --kind null --job 0"
        f" --output {results}/skies/null-0.h5"
    )
    _verb(
        f"simulate-skies {common} --model {results}/model.h5 --kind injected --job 0"
        f" --output {results}/skies/injected-0.h5"
    )
    for line in MODEL_VERBS:
        _verb(line)
    _verb(CALIBRATE.replace("out/", f"{results}/"))
    _verb(PLOT.replace("out/", f"{results}/"))
    _make_steps()
    _verb(f"export-gadf --maps {results}/maps.fits --output {results}/maps.gadf.fits")
    _verb(REPORT)
    _verb(INDEX.replace("out/", "results/"))
    for ending in CATALOGUES:  # they are tried with maps that are there
        for line in fit_verbs(f"known-{ending}"):
            _verb(line)


PRODUCT = "--config config.yaml --analysis product"
_RESULTS = "results/product"
CALIBRATE = (
    f"calibrate {PRODUCT} --model {_RESULTS}/model.h5 --output out/calibration.json"
    f" --table out/calibration.h5 --plots out/calibration-plots"
    f" {_RESULTS}/skies/null-0.h5 {_RESULTS}/skies/injected-0.h5"
)
PLOT = (
    f"plot {PRODUCT} --problem {_RESULTS}/problem.h5 --maps {_RESULTS}/maps.fits"
    f" --skymap {_RESULTS}/skymap.multiorder.fits --summary {_RESULTS}/summary.json"
    f" --sources {_RESULTS}/sources.fits --output out/plots"
)
_READ = f"--problem {_RESULTS}/problem.h5 --maps {_RESULTS}/maps.fits"
STEP = f"plan-refinement {PRODUCT} {_READ}"
INDEX = f"report --config config.yaml --pages {_RESULTS}/report.html --output out/index.html"
_STEADY_FIT = f"{PRODUCT} --fit steady --output {_RESULTS}/model"
JOIN = f"model collect {_STEADY_FIT}"
DRAW = f"model plot {PRODUCT} --output {_RESULTS}/model"
MODEL_VERBS = (
    f"model profile {_STEADY_FIT}",
    f"model sample {_STEADY_FIT} --ensemble 1",
    f"model sample {_STEADY_FIT} --ensemble 2",
    JOIN,
    DRAW,
)
"""Verbs after the fits of a model."""
REPORT = f"report {PRODUCT} --output {_RESULTS}/report.html"


def _make_steps() -> None:
    """Plans of a refinement in chunks, and the chunks of each."""
    folder, plans = Path(_RESULTS) / "refine", []
    while not plans or (chunks := json.loads(plans[-1].read_text())["chunks"]):
        if plans:
            for chunk in chunks:
                name = chunk_name(chunk, json.loads(plans[-1].read_text())["n_chunks"])
                made = plans[-1].with_suffix("") / name
                read = f"--problem {_RESULTS}/problem.h5 --plan {plans[-1]}"
                _verb(f"fit-chunk {read} --chunk {chunk} --output {made}")
        steps = f"--steps {' '.join(map(str, plans))}" if plans else ""
        plans.append(folder / f"{len(plans)}.json")
        _verb(f"{STEP} {steps} --output {plans[-1]}")


_ONE_CHUNK = ("events", "dl3", "cube", "wcs", "dataset", "pixels", "galactic")
CATALOGUES = ("fits", "ecsv", "csv", "vot")


def _n_chunks(analysis: str) -> int:
    return 1 if analysis in _ONE_CHUNK or analysis.startswith("known-") else 3


def fit_verbs(analysis: str) -> tuple[str, ...]:
    """Verbs from the files of an analysis to its maps."""
    common, out = f"--config config.yaml --analysis {analysis}", f"out/{analysis}"
    names = [f"{out}/{index}.h5" for index in range(_n_chunks(analysis))]
    problem, plan = f"--problem {out}/problem.h5", f"--plan {out}/plan.json"
    return (
        f"prepare {common} --output {out}/problem.h5",
        f"plan {common} {problem} --output {out}/plan.json",
        *(f"fit-chunk {problem} {plan} --chunk {i} --output {n}" for i, n in enumerate(names)),
        f"merge {problem} {plan} --output {out}/maps.fits {' '.join(names)}",
    )


def _verb(line: str) -> None:
    with redirect_stdout(sys.stderr):  # results: the outcomes alone are the program's own output
        code = main([*line.split(), "--quiet"])
    if code:
        raise RuntimeError(f"`skyquilt {line}` ended with {code}")


def configuration() -> dict[str, Any]:
    """Configuration with an analysis for each kind of input."""
    local = {
        "data": {
            "frame": "local",
            "counts": [
                {"path": "data/burst.h5", "label": "burst"},
                {"path": "data/background.h5", "label": "background"},
            ],
            "background": {"path": "data/background.h5"},
            "response": "data/response.h5",
            "orientation": "data/orientation.ori",
            "interval": INTERVAL,
            "zero_background": "mask",
        },
        "spectrum": _BRIGHT,
        "map": {"nside": 2},
        "fit": {"chunks": 3},
    }
    galactic = {
        "data": {
            "frame": "galactic",
            "counts": [
                {"path": "data/steady_binned.h5", "label": "source"},
                {"path": "data/background_galactic.h5", "label": "background"},
            ],
            "background": {"path": "data/background_galactic_model.h5"},
            "response": "data/response_galactic.h5",
            "zero_background": "mask",
        },
        "spectrum": _STEADY,
        "map": {"nside": 2},
    }
    extra = {
        "map": {"nside": 4},
        "refine": {"max_order": 4},
        "sources": {"catalogue": {"path": "imaging/known.ecsv", "radius": 5.0}},
        "localise": {"true_position": POSITION, "max_nside": 32},
        "calibrate": {"null_skies": 100, "injections": 20, "skies_per_job": 120},
        "model": _model(),
    }
    analyses = {
        "local": local,
        "sparse": _with(local, "response", "data/response_sparse.h5"),
        "version2": _with(local, "response", "data/response_version2.h5"),
        "coo": _with(local, "counts", [{"path": "data/burst_coo.h5"}]),
        "histpy1": _with(
            _with(local, "counts", [{"path": "data/burst_histpy1.h5"}]),
            *("background", {"path": "data/background_histpy1.h5"}),
        ),
        "oriented": _with(local, "orientation", "data/orientation.fits"),
        "dense": _with(local, "counts", [{"path": "data/burst_dense.h5"}]),
        "galactic": galactic,
        "product": _with(local, "time_bins", TIME_BINS) | extra,
        **_imaging_analyses(),
    }
    return {
        "results": "results",
        "cache": "cache",
        "simulation": _simulation(),
        "binning": {
            "steady": _binning("steady", "data/steady_events.hdf5"),
            "fits": _binning("fits", "data/steady_events.fits.gz"),
            "tra": _binning("tra", "data/events.tra"),
            "unpointed": _binning("unpointed", "data/unpointed.tra.gz")
            | {"orientation": "data/orientation.fits"},
        },
        "analyses": analyses,
    }


def _imaging_analyses() -> dict[str, Any]:
    def cubes(**changed: str) -> dict[str, Any]:
        files = {key: f"imaging/{key}.fits" for key in ("background", "exposure", "psf")} | changed
        return {
            "instrument": "imaging",
            "data": {key: {"path": path} for key, path in files.items()},
            "spectrum": _GEV,
            "map": {"nside": 2},
            "fit": {"chunks": 1},
            "refine": {"enabled": False},
        }

    one_file = {
        "instrument": "imaging",
        "spectrum": _TEV,
        "map": _around(*PLACE),
        "fit": {"chunks": 1},
        "refine": {"enabled": False},
    }
    wcs = {"counts": "imaging/wcs_counts.fits", "background": "imaging/wcs_background.fits"}
    made = {
        "events": cubes(events="imaging/events.fits"),
        "cube": cubes(counts="imaging/counts.fits"),
        "wcs": cubes(**wcs),
        "dl3": one_file
        | {
            "map": _around(dl3.LON, dl3.LAT),
            "data": {"events": {"path": ["imaging/dl3.fits"]}},
            "energy": {"range": ["1 TeV", "10 TeV"]},
        },
        "dataset": one_file | {"data": {"file": "imaging/dataset.fits"}},
        "pixels": one_file | {"data": {"file": "imaging/pixels.fits"}},
    }
    for ending in CATALOGUES:
        catalogue = {"path": f"imaging/known.{ending}", "radius": 5.0}
        made[f"known-{ending}"] = made["cube"] | {"sources": {"catalogue": catalogue}}
    return made


def _around(lon: float, lat: float) -> dict[str, Any]:
    center = {"lon": lon, "lat": lat, "frame": "icrs"}
    return {"nside": 64, "frame": "icrs", "region": {"center": center, "radius": 0.8}}


def _model() -> dict[str, Any]:
    spectrum = _BRIGHT | {"index": {"start": -2.2, "range": [-5, 1]}}
    flux = {"start": 1, "range": [0, None], "per": "time_bin"}
    steady = {"light_curve": "constant", "level": {"start": 1, "range": [0, None]}}
    return {
        "sources": {"burst": {"position": POSITION, "spectrum": spectrum, "flux": flux}},
        "fits": {
            "joint": {},
            "steady": {
                "start_from": "joint",
                "set": {"burst.flux": steady},
                "profile": ["burst.index"],
                "sample": {"ensembles": 2, "walkers": 8, "steps": 20, "burn": 5, "max_r_hat": 1e3},
            },
        },
        "compare": [["joint", "steady"]],
    }


def _with(analysis: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return analysis | {"data": analysis["data"] | {key: value}}


def _binning(name: str, events: str) -> dict[str, Any]:
    return {
        "events": events,
        "output": f"data/{name}_binned.h5",
        "frame": "galactic",
        "time_edges": [START, START + 7200],
        "energy_edges": _ENERGIES,
        "phi_width": "30 deg",
        "nside": 1,
    }


def _simulation() -> dict[str, Any]:
    steady = {"position": POSITION, "spectrum": _STEADY}
    return {
        "seed": 1,
        "folder": "data",
        "duration": "2 h",
        "resolution": {
            "nside_local": 2,
            "nside_sky": 2,
            "nside_psichi": 1,
            "n_phi": 6,
            "energy_edges": _ENERGIES,
        },
        "background": {"rate": "20 s-1"},
        "sources": {
            "burst": {"position": POSITION, "spectrum": _BRIGHT, "interval": INTERVAL},
            "steady": steady
            | {"events": {"formats": ["hdf5", "fits.gz"], "interval": [START, START + 100]}},
        },
    }
