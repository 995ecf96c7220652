"""One change of a file."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Change(NamedTuple):
    """What is done to a good file.

    Attributes
    ----------
    name : str
        What is changed and how, as "hist/contents: nan".
    apply : callable
        Changes the file at a path.
    is_equal : bool
        Whether the file says the same afterwards, so that no number may differ.
    """

    name: str
    apply: Callable[[Path], None]
    is_equal: bool = False


def of_bytes(name: str, edit: Callable[[bytes], bytes], *, is_equal: bool = False) -> Change:
    """Change of a file's content."""
    return Change(name, lambda path: _replace(path, edit(path.read_bytes())), is_equal)


def of_text(name: str, edit: Callable[[str], str], *, is_equal: bool = False) -> Change:
    """Change of the text of a file (UTF-8)."""
    return of_bytes(name, lambda content: edit(content.decode()).encode(), is_equal=is_equal)


def _replace(path: Path, content: bytes) -> None:
    path.unlink()  # the name may be a hard link
    path.write_bytes(content)
