"""Showers: CPU per stage, per image from the file to the tables, start-up, and ctapipe's.

    SKYQUILT_DATA=<folder of the data> python benchmarks/time_showers.py [--page docs/showers.md]
    ... --peer <Python of an environment with ctapipe 0.28>

The runs of the test data hold 1 to 3 events; long ones are made of them: events again and again,
each with a number of its own. What a run costs per image is the difference of a long and a short
one, so that starting up is not part of it; whole processes are counted.
"""

import argparse
import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import yaml
import zstandard
from measuring import SKYQUILT, Figure, at_least, below, median_cost, print_table, run_process

from skyquilt.showers.cameras import Cameras
from skyquilt.showers.container import read_objects
from skyquilt.showers.extractors import window_corrections
from skyquilt.showers.images import (
    Cuts,
    Extraction,
    Window,
    clean_images,
    decode_samples,
    describe_images,
)
from skyquilt.showers.simtel import Reader

RUNS = {
    "4 LST": ("test_lasercal_v3.simtel.gz", 0.60),
    "LST and MST": ("history_meta_75.simtel.zst", 0.75),
    "FlashCam": ("aux_traces_2029.simtel.zst", 0.70),
}
"""Runs that are lengthened, and the CPU per image that is aimed at [ms]."""
STAGES = "history_meta_75.simtel.zst"  # its telescope 1 has 1855 pixels, 2 gains, 40 samples
N_SHORT, N_LONG = 10, 210  # events
N_CALLS, N_ROUNDS, N_RUNS = 30, 9, 3
HISTOGRAMS = 100  # the end of a run
OF_EVENTS = (2020, 2021, 1204, 2026, 2010)
MARKER = b"\x37\x8a\x1f\xd4"


def time_stages(folder: Path) -> list[Figure]:
    """CPU of each stage of an image of 1855 pixels, two gains, 40 samples [us]."""
    reader = Reader(folder / STAGES)
    image = next(reader.events()).images[0]
    telescope = reader.run.telescopes[image.tel_id]
    pixels = Cameras("effective").find(telescope).pixels
    correction = window_corrections(telescope.pulse, telescope.sample, 7, 3)
    extraction = Extraction(
        *(pixels, reader.calibration(image.tel_id), Window(), correction),
        rate=1 / telescope.sample,
        n_sample=telescope.n_sample,
    )
    block, samples = raw_block(folder / STAGES, image.tel_id), image.samples[np.newaxis]
    charge, peak_time, _ = extraction.extract(samples)
    mask = clean_images(pixels, charge, Cuts())

    def describe() -> None:
        found = clean_images(pixels, charge, Cuts())
        describe_images(pixels, charge, found, time=peak_time, seeds=np.array([1]))

    n_kept = int(mask.sum())
    return [
        below("decode", fastest(lambda: decode_samples(block, *image.samples.shape)), 130, US),
        below("charges and times", fastest(lambda: extraction.extract(samples)), 120, US),
        below(f"cleaning and parameters, {n_kept} pixels kept", fastest(describe), 50, US),
    ]


US = "{:.0f} us"


def raw_block(path: Path, number: int) -> bytes:
    """Raw traces of a telescope in the first event."""
    for found in read_objects(path):
        if found.header.type == 2010:
            for part in found:
                if type(part).__name__ == "TelescopeEvent" and part.telescope_id == number:
                    return next(one.read()[8:] for one in part if one.header.type == 2013)
    raise ValueError(f"{path}: no telescope {number}")


def fastest(call: Callable[[], object]) -> float:
    """CPU of the fastest of several rounds of calls, per call [us]."""
    rounds = []
    for _ in range(N_ROUNDS):
        start = time.process_time()
        for _ in range(N_CALLS):
            call()
        rounds.append((time.process_time() - start) / N_CALLS)
    return 1e6 * min(rounds)


