"""Provenance and a checksum inside files that people open: figures, pages, outlines, text.

The seal is one line of JSON that the file's kind hides: metadata of a PNG or PDF file, a script
that no browser runs, a comment. Its `file_sha256` is the digest of the whole file with zeros in
that place.
"""

import json
import re
import zlib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from skyquilt.errors import ProductError
from skyquilt.io.products import new_product
from skyquilt.io.schema import Schema

KEY = "file_sha256"
"""Name of the digest; always the first of the seal."""
UNSEALED = "0" * 64
"""What stands in place of the digest before the file is sealed."""

_DIGEST = re.compile(rb"file_sha256\W{1,20}([0-9a-f]{64})")
_JSON = b'{"file_sha256":'
_PNG = b"\x89PNG"
_NOT_PLAIN = "<>&;()"  # end a script, a comment of a region file or a text of a PDF file


def seal_text(schema: Schema, record: Mapping[str, Any]) -> str:
    """Seal of a file that is not written yet: one line of ASCII.

    Examples
    --------
    >>> text = seal_text(Schema("skyquilt/figure", "1.0", "skyquilt plot"), {"stage": "plot"})
    >>> text[82:]
    '"schema":"skyquilt/figure","schema_version":"1.0","provenance":{"stage":"plot"}}'
    """
    content = {KEY: UNSEALED, "schema": schema.name, "schema_version": schema.version}
    text = json.dumps(content | {"provenance": record}, separators=(",", ":"))
    return "".join(f"\\u{ord(letter):04x}" if letter in _NOT_PLAIN else letter for letter in text)


def seal(content: bytes) -> bytes:
    """Content of a file with its digest in the seal.

    Raises
    ------
    ValueError
        If there is no seal in it.
    """
    blank = _with_digest(content, UNSEALED.encode())
    return _with_digest(blank, sha256(blank).hexdigest().encode())


def write_sealed(path: str | Path, text: str) -> None:
    """Write a text that holds the seal of `seal_text`, whole or not at all (UTF-8)."""
    with new_product(path) as partial:
        partial.write_bytes(seal(text.encode("utf-8")))


def check_seal(path: str | Path) -> bytes:
    """Content of a sealed file.

    Raises
    ------
    ProductError
        If it is not that which was written.
    """
    content = Path(path).read_bytes()
    try:
        is_whole = seal(content) == content
    except ValueError:
        raise ProductError(
            f"{path}: damaged: it does not have the checksum that skyquilt writes into it."
        ) from None
    if not is_whole:
        raise ProductError(f"{path}: damaged: its checksum differs.")
    return content


def read_seal(path: str | Path) -> dict[str, Any]:
    """Schema and provenance of a sealed file, compared with its checksum.

    Raises
    ------
    ProductError
        If it is not that which was written.
    """
    content = check_seal(path)
    text = content[content.index(_JSON) :]
    if content.startswith(b"%PDF"):
        text = text.replace(rb"\\", b"\\")  # in PDF each backslash of a text is two
    return json.JSONDecoder().raw_decode(text.decode("latin-1"))[0]


def _with_digest(content: bytes, digest: bytes) -> bytes:
    match = _DIGEST.search(content)
    if match is None:
        raise ValueError("no seal")
    start, stop = match.span(1)
    changed = content[:start] + digest + content[stop:]
    return _with_crc(changed, start) if content.startswith(_PNG) else changed


def _with_crc(content: bytes, offset: int) -> bytes:
    """PNG file with the right checksum of the chunk around an offset in its text."""
    begin = content.rindex(b"tEXt", 0, offset)
    end = begin + 4 + int.from_bytes(content[begin - 4 : begin], "big")
    crc = zlib.crc32(content[begin:end]).to_bytes(4, "big")
    return content[:end] + crc + content[end + 4 :]
