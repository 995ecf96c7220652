"""Curves of docs/performance.md: cost against pixels, time against ranks and threads."""

import os
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from dc2 import all_directions, burst_problem
from measuring import cost_of, machine_line
from numpy_fit import Tables, fit_by_block, fit_by_pixel
from time_fit import NSIDES, scaling_times, thread_times
from time_ranks import rank_times

PARTS = (1, 2, 4)


def draw_curves(folder: Path) -> None:
    """Measure and draw both figures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_pixels(folder / "bench-pixels.png")
    draw_parts(folder / "bench-ranks.png")
    print(machine_line())


def draw_pixels(path: Path) -> None:
    """CPU of a map against its number of pixels, with the NumPy programs."""
    problem = burst_problem()
    n_pixels = 12 * np.array(NSIDES) ** 2
    tables, few = Tables(problem), all_directions(16)
    figure, axes = _figure("pixels", "CPU [s]")
    axes.loglog(n_pixels, scaling_times(problem, NSIDES), "o-", label="skyquilt, 1 thread")
    for label, program in (("NumPy in blocks", fit_by_block), ("NumPy by pixel", fit_by_pixel)):
        each = cost_of(lambda program=program: program(tables, few)).cpu / len(few)
        axes.loglog(n_pixels, each * n_pixels, "--", label=f"{label}: {each * 1e6:.0f} µs a pixel")
    axes.set_xticks(n_pixels, [f"{12 * n * n}\nnside {n}" for n in NSIDES])
    axes.minorticks_off()
    axes.set_title("Cost of a map, 1071 hit bins, 40 attitude samples", loc="left")
    _save(figure, path)


def draw_parts(path: Path) -> None:
    """Fastest wall time of nside 64 against ranks and threads."""
    problem = burst_problem()
    threads = list(map(min, thread_times(problem, PARTS)))
    with tempfile.TemporaryDirectory() as folder:
        ranks = list(map(min, rank_times(Path(folder), problem, PARTS)))
    figure, axes = _figure("ranks or threads", "wall time [s]")
    axes.loglog(PARTS, threads, "o-", label="threads")
    axes.loglog(PARTS, ranks, "s-", label="MPI ranks")
    ideal = [threads[0] / n for n in PARTS]
    axes.loglog(PARTS, ideal, ":", color="grey", label="in proportion")
    axes.set_xticks(PARTS, [str(n) for n in PARTS])
    ticks = [round(threads[0] / n, 3) for n in PARTS]
    axes.set_yticks(ticks, [f"{tick:.2f}" for tick in ticks])
    axes.minorticks_off()
    axes.set_title(f"Fit of nside 64, {os.cpu_count()} cores", loc="left")
    _save(figure, path)


def _figure(x: str, y: str):
    figure, axes = plt.subplots(figsize=(6.4, 4.0), layout="constrained")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure, path: Path) -> None:
    figure.axes[0].legend(frameon=False)
    figure.savefig(path, dpi=120)
    plt.close(figure)