def time_runs(data: Path, folder: Path, peer: Path | None) -> Iterator[Figure]:
    """CPU per image of whole processes, and that of starting."""
    for name, (file, goal) in RUNS.items():
        short, long = (
            lengthened(data / file, n, folder / f"{n}.simtel.zst") for n in (N_SHORT, N_LONG)
        )
        n_images = n_images_of(long) - n_images_of(short)
        ours = [run_ours(path, folder) for path in (short, long)]
        own = 1e3 * (ours[1].cpu - ours[0].cpu) / n_images
        yield below(f"{name}: CPU per image, file to tables", own, goal, "{:.2f} ms")
        if peer is not None:
            theirs = [run_peer(path, folder, peer) for path in (short, long)]
            per_image = 1e3 * (theirs[1].cpu - theirs[0].cpu) / n_images
            yield Figure(f"{name}: ctapipe 0.28, CPU per image", f"{per_image:.2f} ms")
            yield at_least(f"{name}: times less CPU", per_image / own, 7, "{:.1f}")
    yield below("whole process of 10 events: wall", ours[0].wall, 1.0, "{:.2f} s")
    yield below("its peak memory", ours[0].peak_mb, 150, "{:.0f} MB")


def n_images_of(path: Path) -> int:
    """Images of a run."""
    return sum(len(event.images) for event in Reader(path).events())


def lengthened(path: Path, n_event: int, output: Path) -> Path:
    """A run with its events again and again, each with a number of its own."""
    head, events = bytearray(), []
    for found in read_objects(path, []):
        kind = found.header.type
        content = found.read()
        word = kind | found.header.version << 20
        if kind in OF_EVENTS:
            if kind == 2020 or not events:
                events.append([])
            events[-1].append((word, kind, content, found.header.only_subobjects))
        elif kind != HISTOGRAMS:  # the header; the calibration may come after the first shower
            head += packed(word, found.header.id, content, found.header.only_subobjects)
    whole = [one for one in events if any(kind == 2010 for _, kind, _, _ in one)]
    for number in range(n_event):
        for word, kind, content, has_parts in whole[number % len(whole)]:
            if kind == 2010:  # the trigger information comes first, with the number of the event
                content = content[:4] + struct.pack("<i", number + 1) + content[8:]
            head += packed(word, number + 1, content, has_parts)
    output.write_bytes(zstandard.ZstdCompressor().compress(bytes(head)))
    return output


def packed(word: int, number: int, content: bytes, has_parts: bool) -> bytes:
    """An object with its header."""
    length = len(content) | (1 << 30 if has_parts else 0)
    return MARKER + struct.pack("<IiI", word, number, length) + content


def run_ours(path: Path, folder: Path):
    """Median cost of `skyquilt showers reconstruct`."""
    config = folder / "showers.yaml"
    runs = {"files": [str(path)]}
    config.write_text(
        yaml.safe_dump(
            {
                "results": str(folder / "results"),
                "cache": str(folder / "cache"),
                "showers": {"runs": {"all": runs}},
            }
        )
    )
    costs = []
    for _ in range(N_RUNS):
        output = folder / "runs"
        for old in output.glob("*.h5"):
            old.unlink()
        command = ["showers", "reconstruct", "--quiet", "--config", config, "--runs", "all"]
        costs.append(run_process([SKYQUILT, *command, "--output", output]))
    return median_cost(costs)


def run_peer(path: Path, folder: Path, python: Path):
    """Cost of ctapipe-process to the same products."""
    output = folder / "ctapipe.h5"
    command = [python.with_name("ctapipe-process"), "-i", path, "-o", output, "--overwrite"]
    log = folder / "ctapipe.log"  # else it lies in the working folder
    what = ("--write-parameters", "--write-showers", "-q", "--provenance-log", log)
    return run_process([*command, *what])


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", type=Path, help="Python of an environment with ctapipe 0.28")
    parser.add_argument("--page", type=Path, help="Markdown page whose table is replaced")
    arguments = parser.parse_args()
    root = os.environ.get("SKYQUILT_DATA")
    if root is None:
        parser.error("the runs are looked for in SKYQUILT_DATA, which is not set")
    data = Path(root, "simtel")

    def figures() -> Iterator[Figure]:
        yield from time_stages(data)
        with tempfile.TemporaryDirectory() as folder:
            yield from time_runs(data, Path(folder), arguments.peer)

    print_table(figures(), arguments.page, "showers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
