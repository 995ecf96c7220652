"""What a change makes stale in populations: the table of the cluster guide, cell by cell."""

import copy

import numpy as np
import pytest
from astropy.io import fits
from stale import read_table_of, setting

from skyquilt.config import parse_config
from skyquilt.runs.answers import Digests
from skyquilt.runs.freshness import find_stale
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.steps.run import run_analysis

LAW = {"model": "power_law", "norm": "1e-15 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.6}
FILES = ("events", "background", "exposure", "psf")
COLUMNS = {
    "`problem.h5`": {"population_problem"},
    "`densities.h5`": {"densities"},
    "`populations.json`, `posterior.h5`": {"population_fits"},
    "`classes.fits`": {"classes"},
}


def write_template(path, width):
    z = ring_to_vec(8, np.arange(768))[:, 2]
    column = fits.Column("BELT", "D", array=np.exp(-((z / width) ** 2)))
    table = fits.BinTableHDU.from_columns([column])
    table.header.update({"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": 8, "COORDSYS": "G"})
    table.writeto(path, overwrite=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Configuration of populations that were made."""
    folder = tmp_path_factory.mktemp("fresh")
    write_template(folder / "belt.fits", 0.3)
    config = {
        "cache": str(folder / "cache"),
        "results": str(folder / "results"),
        "simulation": {
            "instrument": "imaging",
            "folder": str(folder),
            "nside": 16,
            "background": {"isotropic": {"spectrum": LAW}},
        },
        "analyses": {
            "a": {
                "instrument": "imaging",
                "data": {name: {"path": str(folder / f"{name}.fits")} for name in FILES},
                "energy": {"range": ["20 GeV", "1 TeV"]},
                "populations": {
                    "components": {
                        "even": {"isotropic": True, "spectrum": LAW},
                        "belt": {"template": {"path": str(folder / "belt.fits")}, "spectrum": LAW},
                    },
                    "posterior": {"draws": 100},
                    "probabilities": 5,
                },
            }
        },
    }
    run_analysis(parse_config(config), "a", threads=1)
    return config


def other_template(analysis):
    template = analysis["populations"]["components"]["belt"]["template"]
    template["path"] = template["path"].replace("belt.fits", "other.fits")
    write_template(template["path"], 0.5)


CHANGES = {
    "`energy`, `instrument`, `data`": [setting("energy", "range", value=["30 GeV", "1 TeV"])],
    "`populations.components`, a template or a catalogue with other content": [
        setting("populations", "components", "even", "free", value={"index": [-4, -1]}),
        other_template,
    ],
    "`alpha`, `compare`, `posterior` of `populations`": [
        setting("populations", "alpha", value=2.0),
        setting("populations", "compare", value={"less": ["even"]}),
        setting("populations", "posterior", value={"draws": 200}),
    ],
    "`populations.probabilities`": [setting("populations", "probabilities", value=6)],
}
CELLS = [(row, number) for row, changes in CHANGES.items() for number in range(len(changes))]


def stale_in(config):
    parsed = parse_config(config)
    return {item.product for item in find_stale(parsed, "a", Digests(parsed.cache))}


def test_nothing_is_stale_in_what_was_just_made(made):
    assert stale_in(made) == set()


@pytest.mark.parametrize(("row", "number"), CELLS)
def test_change_makes_stale_what_the_documentation_says(made, row, number):
    heading, *rows = read_table_of("| change | `problem.h5` | `densities.h5` |")
    assert heading[1:] == list(COLUMNS)
    assert [one[0] for one in rows] == list(CHANGES)
    marks = next(one[1:] for one in rows if one[0] == row)
    marked = zip(COLUMNS.values(), marks, strict=True)
    want = set().union(*(products for products, mark in marked if mark))
    config = copy.deepcopy(made)
    CHANGES[row][number](config["analyses"]["a"])
    assert stale_in(config) == want
