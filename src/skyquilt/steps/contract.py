"""Step `contract`: response times spectrum into tables that analyses share."""

from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.instruments.compton.table import contract_all
from skyquilt.io.json_file import write_json


def contract_analysis(config: Config, name: str, output: str | Path) -> None:
    """Make the tables of an analysis, or find them in the cache; `output` names them.

    A response is read once for all spectra.

    Data sets of instruments that have no response to contract are passed over.
    """
    tables = {}
    for dataset, part in get_analysis(config, name).contracted_parts().items():
        templates = part.templates()
        for template, table in zip(
            templates, contract_all(list(templates.values()), config.cache), strict=True
        ):
            tables["/".join(filter(None, (dataset, template)))] = table.path
    note = {"schema": "skyquilt/table-note", "schema_version": "1.0", "tables": tables}
    write_json(output, note)
