"""JSON products: indented for people, with their kind and a checksum of their content."""

import json
from pathlib import Path
from typing import Any

from skyquilt.errors import ProductError
from skyquilt.io.digest import settings_digest
from skyquilt.io.products import write_text
from skyquilt.io.schema import Schema


def write_json(path: str | Path, schema: Schema, content: dict[str, Any]) -> None:
    """Write a product: first its kind, last `sha256`, the digest of all its other keys."""
    labelled = {"schema": schema.name, "schema_version": schema.version} | content
    signed = labelled | {"sha256": settings_digest(labelled)}
    write_text(path, json.dumps(signed, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path, schema: Schema) -> dict[str, Any]:
    """Read a product that `write_json` wrote.

    Raises
    ------
    ProductError
        If it is missing, damaged, has no checksum, or is of another kind or version.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or error
        raise ProductError(f"{path}: cannot be read ({why}); {schema.again}.") from error
    except (ValueError, RecursionError) as error:
        raise ProductError(f"{path}: cannot be read ({error}); {schema.again}.") from error
    if not isinstance(content, dict) or not is_intact(content):
        raise ProductError(
            f"{path}: damaged: its checksum differs, or it has none; {schema.again}."
        )
    schema.check(path, content.get("schema"), content.get("schema_version"))
    return content


def is_intact(content: dict[str, Any]) -> bool:
    """Whether the content of a JSON file is that which was written, as its checksum tells."""
    unsigned = {key: value for key, value in content.items() if key != "sha256"}
    return settings_digest(unsigned) == content.get("sha256")
