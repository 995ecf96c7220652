"""Fluxes of the sources of catalogues in bands, against the catalogues: tables of docs/targets.md.

    export SKYQUILT_DATA=<folder of the data>
    python benchmarks/targets_table.py 2fhl roster
    python benchmarks/targets_table.py 2fhl results/fermi-2fhl/targets/seds.ecsv

The first writes a roster of all sources of the catalogue, roster-2fhl.ecsv; the second compares the
table of an analysis that has it. Of spectra.ecsv it compares the indices of the model `pl`.
"""

import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.table import Table

CATALOGUES = {"2fhl": "gll_psch_v09.fit.gz", "3fhl": "gll_psch_v13.fit.gz"}
EDGES = {"2fhl": [50, 171, 585, 2000], "3fhl": [10, 20, 50, 150, 500, 2000]}  # GeV
NAMED = {
    "Crab": "J0534.5+2201",
    "Mkn 421": "J1104.4+3812",
    "Mkn 501": "J1653.8+3945",
    "PG 1553+113": "J1555.7+1111",
}


def read_catalogue(root, which):
    table = Table.read(root / "fermi" / "catalogs" / CATALOGUES[which], 1)
    names = [str(name).strip().replace(" ", "_") for name in table["Source_Name"]]
    return table, np.array(names)


def write_roster(root, which, path):
    """Roster of all sources of a catalogue."""
    table, names = read_catalogue(root, which)
    position = {"ra": table["RAJ2000"], "dec": table["DEJ2000"]}
    columns = {key: np.array(values, float) for key, values in position.items()}
    Table({"name": names, **columns}).write(path, overwrite=True)


def in_bands(seds, names, index, edges):
    """Fluxes of sources in other bands, each shared out by its index; largest TS in them."""
    flux, ts = np.zeros((2, len(names), len(edges) - 1))
    row = {name: number for number, name in enumerate(dict.fromkeys(seds["name"]))}
    order = np.array([row[name] for name in names])
    e_min, e_max, own, own_ts = (
        np.array(seds[key], float).reshape(len(row), -1)[order]
        for key in ("e_min", "e_max", "flux", "ts")
    )

    def integral(low, high):
        power = 1 - index[:, np.newaxis]
        return high**power - low**power

    for band, (low, high) in enumerate(np.array([edges[:-1], edges[1:]]).T * 1e3):
        inner, outer = np.maximum(e_min, low), np.minimum(e_max, high)
        part = np.where(outer > inner, integral(inner, outer) / integral(e_min, e_max), 0.0)
        flux[:, band] = np.sum(own * part, axis=1)
        ts[:, band] = np.sum(own_ts * part, axis=1)
    return flux, ts


def wanted_fluxes(table, which):
    """Fluxes of a catalogue in its bands, and the root of TS if it has that."""
    if which == "3fhl":
        return np.array(table["Flux_Band"], float), np.array(table["Sqrt_TS_Band"], float)
    columns = ("Flux50_171GeV", "Flux171_585GeV", "Flux585_2000GeV")
    return np.array([table[name] for name in columns], float).T, None


def compare(root, which, seds):
    """Ratios of our fluxes to those of the catalogue, and which of them count."""
    table, names = read_catalogue(root, which)
    index = "PowerLaw_Index" if "PowerLaw_Index" in table.colnames else "Spectral_Index"
    index = np.array(table[index], float)
    wanted, root_ts = wanted_fluxes(table, which)
    flux, ts = in_bands(seds, names, index, EDGES[which])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = flux / wanted
    if root_ts is not None:
        chosen = (np.abs(np.array(table["GLAT"], float)) > 20)[:, np.newaxis] & (root_ts > 5)
    else:
        is_point = np.array([not name.endswith("e") for name in names])
        chosen, root_ts = ((index < 2.5) & is_point)[:, np.newaxis] & (ts > 4), np.sqrt(ts)
    return names, ratio, chosen & (wanted > 0), root_ts


def describe(names, ratio, chosen, root_ts, edges):
    print(f"| band | sources | median ratio | 16 %, 84 % | {' | '.join(NAMED)} |")
    print("|---" * (4 + len(NAMED)) + "|")
    for band, (low, high) in enumerate(pairwise(edges)):
        own = ratio[chosen[:, band], band]
        low_part, high_part = np.percentile(own, [16, 84])
        cells = [f"{low}-{high} GeV", own.size, f"{np.median(own):.3f}"]
        cells += [f"{low_part:.2f}, {high_part:.2f}"]
        for name in NAMED.values():
            (number,) = np.flatnonzero(np.char.find(names, name) >= 0)[:1].tolist() or [None]
            is_bright = number is not None and root_ts[number, band] > 10
            cells.append(f"{ratio[number, band]:.3f}" if is_bright else "")
        print(f"| {' | '.join(map(str, cells))} |")


def describe_indices(root, which, spectra):
    """Indices of power laws against those of the catalogue."""
    table, names = read_catalogue(root, which)
    key = "PowerLaw_Index" if "PowerLaw_Index" in table.colnames else "Spectral_Index"
    wanted, error = -np.array(table[key], float), np.array(table[f"Unc_{key}"], float)
    own = spectra[spectra["spectrum"] == "pl"]
    row = {name: number for number, name in enumerate(own["name"])}
    order = [row[name] for name in names]
    index, index_err = (np.array(own[name], float)[order] for name in ("index", "index_err"))
    latitude, significance = (np.array(table[name], float) for name in ("GLAT", "Signif_Avg"))
    chosen = (np.abs(latitude) > 10) & (significance > 8)
    apart = (index - wanted)[chosen]
    scatter = 1.4826 * np.median(np.abs(apart / error[chosen]))
    print(
        f"{chosen.sum()} sources: median difference {np.median(apart):.3f}, scatter {scatter:.2f} "
        "of the catalogue's errors"
    )
    for name, place in NAMED.items():
        number = np.flatnonzero(np.char.find(names, place) >= 0)[0]
        print(f"{name}: {index[number]:.3f} +- {index_err[number]:.3f}")


if __name__ == "__main__":
    root = Path(os.environ["SKYQUILT_DATA"])
    which, path = sys.argv[1:]
    if path == "roster":
        write_roster(root, which, f"roster-{which}.ecsv")
    elif path.endswith("spectra.ecsv"):
        describe_indices(root, which, Table.read(path))
    else:
        describe(*compare(root, which, Table.read(path)), EDGES[which])
