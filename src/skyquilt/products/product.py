"""What is told of a product: its files, its verb, and what it depends on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

Sections = Mapping[str, bool | frozenset[str]]
"""Sections of an analysis: whole (True), or some of their keys."""

LISTING = "figures.json"
"""List in a folder of figures; it stands for the folder."""

INDEX = "index.html"
"""Page of all analyses, beside their folders."""


class Content(NamedTuple):
    """A file of a product, or a folder of files.

    Attributes
    ----------
    path : str
        Where it is, in the folder of the analysis; a pattern, where each fit of a model has its
        own.
    kinds : tuple of str
        What the file may be, as "skyquilt/maps", or the files in the folder.
    about : str
        What the page says of it, "" if the page does not link it.
    folder : {"", "parts", "figures", "whole"}
        A file; or a folder of parts that jobs of their own make; or one that is made as a whole:
        of figures with a list of them, or of other files.
    parts : tuple of str
        Patterns of the names in a folder of parts.
    """

    path: str
    kinds: tuple[str, ...]
    about: str = ""
    folder: Literal["", "parts", "figures", "whole"] = ""
    parts: tuple[str, ...] = ()

    def find(self, folder: Path) -> list[Path]:
        """What is there of it in the folder of an analysis."""
        if "*" in self.path:
            return sorted(folder.glob(self.path))
        return [folder / self.path] if (folder / self.path).exists() else []


class Product(NamedTuple):
    """Files that are made together.

    Attributes
    ----------
    name : str
        Name of the product.
    contents : tuple of Content
        Its files and folders; the first tells what the product answers.
    verb : str
        Verb of `skyquilt` that makes it.
    about : str
        What the verb makes of what, for the help.
    sections : dict
        Settings that it depends on, besides those of what it is made from.
    needs : tuple of str
        Products that it is made from.
    data : {"", "measurement", "responses", "catalogue", "rosters", "populations"}
        Input files that it is made from.
    asked_by : str
        Section without which an analysis does not have it, "" if every one has it.
    of_map : bool
        Whether it is of a map, which an analysis with a model only does not have.
    in_run : bool
        Whether `skyquilt run` makes it, too; the workflow makes all.
    """

    name: str
    contents: tuple[Content, ...]
    verb: str
    about: str
    sections: Sections
    needs: tuple[str, ...] = ()
    data: Literal["", "measurement", "responses", "catalogue", "rosters", "populations"] = ""
    asked_by: str = ""
    of_map: bool = False
    in_run: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of all contents."""
        return tuple(content.path for content in self.contents)
