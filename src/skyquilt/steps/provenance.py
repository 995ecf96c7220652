"""Step `provenance`: what a product says of its origin."""

import json
from pathlib import Path

import yaml

from skyquilt.errors import ProductError
from skyquilt.io.inspect import inspect_file


def describe_provenance(path: str | Path, as_json: bool) -> str:
    """Provenance of a product as YAML or JSON; the file is compared with its checksums first.

    Raises
    ------
    ProductError
        If the file is damaged, or has no provenance.
    """
    content = inspect_file(path)
    if not content.record:
        raise ProductError(f"{path}: {content.schema or 'the file'} has no provenance.")
    record = {"schema": content.schema} | content.record
    if as_json:
        return json.dumps(record, indent=2, default=str)
    return yaml.safe_dump(json.loads(json.dumps(record, default=str)), sort_keys=False).rstrip()
