"""Simulated files of a burst in the shape of DC2: 40 s of counts, five days of background."""

import json
from pathlib import Path
from typing import Any

from measuring import SKYQUILT, run_process

START = 1835478000.0
BURST = (START + 10, START + 50)
SCALE = 40 / (5 * 86400)
"""Of the background of five days to the burst's: by durations, for cosipy has no livetimes."""
_EDGES_KEV = (100, 158.489, 251.189, 398.107, 630.957, 1000, 1584.89, 2511.89, 3981.07, 6309.57)
EDGES = [f"{edge} keV" for edge in (*_EDGES_KEV, 10000)]
SHAPES = {
    "dc2": {"nside_psichi": 8, "n_phi": 36, "energy_edges": EDGES},
    "small": {"nside_psichi": 4, "n_phi": 18, "energy_edges": EDGES[:6]},
}
"""`dc2`: response of 8.5 GB, 27,648 bins per energy channel; `small`: 265 MB, 3456 bins."""


def write_data(folder: Path, shape: str) -> Path:
    """Simulate the files into a folder, unless it has them; the configuration that reads them."""
    return _simulate(folder / f"{shape}.yaml", make_config(folder / shape, shape, nside=16))


def write_galactic_data(folder: Path) -> Path:
    """The same of a source in galactic coordinates, observed for five days; of shape `small`."""
    return _simulate(folder / "galactic.yaml", make_galactic_config(folder / "galactic"))


def _simulate(config: Path, content: dict[str, Any]) -> Path:
    if not (Path(content["simulation"]["folder"]) / "orientation.ori").is_file():
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps(content, indent=1))  # JSON is YAML
        run_process([SKYQUILT, "simulate", "--quiet", "--config", config])
    return config


def write_analysis(config: Path, folder: Path, *, nside: int = 16, **analysis: Any) -> Path:
    """Configuration of the analysis alone, its results and cache in `folder`."""
    content = json.loads(config.read_text())
    del content["simulation"]
    content |= {"results": str(folder / "results"), "cache": str(folder / "cache")}
    (name,) = content["analyses"]
    content["analyses"][name] |= {"map": {"nside": nside}, **analysis}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(json.dumps(content, indent=1))
    return path


def make_config(data: Path, shape: str, nside: int) -> dict[str, Any]:
    position = {"lon": 93, "lat": -53, "frame": "galactic"}
    spectrum = {"model": "power_law", "pivot": "100 keV", "index": -2.2}
    return {
        "simulation": {
            "seed": 20280301,
            "folder": str(data),
            "start": START,
            "duration": "5 d",
            "resolution": {"nside_local": 8, **SHAPES[shape]},
            "orbit": {"zenith_ra": 330},
            "sources": {
                "grb": {
                    "position": position,
                    "spectrum": spectrum | {"norm": "0.35 cm-2 s-1 keV-1"},
                    "interval": BURST,
                }
            },
        },
        "analyses": {
            "grb": {
                "data": {
                    "frame": "local",
                    "counts": [
                        {"path": str(data / "grb.h5"), "label": "burst"},
                        {"path": str(data / "background.h5"), "label": "background"},
                    ],
                    "background": {"path": str(data / "background.h5"), "scale": SCALE},
                    "response": str(data / "response.h5"),
                    "orientation": str(data / "orientation.ori"),
                    "interval": BURST,
                    "time_weights": "elapsed",
                },
                # 251 to 398 keV, as the tutorial of cosipy
                "energy": {"channels": [2, 3], "sum_channels": True},
                "spectrum": spectrum | {"norm": "10 cm-2 s-1 keV-1"},
                "map": {"nside": nside},
                "localise": {"true_position": position},
            }
        },
    }


def make_galactic_config(data: Path) -> dict[str, Any]:
    position = {"lon": 184.5551, "lat": -5.7877, "frame": "galactic"}
    spectrum = {"model": "power_law", "norm": "1e-3 cm-2 s-1 keV-1", "pivot": "100 keV"}
    spectrum |= {"index": -3}
    resolution = {"nside_local": 8, "nside_sky": 8, **SHAPES["small"]}
    return {
        "simulation": {
            "seed": 20280301,
            "folder": str(data),
            "start": START,
            "duration": "5 d",
            "resolution": resolution,
            "sources": {"crab": {"position": position, "spectrum": spectrum}},
        },
        "analyses": {
            "crab": {
                "data": {
                    "frame": "galactic",
                    "counts": [
                        {"path": str(data / "crab.h5"), "label": "Crab"},
                        {"path": str(data / "background_galactic.h5"), "label": "background"},
                    ],
                    "background": {"path": str(data / "background_galactic_model.h5"), "scale": 1},
                    "response": str(data / "response_galactic.h5"),
                },
                "energy": {"channels": [1, 2], "sum_channels": True},
                "spectrum": spectrum,
                "localise": {"true_position": position},
            }
        },
    }
