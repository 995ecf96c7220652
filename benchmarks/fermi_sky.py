"""The sky of Fermi-LAT against the catalogues 2FHL and 3FHL, and what a map of it costs.

    SKYQUILT_DATA=<folder of the data> python benchmarks/fermi_sky.py

Fluxes and test statistics are fitted at the positions of the catalogues, which were made by
others, unbinned, with the Fermi Science Tools. The times are those of the examples
config/examples/fermi-2fhl.yaml and fermi-3fhl.yaml.
"""

import one_thread  # noqa: F401

# isort: split
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from measuring import SKYQUILT, Cost, Figure, at_least, below, cost_of, print_table, run_process

from skyquilt.config import Config, load_config
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.likelihood.poisson import FluxFit
from skyquilt.problem import FitProblem
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation, separation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.spectra import integrate
from skyquilt.testing.analyses import ask_one

EXAMPLES = Path(__file__).parents[1] / "config/examples"
PEER_CPU_S = 11.5
"""CPU time of an independent program for the 2FHL events and the same hypotheses [s]."""
BRIGHT = {"2fhl": 30.0, "3fhl": 100.0}
"""TS in the catalogue above which its sources are looked for; the pixels of 3FHL, six times as wide
as the point spread, leave a third of it."""
RADIUS = {"2fhl": 0.2, "3fhl": 1.0}
"""Separation within which they count as found [deg]; for 3FHL a pixel of the counts."""


class Catalogue(NamedTuple):
    """Point sources of a catalogue.

    Attributes
    ----------
    name : ndarray of str, shape (n,)
        Names.
    direction : ndarray of float64, shape (n, 3)
        Unit vectors, ICRS.
    lat : ndarray of float64, shape (n,)
        Galactic latitudes [deg].
    flux : ndarray of float64, shape (n,)
        Photon fluxes [ph cm-2 s-1].
    significance : ndarray of float64, shape (n,)
        Square roots of TS.
    r95 : ndarray of float64, shape (n,)
        Radii that hold the positions with 95 % [deg].
    """

    name: np.ndarray
    direction: np.ndarray
    lat: np.ndarray
    flux: np.ndarray
    significance: np.ndarray
    r95: np.ndarray


class Comparison(NamedTuple):
    """Fit at the positions of a catalogue.

    Attributes
    ----------
    fit : FluxFit
        One value per source.
    ratio : ndarray of float64, shape (n,)
        Fitted flux over that of the catalogue, in the energies of the catalogue.
    correlation : float
        Of the square roots of TS.
    """

    fit: FluxFit
    ratio: np.ndarray
    correlation: float


def read_catalogue(root: Path, survey: str) -> Catalogue:
    """Point sources of 2FHL or 3FHL."""
    from astropy.io import fits

    file = {"2fhl": "gll_psch_v09.fit.gz", "3fhl": "gll_psch_v13.fit.gz"}[survey]
    table = fits.getdata(root / "fermi/catalogs" / file, 1)
    name = np.char.strip(table["Source_Name"].astype(str))
    if survey == "2fhl":
        is_point = ~np.char.endswith(name, "e")
        flux, significance = table["Flux50"], np.sqrt(table["TS"])
        r95 = table["Pos_err_95"]
    else:
        is_point = np.char.strip(table["Extended_Source_Name"].astype(str)) == ""
        flux, significance = table["Flux"], table["Signif_Avg"]
        r95 = table["Conf_95_SemiMajor"]
    position = (table["RAJ2000"], table["DEJ2000"])
    ra, dec, *others = (
        np.array(column[is_point], dtype=float)
        for column in (*position, table["GLAT"], flux, significance, r95)
    )
    return Catalogue(name[is_point], lonlat_to_vec(ra, dec), *others)


def at_high_latitude(catalogue: Catalogue, degrees: float) -> Catalogue:
    """Sources farther from the galactic plane."""
    return Catalogue(*(column[np.abs(catalogue.lat) > degrees] for column in catalogue))


def load_example(survey: str) -> Config:
    """Configuration of an example."""
    return load_config(EXAMPLES / f"fermi-{survey}.yaml")


def make_example(survey: str) -> FitProblem:
    """Fit problem of an example."""
    return make_problem(ask_one(load_example(survey).analyses[f"fermi-{survey}"]))


