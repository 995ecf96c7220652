"""Every product of an analysis: its files, which verb makes it, and what it answers.

The workflow, `run`, `status`, `verify` and the pages take from here what there is, in which order
it is made, and which settings and files each product depends on.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

Sections = Mapping[str, bool | frozenset[str]]
"""Sections of an analysis: whole (True), or some of their keys."""


class Product(NamedTuple):
    """A file, or several that are made together.

    Attributes
    ----------
    name : str
        Name of the product.
    files : tuple of str
        Files and folders in the folder of the analysis; the first tells what the product answers.
    verb : str
        Verb of `skyquilt` that makes it.
    sections : dict
        Settings that it depends on, besides those of what it is made from.
    needs : tuple of str
        Products that it is made from.
    data : {"", "measurement", "responses", "catalogue"}
        Input files that it is made from.
    asked_by : str
        Section without which an analysis does not have it, "" if every one has it.
    """

    name: str
    files: tuple[str, ...]
    verb: str
    sections: Sections
    needs: tuple[str, ...] = ()
    data: Literal["", "measurement", "responses", "catalogue"] = ""
    asked_by: str = ""


LISTING = "figures.json"
"""List in a folder of figures; it stands for the folder."""


def _whole(*names: str) -> dict[str, bool]:
    return dict.fromkeys(names, True)


_TABLE = _whole("energy", "datasets", "spectrum", "spectra")
_PROBLEM = _TABLE | _whole("instrument", "data", "shape", "flux_range")
# in chunks or not, cells are the same
_CELLS = frozenset({"enabled", "drop", "max_order"})
_REFINED = {"refine": _CELLS, "localise": frozenset({"levels", "systematic_error"})}
_SOURCES = _whole("sources", "fit") | {"localise": frozenset({"systematic_error"})}
_SKIES = _whole("map", "fit", "calibrate")

PRODUCTS = {
    product.name: product
    for product in (
        Product("table", ("table.json",), "contract", _TABLE, data="responses"),
        Product(
            *("problem", ("problem.h5",), "prepare"),
            # bins without counts bound fluxes below zero
            _PROBLEM | {"fit": frozenset({"allow_negative"})},
            data="measurement",
        ),
        Product("plan", ("plan.json",), "plan", _whole("map", "fit"), ("problem",)),
        Product("chunks", ("chunks",), "fit-chunk", {}, ("plan",)),
        Product("maps", ("maps.fits",), "merge", {}, ("chunks",)),
        Product("steps", ("refine",), "plan-refinement", _REFINED, ("maps",)),
        Product("refined", ("refined.fits",), "refine", _REFINED, ("maps",)),
        Product(
            "localisation",
            ("summary.json", "skymap.multiorder.fits", "skymap.fits", "regions"),
            "localise",
            _whole("localise"),
            ("refined",),
        ),
        Product(
            *("sources", ("sources.fits", "sources.ecsv"), "sources", _SOURCES, ("maps",)),
            data="catalogue",
            asked_by="sources",
        ),
        Product("plots", ("plots",), "plot", _whole("plots"), ("localisation", "sources")),
        Product(
            *("model", ("model.h5",), "prepare", _PROBLEM),
            data="measurement",
            asked_by="calibrate",
        ),
        Product("skies", ("skies",), "simulate-skies", _SKIES, ("model",), asked_by="calibrate"),
        Product(
            "calibration",
            ("calibration.json", "calibration.h5", "calibration-plots"),
            "calibrate",
            _whole("localise"),
            ("skies",),
            asked_by="calibrate",
        ),
        Product(
            *("page", ("report.html",), "report"),
            _whole("map", "fit", "refine", "localise", "sources", "calibrate", "plots"),
            ("plots", "calibration"),
        ),
    )
}
"""All products by name, in the order of making."""

FOLDERS = ("plots", "calibration-plots", "regions")
"""Folders that are made as a whole."""

FIGURES = FOLDERS[:2]
"""Folders of figures, each with a list of them."""

INDEX = "index.html"
"""Page of all analyses, beside their folders."""


def ancestry(name: str) -> Iterator[Product]:
    """A product and all that it is made from, directly or not, in the order of making."""
    wanted = {name}
    for product in reversed(PRODUCTS.values()):
        if product.name in wanted:
            wanted.update(product.needs)
    return (product for product in PRODUCTS.values() if product.name in wanted)


def asked_ancestry(name: str, without: frozenset[str]) -> Iterator[Product]:
    """The same of an analysis without some sections, and so without what these ask for."""
    away = without - {PRODUCTS[name].asked_by}
    return (product for product in ancestry(name) if product.asked_by not in away)


@cache
def all_sections(name: str, without: frozenset[str] = frozenset()) -> dict[str, bool | frozenset]:
    """Settings that a product depends on, with those of all that it is made from.

    Parameters
    ----------
    name : str
        The product.
    without : frozenset of str
        Sections that an analysis does not have: it has no products that these ask for.
    """
    sections: dict[str, bool | frozenset] = {}
    for product in asked_ancestry(name, without):
        for key, part in product.sections.items():
            before = sections.get(key, frozenset())
            is_whole = part is True or before is True
            sections[key] = True if is_whole else before | part
    return sections


def select(settings: Mapping[str, Any], sections: Sections) -> dict[str, Any]:
    """Parts of the settings of an analysis.

    Examples
    --------
    >>> select({"fit": {"a": 1}, "map": {"b": 2, "c": 3}}, {"map": frozenset({"c"})})
    {'map': {'c': 3}}
    """
    return {
        key: settings[key]
        if part is True or settings[key] is None
        else {name: value for name, value in settings[key].items() if name in part}
        for key, part in sections.items()
        if key in settings
    }
