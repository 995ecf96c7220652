"""Templates filled in: pages as text."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from struct import unpack
from typing import TYPE_CHECKING, Any

from skyquilt import __version__
from skyquilt.errors import ProductError

if TYPE_CHECKING:
    from markupsafe import Markup

_PNG = b"\x89PNG\r\n\x1a\n"
_WIDE = 900  # [pixel]; figures of one column have 669, those across a page 1339


@dataclass(frozen=True)
class Picture:
    """Figure inside a page.

    Attributes
    ----------
    png : str
        Its file, base64.
    width, height : int
        Size [pixel].
    alt : str
        What it shows, for those who cannot see it.
    caption : str
        Text below it.
    """

    png: str
    width: int
    height: int
    alt: str
    caption: str

    @property
    def is_wide(self) -> bool:
        """Whether it needs a row of its own: drawn across a page rather than a column."""
        return self.width > _WIDE


@dataclass(frozen=True)
class Table:
    """Table of a page.

    Attributes
    ----------
    heads : sequence of str
        Titles of the columns.
    rows : sequence of sequences of str
        Cells.
    numbers : set of int
        Columns that hold numbers, from 0; they are set to the right.
    caption : str
        Text above it.
    is_sortable : bool
        Whether its rows may be sorted and filtered.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    caption: str = ""
    is_sortable: bool = False


@dataclass(frozen=True)
class Fold:
    """Text that opens on demand."""

    title: str
    text: str


@dataclass(frozen=True)
class FileLink:
    """File beside the page."""

    path: str
    text: str


@dataclass(frozen=True)
class PageSection:
    """Part of a page; its pieces are shown in the order of the attributes.

    Attributes
    ----------
    id, title : str
        Anchor and heading.
    texts : sequence of str
        Paragraphs.
    tables, figures, folds, links : sequences
        Pieces.
    """

    id: str
    title: str
    texts: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Picture] = ()
    folds: Sequence[Fold] = ()
    links: Sequence[FileLink] = ()


def read_picture(path: str | Path, alt: str, caption: str) -> Picture:
    """Read a PNG file into a picture.

    Raises
    ------
    ProductError
        If the file cannot be read or is no PNG.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ProductError(f"{path}: cannot be read ({error}); run `skyquilt plot`.") from error
    if not content.startswith(_PNG) or len(content) < 24:
        raise ProductError(f"{path}: not a PNG file; draw it again with `skyquilt plot`.")
    width, height = unpack(">II", content[16:24])  # of the header chunk, always the first
    return Picture(b64encode(content).decode("ascii"), width, height, alt, caption)


def read_script(name: str) -> "Markup":
    """Script of this package, to be put into a page as it is."""
    from markupsafe import Markup

    return Markup((files("skyquilt.report") / name).read_text(encoding="utf-8"))


def render(template: str, content: Mapping[str, Any], seal: str = "") -> str:
    """Fill in a template of this package.

    Parameters
    ----------
    template : str
        File name, as "analysis.html".
    content : dict
        Values that the template names.
    seal : str
        Provenance, see `skyquilt.io.seal`.

    Returns
    -------
    str
        The page; all values are escaped.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("skyquilt.report", "."), autoescape=True, undefined=StrictUndefined
    )
    common = {
        "seal": Markup(seal),
        "version": __version__,
        "made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "style": Markup((files("skyquilt.report") / "style.css").read_text(encoding="utf-8")),
    }
    return environment.get_template(template).render(common | dict(content))