def compare(survey: str, problem: FitProblem, catalogue: Catalogue) -> Comparison:
    """Fit at the positions of a catalogue."""
    directions = rotate(rotation("icrs", problem.frame), catalogue.direction)
    fit = fit_pixels(problem, directions)
    ratio = fit.flux * catalogue_flux(survey) / catalogue.flux
    correlation = np.corrcoef(np.sqrt(fit.ts), catalogue.significance)[0, 1]
    return Comparison(fit, ratio, float(correlation))


def catalogue_flux(survey: str) -> float:
    """Photon flux of the reference spectrum in the energies of a catalogue [ph cm-2 s-1]."""
    edges = {"2fhl": [5e7, 2e9], "3fhl": [1e7, 1e9]}[survey]  # keV
    spectrum = load_example(survey).analyses[f"fermi-{survey}"].spectrum
    return float(integrate(spectrum, edges)[0])


def figures(root: Path) -> Iterator[Figure]:
    """All figures, survey by survey."""
    yield from events_figures(root)
    yield from cube_figures(root)


def events_figures(root: Path) -> Iterator[Figure]:
    """2FHL: photons one by one."""
    problem, catalogue = make_example("2fhl"), read_catalogue(root, "2fhl")
    found = compare("2fhl", problem, catalogue)
    what = f"2FHL, {len(catalogue.flux)} point sources"
    yield ratio_figure(f"{what}: flux over that of the catalogue, median", found.ratio, 0.97, 1.03)
    yield Figure(f"{what}: 16 to 84 %", spread(found.ratio))
    yield at_least(f"{what}: correlation of sqrt(TS)", found.correlation, 0.99, "{:.4f}")
    yield at_least(f"{what}: with TS above 16", int(np.sum(found.fit.ts > 16)), 330, "{:d}")
    npix = 12 * load_example("2fhl").analyses["fermi-2fhl"].map.nside ** 2
    directions = nest_to_vec(256, np.arange(npix))
    cost = cost_of(lambda: fit_pixels(problem, directions))
    n_pair = count_pairs(problem, directions)
    yield Figure("2FHL: directions, pairs of direction and event", f"{npix:,}, {n_pair:,}")
    yield at_least(
        "2FHL: expectation and fit, times less CPU than an independent program's 11.5 s",
        *(PEER_CPU_S / cost.cpu, 5, "{:.1f}"),
    )
    yield from map_figures("2fhl")
    yield from source_figures(root, "2fhl")


def cube_figures(root: Path) -> Iterator[Figure]:
    """3FHL: photons in pixels."""
    problem = make_example("3fhl")
    catalogue = at_high_latitude(read_catalogue(root, "3fhl"), 20)
    found = compare("3fhl", problem, catalogue)
    what = f"3FHL above 20 deg, {len(catalogue.flux)} point sources"
    yield ratio_figure(f"{what}: flux over that of the catalogue, median", found.ratio, 0.95, 1.05)
    yield Figure(f"{what}: 16 to 84 %", spread(found.ratio))
    share = np.median(np.sqrt(found.fit.ts) / catalogue.significance)
    yield Figure(f"{what}: sqrt(TS) over significance, median", f"{share:.3f}")
    blocks = 4096 * np.arange(0, 192, 16)[:, np.newaxis] + np.arange(512)
    directions = nest_to_vec(256, blocks.ravel())
    cost = cost_of(lambda: fit_pixels(problem, directions))
    per_direction = cost.cpu / len(directions) * 1e6
    yield below("3FHL: expectation and fit, CPU per hypothesis", per_direction, 150, "{:.0f} µs")
    yield from source_figures(root, "3fhl")


def map_figures(survey: str) -> Iterator[Figure]:
    """Files to maps, by `skyquilt run` with two threads; no search for sources."""
    with tempfile.TemporaryDirectory() as folder:
        cost = run_example(survey, Path(folder), leave_out=("sources",))
    yield below(
        f"{survey.upper()}: files to maps, wall time on two cores", cost.wall, 10, "{:.1f} s"
    )
    yield Figure(f"{survey.upper()}: CPU of that", f"{cost.cpu:.1f} s")
    yield below(f"{survey.upper()}: peak memory", cost.peak_mb, 1000, "{:.0f} MB")


