"""JSON products: indented for people, with a checksum of their content."""

import json
from pathlib import Path
from typing import Any

from skyquilt.errors import ProductError
from skyquilt.io.digest import settings_digest
from skyquilt.io.products import write_text


def write_json(path: str | Path, content: dict[str, Any]) -> None:
    """Write a product with `sha256`, the digest of all its other keys, as the last one."""
    signed = content | {"sha256": settings_digest(content)}
    write_text(path, json.dumps(signed, indent=2, allow_nan=False) + "\n")


def read_json(path: str | Path, advice: str) -> dict[str, Any]:
    """Read a product that `write_json` wrote.

    Raises
    ------
    ProductError
        If it is missing, damaged, or has no checksum; the message ends in `advice`.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ProductError(f"{path}: cannot be read ({error}); {advice}.") from error
    if not isinstance(content, dict) or not is_intact(content):
        raise ProductError(f"{path}: damaged: its checksum differs, or it has none; {advice}.")
    return content


def is_intact(content: dict[str, Any]) -> bool:
    """Whether the content of a JSON file is that which was written, as its checksum tells."""
    unsigned = {key: value for key, value in content.items() if key != "sha256"}
    return settings_digest(unsigned) == content.get("sha256")
