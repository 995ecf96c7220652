"""Fluxes of the sources of catalogues in bands, against the catalogues: tables of docs/targets.md.

    export SKYQUILT_DATA=<folder of the data>
    python benchmarks/targets_table.py 2fhl roster
    python benchmarks/targets_table.py 2fhl results/fermi-2fhl/targets/seds.ecsv

The first writes a roster of all sources of the catalogue, roster-2fhl.ecsv; the second compares the
table of an analysis that has it.
"""

import os
import sys
from pathlib import Path

import numpy as np
from astropy.table import Table

CATALOGUES = {"2fhl": "gll_psch_v09.fit.gz", "3fhl": "gll_psch_v13.fit.gz"}
BANDS = {
    "2fhl": {"Flux50_171GeV": 50e3, "Flux171_585GeV": 171e3, "Flux585_2000GeV": 585e3},
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


def compare(root, which, seds):
    """Per band: catalogue's and our flux and TS of each source of the catalogue."""
    table, names = read_catalogue(root, which)
    found = {}
    for column, low in BANDS[which].items():
        own = seds[np.abs(seds["e_min"] / low - 1) < 1e-3]
        row = {name: number for number, name in enumerate(own["name"])}
        number = [row[name] for name in names]
        flux, ts = (np.array(own[key], float)[number] for key in ("flux", "ts"))
        found[column] = np.array(table[column], float), flux, ts
    return table, names, found


def describe(table, names, found):
    index = np.array(table["Spectral_Index"], float)
    is_point = np.array([not name.endswith("e") for name in names])
    crab = np.char.find(names, "J0534.5+2201") >= 0
    print("| band | sources | median ratio | 16 %, 84 % | Crab |")
    print("|---|---|---|---|---|")
    for column, (wanted, flux, ts) in found.items():
        chosen = (index < 2.5) & is_point & (ts > 4) & (wanted > 0)
        ratio = flux[chosen] / wanted[chosen]
        low, high = np.percentile(ratio, [16, 84])
        of_crab = (flux / wanted)[crab][0]
        name = column.removeprefix("Flux").removesuffix("GeV").replace("_", "-")
        print(
            f"| {name} GeV | {chosen.sum()} | {np.median(ratio):.3f} | {low:.2f}, {high:.2f} "
            f"| {of_crab:.3f} |"
        )


if __name__ == "__main__":
    root = Path(os.environ["SKYQUILT_DATA"])
    which, path = sys.argv[1:]
    if path == "roster":
        write_roster(root, which, f"roster-{which}.ecsv")
    else:
        describe(*compare(root, which, Table.read(path)))