def source_figures(root: Path, survey: str) -> Iterator[Figure]:
    """Source list of a map against the catalogue, and how well it says where sources are."""
    from astropy.table import Table

    with tempfile.TemporaryDirectory() as folder:
        cost = run_example(survey, Path(folder))
        found = Table.read(Path(folder) / f"results/fermi-{survey}/sources.ecsv")
    catalogue, label = read_catalogue(root, survey), survey.upper()
    if survey == "3fhl":
        catalogue, label = at_high_latitude(catalogue, 20), "3FHL above 20 deg"
    yield Figure(
        f"{survey.upper()}: sources found, CPU with the search for them",
        f"{len(found)}, {cost.cpu:.0f} s",
    )
    direction = lonlat_to_vec(np.array(found["ra"]), np.array(found["dec"]))
    nearest = np.argmax(catalogue.direction @ direction.T, axis=1)
    offset = separation(catalogue.direction, direction[nearest])
    least, radius = BRIGHT[survey], RADIUS[survey]
    is_bright, is_found = catalogue.significance**2 > least, offset < radius
    missed = catalogue.name[is_bright & ~is_found]
    part = float(is_found[is_bright].mean())
    what = (
        f"{label}, {is_bright.sum()} point sources of TS above {least:g}: found within {radius} deg"
    )
    if survey == "2fhl":
        yield at_least(what, part, 0.95, "{:.3f}")
    else:
        yield Figure(what, f"{part:.3f}")
    yield Figure(f"{label}: of these not found", ", ".join(missed) or "none")
    is_known = is_bright & is_found
    flux = np.array(found["flux"])[nearest] * catalogue_flux(survey)
    ratio = (flux / catalogue.flux)[is_known]
    yield Figure(
        f"{label}: flux of the found over that of the catalogue, median and 16 to 84 %",
        f"{np.median(ratio):.3f}, {spread(ratio)}",
    )
    both = np.hypot(catalogue.r95, np.array(found["r95"])[nearest])
    is_known &= np.isfinite(both)
    yield Figure(
        f"{label}: offset from the catalogue, median", f"{np.median(offset[is_known]):.3f} deg"
    )
    inside = np.mean(offset[is_known] < both[is_known])
    what = "offsets within the 95 % errors of both, in quadrature (of the same photons)"
    yield Figure(f"{label}: {what}", f"{inside:.3f}")


def run_example(survey: str, folder: Path, leave_out: tuple[str, ...] = ()) -> Cost:
    """Cost of `skyquilt run` of an example, without some sections, in a folder.

    Errors of positions are statistical: the catalogue was made of the same photons.
    """
    settings = yaml.safe_load((EXAMPLES / f"fermi-{survey}.yaml").read_text(encoding="utf-8"))
    settings |= {"results": str(folder / "results"), "cache": str(folder / "cache")}
    analysis = settings["analyses"][f"fermi-{survey}"]
    analysis["localise"] = {**analysis.get("localise", {}), "systematic_error": 0}
    for name in leave_out:
        analysis.pop(name, None)
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return run_process([SKYQUILT, "run", "--config", folder / "config.yaml", "--threads", 2])


def count_pairs(problem: FitProblem, directions: np.ndarray) -> int:
    """Events within reach of each direction, summed."""
    parts = np.array_split(directions, 200)
    return sum(len(problem.expectation.block(part).bin) for part in parts)


def ratio_figure(name: str, ratio: np.ndarray, low: float, high: float) -> Figure:
    """Figure of a median that should lie between two values."""
    median = float(np.median(ratio))
    return Figure(name, f"{median:.3f}", f"{low:g} to {high:g}", low <= median <= high)


def spread(ratio: np.ndarray) -> str:
    """Percentiles 16 and 84."""
    low, high = np.percentile(ratio, [16, 84])
    return f"{low:.2f} to {high:.2f}"


if __name__ == "__main__":
    if "SKYQUILT_DATA" not in os.environ:
        raise SystemExit("set SKYQUILT_DATA to the folder of the data, above fermi/")
    print_table(figures(Path(os.environ["SKYQUILT_DATA"])))
