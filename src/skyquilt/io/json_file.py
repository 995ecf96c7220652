"""JSON products: indented for people, with a checksum of their content."""

import json
from pathlib import Path
from typing import Any

from skyquilt.io.digest import settings_digest
from skyquilt.io.products import write_text


def write_json(path: str | Path, content: dict[str, Any]) -> None:
    """Write a product with `sha256`, the digest of all its other keys, as the last one."""
    signed = content | {"sha256": settings_digest(content)}
    write_text(path, json.dumps(signed, indent=2, allow_nan=False) + "\n")


def is_intact(content: dict[str, Any]) -> bool:
    """Whether the content of a JSON file is that which was written; true if it does not say."""
    unsigned = {key: value for key, value in content.items() if key != "sha256"}
    return "sha256" not in content or settings_digest(unsigned) == content["sha256"]
