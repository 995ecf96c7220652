"""Paths of input files, looked at before a library opens them and tells less."""

import os
from pathlib import Path

from skyquilt.errors import InputError


def check_file(path: str, what: str) -> None:
    """Refuse what is no file that can be read; `what` it should be is named, as "a response".

    Raises
    ------
    InputError
        If it is a folder, missing, or of someone else.
    """
    if Path(path).is_dir():
        raise InputError(f"{path}: a folder; name {what} in it.")
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: no permission to read it; ask its owner, or copy it.")
