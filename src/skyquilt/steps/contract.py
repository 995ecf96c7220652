"""Step `contract`: response times spectrum into a table that analyses share."""

import json
from pathlib import Path

from skyquilt.config import Config, get_analysis
from skyquilt.instruments.compton.table import contract
from skyquilt.io.products import write_text


def contract_analysis(config: Config, name: str, output: str | Path) -> None:
    """Make the table of an analysis, or find it in the cache; `output` names it."""
    table = contract(get_analysis(config, name), config.cache)
    note = {"schema": "skyquilt/table-note", "schema_version": "1.0", "table": table.path}
    write_text(output, json.dumps(note, indent=2) + "\n")
