"""Step `contract`: response times spectrum into tables that analyses share."""

from pathlib import Path
from typing import Any

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.instruments.compton.table import contract_all
from skyquilt.io.json_file import write_json
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.io.schema import Schema
from skyquilt.runs.answers import answer_from

# 1.0  first version
SCHEMA = Schema("skyquilt/table-note", "1.0", "skyquilt contract")


def contract_analysis(config: Config, name: str, output: str | Path) -> None:
    """Make the tables of an analysis, or find them in the cache; `output` names them.

    A response is read once for all spectra.

    Data sets of instruments that have no response to contract are passed over.
    """
    clock = start_clock()
    analysis = get_analysis(config, name)
    contracted = analysis.contracted()
    tables = {}
    for dataset, asked in contracted.items():
        made = contract_all(list(asked.values()), config.cache)
        for spectrum, table in zip(asked, made, strict=True):
            tables["/".join(filter(None, (dataset, spectrum)))] = table.path
    provenance = Provenance(
        "contract",
        {dataset: _settings(analysis, dataset) for dataset in contracted},
        analysis.responses(),
        Path(config.cache) / "digests",
        clock=clock,
        answers=answer_from(config, name, "table"),
    )
    write_json(output, SCHEMA, {"tables": tables, "provenance": provenance.record()})


def _settings(analysis: Analysis, dataset: str) -> dict[str, Any]:
    energy = analysis.all_datasets()[dataset].energy.model_dump(mode="json")
    return {"energy": energy, **analysis.model_dump(mode="json", include={"spectrum", "spectra"})}
