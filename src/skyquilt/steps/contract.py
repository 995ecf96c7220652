"""Step `contract`: response times spectrum into tables that analyses share."""

from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.instruments.compton.table import contract_all
from skyquilt.io.json_file import write_json
from skyquilt.io.provenance import Provenance, start_clock
from skyquilt.runs.answers import answer_from


def contract_analysis(config: Config, name: str, output: str | Path) -> None:
    """Make the tables of an analysis, or find them in the cache; `output` names them.

    A response is read once for all spectra.

    Data sets of instruments that have no response to contract are passed over.
    """
    clock = start_clock()
    parts = get_analysis(config, name).contracted_parts()
    tables = {}
    for dataset, part in parts.items():
        templates = part.templates()
        for template, table in zip(
            templates, contract_all(list(templates.values()), config.cache), strict=True
        ):
            tables["/".join(filter(None, (dataset, template)))] = table.path
    used = {"energy", "spectrum", "spectra"}
    provenance = Provenance(
        "contract",
        {dataset: part.model_dump(mode="json", include=used) for dataset, part in parts.items()},
        tuple(part.data.response for part in parts.values()),
        Path(config.cache) / "digests",
        clock=clock,
        answers=answer_from(config, name, "table"),
    )
    note = {"schema": "skyquilt/table-note", "schema_version": "1.0", "tables": tables}
    write_json(output, note | {"provenance": provenance.record()})
