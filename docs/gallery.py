"""Gallery: run the examples of real data, draw their maps, write docs/gallery.md.

    make gallery

The environment variable SKYQUILT_DATA names the folder of the data. Every number of the page is
read from the summaries and maps of this run.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from skyquilt.config import get_analysis, load_config

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "config" / "examples"
PAGE = ROOT / "docs" / "gallery.md"
IMAGES = ROOT / "docs" / "images"
DPI = 110  # images of a page, below 300 kB each


class Entry(NamedTuple):
    """One example and what the page says of it."""

    file: str
    analysis: str
    text: str


ENTRIES = (
    Entry(
        "fermi-2fhl.yaml",
        "fermi-2fhl",
        "The sky above 50 GeV, seen by the Fermi Large Area Telescope in 80 months (2FHL): every "
        "photon by itself, no pixels. [Imaging instruments](imaging.md) compares it with the "
        "catalogue.",
    ),
    Entry(
        "fermi-3fhl.yaml",
        "fermi-3fhl",
        "The sky above 10 GeV in 84 months (3FHL): counts in HEALPix pixels of 0.9 degrees. The "
        "model of the background is crude in the Galactic plane, which therefore shines.",
    ),
    Entry(
        "fermi-gc.yaml",
        "fermi-gc",
        "The Galactic centre above 10 GeV: a cube of images in plate carree projection. Left of "
        "the centre the supernova remnants W28 and G8.7-0.1, below them the pulsar "
        "PSR J1809-2332.",
    ),
    Entry(
        "hess-crab.yaml",
        "hess-crab",
        "The Crab Nebula above 1 TeV in four runs of H.E.S.S. (public test data, HESS DL3 DR1, "
        "H.E.S.S. collaboration 2018; no scientific publications may be derived from them).",
    ),
    Entry(
        "hawc-crab.yaml",
        "hawc-crab-curved",
        "The Crab Nebula in five event classes of HAWC at once, one flux "
        "([Joint analyses](joint.md)), with the curved spectrum of Abeysekara et al. 2017.",
    ),
)


LINKED = (
    (
        "light-curve-pulse",
        "Light curve of a simulated burst: a flux for each bin of 2 s with one position and one "
        "index for all (points), and a Gaussian pulse with its 68 % band (line).",
    ),
    ("spectrum-shape", "Its spectrum, the mean over the livetime, with its 68 % band."),
    ("corner-shape", "Samples of the numbers of the pulse; crosses are true values."),
    ("parameters-shape", "Its parameters: fixed grey, free white, functions blue."),
)
"""Figures of a model, and what the page says of each."""


def main() -> None:
    """Make images and page, and print the table."""
    if "SKYQUILT_DATA" not in os.environ:
        sys.exit("set SKYQUILT_DATA to the folder that has fermi/, hess/ and hawc/")
    with tempfile.TemporaryDirectory() as folder:
        rows = [make_entry(entry, Path(folder)) for entry in ENTRIES]
        rows.insert(-1, make_entry(ENTRIES[-1]._replace(analysis="hawc-crab"), Path(folder)))
        draw_model(Path(folder))
    PAGE.write_text(page(rows), encoding="utf-8")
    print(table(rows))


def make_entry(entry: Entry, folder: Path) -> dict[str, Any]:
    """Run an example and draw its map, if it has one on the page; numbers for the table."""
    from skyquilt.problem.file import read_problem

    subprocess.run(
        ["skyquilt", "run", "--config", EXAMPLES / entry.file, "--analysis", entry.analysis],
        cwd=folder,
        check=True,
    )
    results = folder / "results" / entry.analysis
    summary = json.loads((results / "summary.json").read_text(encoding="utf-8"))
    if entry in ENTRIES:
        draw_map(entry, results, summary)
    cpu = sum(stage["cpu_s"] for stage in summary["stages"])
    counts = read_problem(results / "problem.h5").counts.sum()
    return {"entry": entry, "summary": summary, "cpu": cpu, "counts": counts}


def draw_map(entry: Entry, results: Path, summary: dict[str, Any]) -> None:
    """TS map of an example, as `skyquilt plot` draws it."""
    from skyquilt.localisation.file import SKYMAP
    from skyquilt.maps.file import read_skymap
    from skyquilt.maps.multiorder_file import read_multiorder
    from skyquilt.plots.figures import draw_figures
    from skyquilt.sources.file import read_positions

    list_file = results / "sources.fits"
    figures = draw_figures(
        read_skymap(results / "maps.fits")[0],
        read_multiorder(results / "skymap.multiorder.fits", SKYMAP)[0],
        summary,
        {},
        get_analysis(load_config(EXAMPLES / entry.file), entry.analysis).plots,
        read_positions(list_file) if list_file.exists() else None,
    )
    name, figure = next(figures)
    if name != "ts":
        raise RuntimeError(f"the first figure is {name}, no TS map.")
    figure.savefig(image_of(entry), dpi=DPI, metadata={"Software": None})


def draw_model(folder: Path) -> None:
    """Figures of the model of the demo."""
    from PIL import Image

    plots = "results/grb-linked/model/plots"
    demo = ROOT / "config" / "demo.yaml"
    subprocess.run(["skyquilt", "workflow", "--config", demo, "--", plots], cwd=folder, check=True)
    for name, _ in LINKED:
        image = Image.open(folder / plots / f"{name}.png").convert("P")  # without its provenance
        image.save(IMAGES / f"gallery-{name}.png", optimize=True)


def image_of(entry: Entry) -> Path:
    """Image of an example."""
    return IMAGES / f"gallery-{entry.analysis}.png"


def page(rows: list[dict[str, Any]]) -> str:
    """The page in Markdown."""
    return "\n".join(
        [
            "# Gallery",
            "",
            "Maps of real data, made from public files by `make gallery` (SKYQUILT_DATA names",
            "their folder), which writes this page. Each is one file of `config/examples/`:",
            "",
            "```console",
            "$ skyquilt run --config config/examples/hess-crab.yaml",
            "```",
            "",
            table(rows),
            "",
            *sections(),
        ]
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Table of figures in Markdown."""
    lines = [
        "| analysis | hypotheses | counts | highest sqrt(TS) | there, RA and Dec | photon flux "
        "there [cm⁻² s⁻¹] | between | CPU, files to regions |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(row_of, rows)])


def row_of(row: dict[str, Any]) -> str:
    """Line of the table."""
    from skyquilt.spectra.energies import format_range

    summary, best = row["summary"], row["summary"]["best"]
    position = f"{best['icrs']['lon']:.2f}°, {best['icrs']['lat']:+.2f}°"
    cells = (
        row["entry"].analysis,
        f"{summary['pixels']['n_pixels']:,}",
        f"{row['counts']:,.0f}",
        f"{best['sqrt_ts']:.1f}",
        position,
        f"{best['photon_flux']:.2e} ± {best['photon_flux'] * best['flux_err'] / best['flux']:.1e}",
        format_range(*summary["energy_range_keV"]),
        f"{row['cpu']:.0f} s",
    )
    return f"| {' | '.join(cells)} |"


def sections() -> Iterator[str]:
    """One section per image."""
    for entry in ENTRIES:
        yield f"## {entry.analysis}"
        yield ""
        yield f"{entry.text} `config/examples/{entry.file}`"
        yield ""
        yield f"![TS map of {entry.analysis}](images/{image_of(entry).name})"
        yield ""
    yield "## grb-linked"
    yield ""
    yield "What a burst does, by a [model](model.md) over 20 bins of time. `config/demo.yaml`"
    yield ""
    for name, text in LINKED:
        yield f"![{text.partition(':')[0]}](images/gallery-{name}.png)"
        yield ""
        yield text
        yield ""


if __name__ == "__main__":
    main()
