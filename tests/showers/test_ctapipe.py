"""Images and showers of the shared runs are those of ctapipe.

benchmarks/peers/showers_ctapipe.py has written its values.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from skyquilt.config.showers import ShowerRuns
from skyquilt.showers.images import PARAMETERS
from skyquilt.showers.reconstruct import reconstruct_run

VALUES = json.loads(Path(__file__).with_name("ctapipe.json").read_text())["runs"]
CLEAN = {"picture": {"*": 8, "LST*": 7.5}, "boundary": {"*": 4, "LST*": 5}}
EXTRACTORS = ("neighbour_peak", "local_peak", "global_peak", "fixed", "full")


def digest(array, dtype):
    return hashlib.sha256(np.ascontiguousarray(array, dtype).tobytes()).hexdigest()[:16]


def reconstructed(folder, name, extractor="neighbour_peak"):
    calibrate = {"extractor": extractor, "peak": 15}
    runs = ShowerRuns(
        files=(name,), truncated="keep", clean=CLEAN, calibrate=calibrate, keep={"images": True}
    )
    return reconstruct_run(folder / name, runs)


def of_run(name):
    """Values of ctapipe: of each event, and of each image in their order."""
    events = VALUES[name]
    return events, [
        (event, int(number), image) for event in events for number, image in event["images"].items()
    ]


@pytest.mark.parametrize("extractor", EXTRACTORS)
@pytest.mark.parametrize("name", VALUES)
def test_every_pixel_is_the_same(simtel_data, name, extractor):
    found = reconstructed(simtel_data, name, extractor)
    _, images = of_run(name)
    assert found.images["tel_id"].tolist() == [number for _, number, _ in images]
    pixels = found.pixels
    for number, (_, _, image) in enumerate(images):
        one = slice(pixels.indptr[number], pixels.indptr[number + 1])
        assert [digest(pixels.charge[one], "f4"), digest(pixels.time[one], "f4")] == image[
            extractor
        ]
        if extractor == "neighbour_peak":
            assert digest(pixels.mask[one], "u1") == image["mask"]


def is_rough(name):
    """Whether ctapipe has it of float32 sums."""
    return name.startswith(("leakage", "concentration", "intensity", "peak_time"))


@pytest.mark.parametrize("name", VALUES)
def test_parameters_of_every_image_are_the_same(simtel_data, name):
    found = reconstructed(simtel_data, name)
    _, images = of_run(name)
    for number, (_, _, image) in enumerate(images):
        for prefix, key in (("", "parameters"), ("true_", "true_parameters")):
            for parameter in PARAMETERS if key in image else ():
                if parameter.startswith("timing") or (prefix and parameter.startswith("peak_time")):
                    continue  # ctapipe's line begins at random: see below
                value = found.images[prefix + parameter][number]
                expected = image[key][parameter]
                if expected is None or np.isnan(value):
                    assert np.isnan(value)
                    assert expected in (None, -1)
                    continue
                moment = parameter.endswith(("skewness", "kurtosis")) and is_rough(parameter)
                rel = 1e-3 if moment else 1e-6 if is_rough(parameter) else 1e-9
                assert value == pytest.approx(expected, rel=rel, abs=1e-12), parameter


@pytest.mark.parametrize("name", VALUES)
def test_showers_are_the_same(simtel_data, name):
    found = reconstructed(simtel_data, name)
    events, _ = of_run(name)
    assert found.events["event_id"].tolist() == [event["event_id"] for event in events]
    for number, event in enumerate(events):
        of_event = found.images["event"] == number
        used = found.images["tel_id"][of_event & (found.images["in_shower"] == 1)]
        assert used.tolist() == event["telescopes"]
        if not event["telescopes"]:
            assert np.isnan(found.events["alt"][number])
            continue
        shower = {key: values[number] for key, values in found.events.items()}
        expected = event["shower"]
        for angle in ("alt", "az"):
            assert shower[angle] == pytest.approx(np.deg2rad(expected[angle]), abs=1e-9)
        for core in ("core_x", "core_y", "core_tilted_x", "core_tilted_y"):
            assert shower[core] == pytest.approx(expected[core], abs=1e-4)
        rel = 1e-9 if used.size > 2 else 1e-6  # two lines that are nearly parallel
        assert shower["h_max"] == pytest.approx(expected["h_max"], rel=rel)
        error = np.rad2deg(shower["direction_error"])
        assert error == pytest.approx(expected["alt_uncert"], rel=1e-8, abs=1e-5)
