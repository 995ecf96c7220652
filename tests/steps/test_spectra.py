"""Analyses of several spectra, from the configuration to the maps."""

import json
from pathlib import Path

import numpy as np
import pytest

from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.compton.response.model import Response
from skyquilt.instruments.compton.table import contract, contract_all
from skyquilt.maps.file import read_skymap
from skyquilt.steps.check import check_files
from skyquilt.steps.contract import contract_analysis
from skyquilt.steps.run import run_analysis

INDICES = {"hard": -1.0, "normal": -2.0, "soft": -3.5}


@pytest.fixture
def spectra(galactic):
    """Observation in the galactic frame, with three spectra."""
    one = galactic.settings.pop("spectrum")
    galactic.settings["spectra"] = {name: one | {"index": k} for name, k in INDICES.items()}
    return galactic


def maps_of_one(observation, name):
    """Maps of one of the spectra by itself."""
    spectra = observation.settings.pop("spectra")
    observation.settings["spectrum"] = spectra[name]
    columns = observation.run().columns
    del observation.settings["spectrum"]
    observation.settings["spectra"] = spectra
    return columns


def test_maps_have_the_best_of_all_spectra(spectra):
    found = spectra.run().columns
    each = [maps_of_one(spectra, name) for name in INDICES]
    np.testing.assert_array_equal(found["ts"], np.max([one["ts"] for one in each], axis=0))
    for pixel, template in enumerate(found["template"].astype(int)):
        for name in ("flux", "flux_ul", "photon_flux", "npred", "status"):
            assert found[name][pixel] == each[template][name][pixel]
    assert len(set(found["template"])) > 1


def test_maps_name_the_spectra(spectra):
    spectra.run()
    _, record = read_skymap(spectra.path("results/tiny/maps.fits"))
    assert list(record["description"]["templates"]) == list(INDICES)
    assert "index -3.5" in record["description"]["templates"]["soft"]


def test_summary_names_the_best_spectrum_and_how_many_were_tried(spectra):
    run_analysis(spectra.config(), "tiny", 1)
    with open(spectra.path("results/tiny/summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    assert summary["n_spectra"] == 3
    assert summary["best"]["template"] in INDICES


def asked(analysis):
    """What the instrument of an analysis with one data set is asked, one for each spectrum."""
    [by_spectrum] = analysis.contracted().values()
    return list(by_spectrum.values())


def test_response_is_read_once_for_all_spectra(spectra, monkeypatch):
    analyses, starts, before = asked(spectra.analysis()), [], Response.blocks

    def blocks(self, channels):
        starts.append(channels)
        return before(self, channels)

    monkeypatch.setattr(Response, "blocks", blocks)
    together = contract_all(analyses, spectra.path("cache"))
    assert len(starts) == 1
    for one, found in zip(analyses, together, strict=True):
        alone = contract(one, spectra.path("another"))
        assert np.asarray(alone.rows).tobytes() == np.asarray(found.rows).tobytes()
        assert alone.totals.tobytes() == found.totals.tobytes()


def test_tables_that_are_there_are_not_made_again(spectra):
    analyses = asked(spectra.analysis())
    first = Path(contract(analyses[1], spectra.path("cache")).path)
    before = first.stat()
    tables = [Path(table.path) for table in contract_all(analyses, spectra.path("cache"))]
    assert tables[1] == first
    assert len(set(tables)) == 3
    assert (first.stat().st_ino, first.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_contract_names_the_table_of_each_spectrum(spectra):
    contract_analysis(spectra.config(), "tiny", spectra.path("table.json"))
    with open(spectra.path("table.json"), encoding="utf-8") as file:
        assert list(json.load(file)["tables"]) == list(INDICES)


def test_check_reads_all_spectra(spectra):
    assert check_files(spectra.config()).startswith("tiny: good;")
    spectra.settings["spectra"]["soft"]["index"] = 1e4
    with pytest.raises(InputError, match=r"analysis tiny: spectrum .*the flux overflows"):
        check_files(spectra.config())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spectrum": {"model": "power_law"}}, "and not both"),
        ({"spectra": None}, "give `spectrum`, or several as `spectra`"),
        ({"spectra": {}}, "spectra"),
        ({"sources": {}}, "`sources` needs one `spectrum`"),
        (
            {"sources": {}, "spectra": None, "spectrum": {}, "fit": {"background": "free"}},
            "`sources` needs `fit: {background: fixed}`",
        ),
    ],
)
def test_spectra_that_cannot_be_are_named(spectra, change, message):
    if "spectrum" in change:
        change = change | {"spectrum": spectra.settings["spectra"]["soft"]}
    spectra.settings |= change
    with pytest.raises(ConfigError, match=message):
        spectra.config()
