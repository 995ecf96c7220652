"""Step `contract`: response times spectrum into tables that analyses share."""

from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.instruments.compton.table import contract
from skyquilt.io.json_file import write_json


def contract_analysis(config: Config, name: str, output: str | Path) -> None:
    """Make the tables of an analysis, or find them in the cache; `output` names them.

    Data sets of instruments that have no response to contract are passed over.
    """
    parts = get_analysis(config, name).contracted_parts()
    tables = {dataset: contract(part, config.cache).path for dataset, part in parts.items()}
    note = {"schema": "skyquilt/table-note", "schema_version": "1.0", "tables": tables}
    write_json(output, note)
