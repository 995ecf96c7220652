"""Paths of a configuration: the same for skyquilt, for Snakemake and for the libraries below.

Some libraries replace a `~` and others do not, and Snakemake takes braces for wildcards: neither is
allowed.
"""

import re
from pathlib import PurePath
from typing import Annotated

from pydantic import AfterValidator

_DOLLAR = re.compile(r"\$(?=\{|[A-Za-z_])\{?(\w*)")


def _check_path(path: str) -> str:
    if found := _DOLLAR.search(path):
        text, name = found.group(0, 1)
        raise ValueError(
            f"{path!r}: {text} is not replaced: write ${{{name or 'NAME'}}}, or "
            f"${{{name or 'NAME'}:-default}}"
        )
    if path.startswith("~"):
        user = path.partition("/")[0]
        full = f"${{HOME}}{path[1:]}" if user == "~" else "the full path"
        raise ValueError(
            f"{path!r}: {user} is not replaced: write {full}, or './{path}' if that is the name"
        )
    if not path.strip() or any(letter in "{}" or not letter.isprintable() for letter in path):
        raise ValueError(
            f"{path!r}: allowed are printable letters other than braces, at least one; rename the "
            "file or folder"
        )
    return path


def _check_output(path: str) -> str:
    if ".." in PurePath(path).parts:
        raise ValueError(
            f"{path!r}: `..` is not allowed where something is written: give a folder in the "
            "working folder, or its full path"
        )
    return path


InputPath = Annotated[str, AfterValidator(_check_path)]
"""Place of what is read."""

OutputPath = Annotated[str, AfterValidator(_check_path), AfterValidator(_check_output)]
"""Place of what is written; `..` would lead out of it."""
