"""What follows from the table of products: which there are, and what each depends on."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from skyquilt.products.product import Product, Sections
from skyquilt.products.table import CONTENTS, PRODUCTS, TIME_BINS


def asked_products(is_asked: Callable[[str], bool]) -> list[Product]:
    """Products of an analysis, in the order of making.

    Parameters
    ----------
    is_asked : callable
        Whether the analysis has a section of this name.
    """
    return [item for item in PRODUCTS.values() if not item.asked_by or is_asked(item.asked_by)]


def always_made() -> list[Product]:
    """Products that every analysis has, whatever its configuration is."""
    return [item for item in asked_products(lambda _: False) if item.data != "responses"]


def kinds_at(path: str) -> tuple[str, ...]:
    """What a file of an analysis may be; () for a file that is of no product.

    Examples
    --------
    >>> kinds_at("maps.fits"), kinds_at("chunks/000-of-012.h5"), kinds_at("notes.json")
    (('skyquilt/maps',), ('skyquilt/chunk',), ())
    """
    for pattern, content in CONTENTS.items():
        if "*" in pattern and PurePosixPath(path).match(pattern):
            return content.kinds
    paths = (path, *map(str, PurePosixPath(path).parents))
    return next((CONTENTS[each].kinds for each in paths if each in CONTENTS), ())


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
def all_sections(*names: str, without: frozenset[str] = frozenset()) -> dict[str, bool | frozenset]:
    """Settings that products depend on, with those of all that they are made from.

    Parameters
    ----------
    *names : str
        The products.
    without : frozenset of str
        Sections that an analysis does not have: it has no products that these ask for.
    """
    sections: dict[str, bool | frozenset[str]] = {}
    for product in chain.from_iterable(asked_ancestry(name, without) for name in names):
        for key, part in product.sections.items():
            before = sections.get(key, frozenset())
            if isinstance(part, bool) or isinstance(before, bool):
                sections[key] = True
            else:
                sections[key] = before | part
    return sections


def select(settings: Mapping[str, Any], sections: Sections) -> dict[str, Any]:
    """Parts of the settings of an analysis.

    Time bins stand within data and data sets, but maps take all of the time: they are a part of the
    settings of products that name them.

    Examples
    --------
    >>> select({"fit": {"a": 1}, "map": {"b": 2, "c": 3}}, {"map": frozenset({"c"})})
    {'map': {'c': 3}}
    >>> select({"data": {"counts": "a.h5", "time_bins": {"counts": 50}}}, {"data": True})
    {'data': {'counts': 'a.h5'}}
    """
    if TIME_BINS not in sections:
        settings = _without_time_bins(settings)
    return {
        key: settings[key]
        if isinstance(part, bool) or settings[key] is None
        else {name: value for name, value in settings[key].items() if name in part}
        for key, part in sections.items()
        if key in settings
    }


def _without_time_bins(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of an analysis, or of a data set, without the time bins of its data."""
    kept = {key: part for key, part in settings.items() if key != TIME_BINS}
    if isinstance(data := kept.get("data"), Mapping):
        kept["data"] = {key: part for key, part in data.items() if key != TIME_BINS}
    if isinstance(datasets := kept.get("datasets"), Mapping):
        kept["datasets"] = {name: _without_time_bins(one) for name, one in datasets.items()}
    return kept
