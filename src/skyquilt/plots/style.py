"""Look of all figures, and how they are written.

No figure uses pyplot: none is kept in a global list, none needs a display, and matplotlib's
settings are as before once a figure is made.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from skyquilt.io.products import new_product
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.io.seal import seal, seal_text

FULL_WIDTH = 17.0
"""Width of a figure across the page [cm]."""
COLUMN_WIDTH = 8.5
"""Width of a figure in one column [cm]."""
UNFITTED = "0.85"
"""Colour of pixels without a value."""
FRAME_TITLES = {"galactic": "galactic coordinates", "icrs": "ICRS"}
AXIS_TITLES = {
    "galactic": ("galactic longitude $l$", "galactic latitude $b$"),
    "icrs": ("right ascension", "declination"),
}
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Colours of lines, safe for colour blindness (Okabe and Ito 2008)."""

ENDINGS = (".png", ".pdf")
"""Each figure is written with these endings."""

# 1.0  first version
_FIGURE = Schema("skyquilt/figure", "1.0", "skyquilt plot")

_LAYOUT_TABLES = ("GDEF", "GPOS", "GSUB", "MATH", "kern")
_CM = 1 / 2.54
_DPI = 200
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.linewidth": 0.6,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "pdf.fonttype": 42,  # whole TrueType fonts, which journals ask for
}
_SEAL_KEY = MappingProxyType({".png": "skyquilt", ".pdf": "Keywords"})
# without these, two runs give different bytes
_METADATA: Mapping[str, dict[str, str | None]] = MappingProxyType(
    {".png": {"Software": None}, ".pdf": {"CreationDate": None, "Producer": None, "Creator": None}}
)


@contextmanager
def figure_style() -> Iterator[None]:
    """Apply the settings of skyquilt's figures, whatever the user's own; restore them after.

    Also a decorator of the functions that make figures.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def new_figure(width: float, height: float) -> Figure:
    """Empty figure of a size in centimetres."""
    return Figure(figsize=(width * _CM, height * _CM), dpi=_DPI)


def format_degrees(value: float, digits: str = "g") -> str:
    """Angle as text, with a true minus sign.

    Examples
    --------
    >>> format_degrees(30.0), format_degrees(93.04, ".1f")
    ('30°', '93.0°')
    """
    return f"{format_number(value, digits)}°"


def format_number(value: float, digits: str = ".7g") -> str:
    """Number as text, with a true minus sign.

    Examples
    --------
    >>> format_number(100000.0)
    '100000'
    """
    return f"{value:{digits}}".replace("-", "\N{MINUS SIGN}")


def plain(text: str, n_letters: int = 64) -> str:
    r"""Text of a user as matplotlib draws it letter by letter: no formulas, nothing hidden.

    Parameters
    ----------
    text : str
        A label or name.
    n_letters : int, optional
        Most letters; a longer text is cut.

    Returns
    -------
    str
        The text with `$` escaped, and with a sign for letters that the font lacks.

    Examples
    --------
    >>> plain("A$b$"), plain("_x"), plain("a long one", 8)
    ('A\\$b\\$', ' _x', 'a long …')
    """
    cut = text if len(text) <= n_letters else f"{text[: n_letters - 1]}…"
    drawn = "".join(letter if ord(letter) in _letters() else "\ufffd" for letter in cut)
    # matplotlib leaves labels that begin with an underscore out of its legends
    return (" " if drawn.startswith("_") else "") + drawn.replace("$", r"\$")


@cache
def _letters() -> frozenset[int]:
    """Letters of the font of all figures."""
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(_SETTINGS["font.family"])).get_charmap())


def save_all(
    figures: Iterable[tuple[str, Figure]],
    folder: str | Path,
    provenance: Provenance | None = None,
) -> list[Path]:
    """Write figures, each with all of `ENDINGS`.

    Parameters
    ----------
    figures : iterable of tuple of str and Figure
        Names of the files, without ending, and what to write; one is drawn after the other.
    folder : str or Path
        Where to.
    provenance : Provenance, optional
        As of `save`.

    Returns
    -------
    list of Path
        The files.
    """
    return [
        save(figure, Path(folder) / f"{name}{ending}", provenance)
        for name, figure in figures
        for ending in ENDINGS
    ]


@figure_style()
def save(figure: Figure, path: str | Path, provenance: Provenance | None = None) -> Path:
    """Write a figure; the same figure without provenance gives the same bytes.

    Parameters
    ----------
    figure : Figure
        What to write.
    path : str or Path
        File that ends in .png (200 dpi) or .pdf (fonts embedded).
    provenance : Provenance, optional
        Where it comes from, to be written into the file with its checksum.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If the file name ends otherwise.
    OutputError
        If it cannot be written.
    """
    path = Path(path)
    if path.suffix not in _METADATA:
        raise ValueError(f"{path}: allowed are the endings {', '.join(_METADATA)}.")
    metadata = dict(_METADATA[path.suffix])
    if provenance is not None:
        metadata[_SEAL_KEY[path.suffix]] = seal_text(_FIGURE, provenance.record())
    with new_product(path) as partial, _fonts_without_layout():
        figure.savefig(partial, dpi=_DPI, metadata=metadata)
        if provenance is not None:
            partial.write_bytes(seal(partial.read_bytes()))
    return path


@contextmanager
def _fonts_without_layout() -> Iterator[None]:
    """Embed fonts without their tables of ligatures and kerning.

    In a PDF file each letter has its place, and reading these tables takes more time than drawing.
    Matplotlib has no option for it; a fontTools with another one embeds them, as before.
    """
    from fontTools.subset import Options

    dropped = getattr(Options, "_drop_tables_default", [])
    Options._drop_tables_default = [*dropped, *_LAYOUT_TABLES]
    try:
        yield
    finally:
        Options._drop_tables_default = dropped
