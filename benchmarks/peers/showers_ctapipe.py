"""Write ctapipe.json: what ctapipe makes of the shared runs, for tests/showers/test_ctapipe.py.

In an environment with ctapipe 0.28 and eventio 2.1.1:

  python benchmarks/peers/showers_ctapipe.py FOLDER_OF_RUNS tests/showers/ctapipe.json

Images are kept as digests, for they are the same to the bit; numbers with all of their digits.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import astropy.units as u
import ctapipe
import numpy as np
from ctapipe.calib import CameraCalibrator
from ctapipe.image import ImageProcessor
from ctapipe.io import EventSource
from ctapipe.reco import ShowerProcessor
from traitlets.config import Config

EXTRACTORS = {
    "local_peak": "LocalPeakWindowSum",
    "global_peak": "GlobalPeakWindowSum",
    "fixed": "FixedWindowSum",
    "full": "FullWaveformSum",
    "neighbour_peak": "NeighborPeakWindowSum",  # the last one is gone on with
}
SETTINGS = Config(
    {
        "FixedWindowSum": {"peak_index": 15, "window_shift": 3},
        "TailcutsImageCleaner": {
            "picture_threshold_pe": [["type", "*", 8.0], ["type", "LST*", 7.5]],
            "boundary_threshold_pe": [["type", "*", 4.0], ["type", "LST*", 5.0]],
            "min_picture_neighbors": 2,
        },
    }
)
GROUPS = {"intensity_statistics": "intensity", "peak_time_statistics": "peak_time"}
SHOWER = ("alt", "az", "core_x", "core_y", "core_tilted_x", "core_tilted_y", "h_max", "alt_uncert")


def digest(array, dtype):
    return hashlib.sha256(np.ascontiguousarray(array, dtype).tobytes()).hexdigest()[:16]


def plain(value):
    unit = getattr(value, "unit", None)
    if unit is not None:
        value = value.to_value(u.deg) if unit.is_equivalent(u.deg) else value.value
    value = float(value)
    return value if np.isfinite(value) else None


def parameters(containers):
    return {
        f"{GROUPS.get(group, group)}_{name}": plain(value)
        for group, container in containers.items()
        if group in ("hillas", "timing", "leakage", "concentration", "morphology", *GROUPS)
        for name, value in container.items()
    }


def read_run(path):
    events = []
    with EventSource(path) as source:
        array = source.subarray
        calibrators = {
            name: CameraCalibrator(array, image_extractor_type=kind, config=SETTINGS)
            for name, kind in EXTRACTORS.items()
        }
        images = ImageProcessor(array, config=SETTINGS)
        showers = ShowerProcessor(array, reconstructor_types=["HillasReconstructor"])
        for event in source:
            found = {int(number): {} for number in event.r1.tel}
            for name, calibrator in calibrators.items():
                calibrator(event)
                for number, image in event.dl1.tel.items():
                    found[int(number)][name] = [
                        digest(image.image, "f4"),
                        digest(image.peak_time, "f4"),
                    ]
            images(event)
            showers(event)
            for number, image in event.dl1.tel.items():
                found[int(number)] |= {
                    "mask": digest(image.image_mask, "u1"),
                    "parameters": parameters(image.parameters),
                }
                true = event.simulation.tel[number].true_parameters
                if true is not None:
                    found[int(number)]["true_parameters"] = parameters(true)
            shower = event.dl2.stereo.geometry["HillasReconstructor"]
            events.append(
                {
                    "event_id": int(event.index.event_id),
                    "images": found,
                    "shower": {name: plain(shower[name]) for name in SHOWER},
                    "telescopes": [int(number) for number in shower["telescopes"]],
                }
            )
    return events


def main(folder, output):
    warnings.filterwarnings("ignore")
    runs = {path.name: read_run(path) for path in sorted(Path(folder).glob("*.simtel.*"))}
    content = {"ctapipe": ctapipe.__version__, "runs": runs}
    Path(output).write_text(json.dumps(content, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
