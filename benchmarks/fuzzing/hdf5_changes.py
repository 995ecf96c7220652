"""Changes of HDF5 files: each dataset, attribute and group."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fuzzing.change import Change

_ATTRIBUTES = {
    "": "",
    "text": "fish",
    "nan": np.nan,
    "-1": -1,
    "0": 0,
    "1.5": 1.5,
    "huge": 2**62,
    "1e300": 1e300,
    "array": np.arange(5),
    "no values": np.zeros(0),
    "not UTF-8": np.bytes_(b"\xff\xfe\xc3"),
    "long text": "x" * 20000,
    "other unit": "erg",
    "no such unit": "furlong fortnight",
    "other frame": "fk4",
    "yes": True,
}


def hdf5_changes(path: Path) -> Iterator[Change]:
    """Changes of everything in a good file."""
    with h5py.File(path, "r") as file:
        items: dict[str, Any] = {"/": file}
        file.visititems(lambda name, item: items.__setitem__(name, item))
        for name, item in items.items():
            for key in item.attrs:
                yield from _attribute_changes(name, key)
            if isinstance(item, h5py.Dataset):
                yield from _dataset_changes(name, item)
            elif name != "/":
                yield from _group_changes(name)


def _attribute_changes(name: str, key: str) -> Iterator[Change]:
    def remove(item: Any) -> None:
        del item.attrs[key]

    yield _item_change(f"{name}@{key}: missing", name, remove)
    for title, value in _ATTRIBUTES.items():
        yield _item_change(
            f"{name}@{key}: {title}", name, lambda item, v=value: item.attrs.__setitem__(key, v)
        )


def _group_changes(name: str) -> Iterator[Change]:
    yield _link_change(f"{name}: missing", name, lambda parent, last: None)
    yield _link_change(f"{name}: empty", name, lambda parent, last: parent.create_group(last))
    yield _link_change(
        f"{name}: a dataset", name, lambda parent, last: parent.create_dataset(last, data=[1.0])
    )
    yield _link_change(
        f"{name}: a loop",
        name,
        lambda parent, last: parent.__setitem__(last, h5py.SoftLink(parent.name)),
    )


def _dataset_changes(name: str, dataset: h5py.Dataset) -> Iterator[Change]:
    yield _link_change(f"{name}: missing", name, lambda parent, last: None)
    yield _link_change(f"{name}: a group", name, lambda parent, last: parent.create_group(last))
    links = {
        "a link to nothing": h5py.SoftLink("/nowhere"),
        "a link to itself": h5py.SoftLink(f"/{name}"),
        "a link to another file": h5py.ExternalLink("nowhere.h5", "/x"),
    }
    for title, link in links.items():
        yield _link_change(
            f"{name}: {title}",
            name,
            lambda parent, last, link=link: parent.__setitem__(last, link),
        )
    if dataset.dtype.kind not in "fiub":
        yield _value_change(f"{name}: numbers", name, lambda values: np.arange(3.0))
        yield _value_change(f"{name}: no rows", name, lambda values: values[:0])
        return
    for title, value in (("nan", np.nan), ("inf", np.inf), ("0", 0), ("-1", -1), ("1e300", 1e300)):
        yield _value_change(f"{name}: all {title}", name, lambda v, x=value: np.full_like(_f(v), x))
        yield _value_change(f"{name}: one {title}", name, lambda v, x=value: _first(v, x))
    shapes: dict[str, Callable] = {
        "negative": lambda values: -_f(values),
        "one row": lambda values: np.atleast_1d(values)[:1],
        "no rows": lambda values: np.atleast_1d(values)[:0],
        "a row less": lambda values: np.atleast_1d(values)[:-1],
        "rows twice": lambda values: np.concatenate([np.atleast_1d(values)] * 2),
        "flat": lambda values: np.ravel(values),
        "an axis more": lambda values: values[np.newaxis],
        "transposed": lambda values: np.transpose(values),
        "backwards": lambda values: np.atleast_1d(values)[::-1],
        "one number": lambda values: np.float64(1),
        "text": lambda values: np.full(np.shape(values), b"fish"),
        "complex": lambda values: np.asarray(values, complex),
        "whole numbers": lambda values: np.nan_to_num(_f(values)).astype(np.int16),
        "half precision": lambda values: np.asarray(values).astype(np.float16),
        "records": lambda values: np.zeros(np.shape(values), [("a", "f8"), ("b", "i4")]),
    }
    for title, edit in shapes.items():
        yield _value_change(f"{name}: {title}", name, edit)
    yield _value_change(
        f"{name}: bytes in the other order",
        name,
        lambda values: np.asarray(values).astype(np.asarray(values).dtype.newbyteorder(">")),
        is_equal=True,
    )
    yield _value_change(f"{name}: compressed", name, lambda v: v, is_equal=True, compressed=True)


def _f(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def _first(values: np.ndarray, value: float) -> np.ndarray:
    changed = np.array(values, dtype=np.float64)
    changed.reshape(-1)[:1] = value
    return changed


def _item_change(title: str, name: str, edit: Callable[[Any], None]) -> Change:
    def apply(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            edit(file[name])

    return Change(title, apply)


def _link_change(title: str, name: str, make: Callable[[Any, str], Any]) -> Change:
    def apply(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            parent, _, last = name.rpartition("/")
            group = file[parent or "/"]
            del group[last]
            make(group, last)

    return Change(title, apply)


def _value_change(
    title: str,
    name: str,
    edit: Callable[[Any], Any],
    *,
    is_equal: bool = False,
    compressed: bool = False,
) -> Change:
    """Other values in a dataset; attributes, and the order of the group's items, stay."""

    def apply(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            attributes = dict(file[name].attrs)
            values = edit(file[name][()])
            parent, _, last = name.rpartition("/")
            group = file[parent or "/"]
            later = _made_later(group, last)
            del group[last]
            options = {"compression": "gzip"} if compressed and np.size(values) > 1 else {}
            group.create_dataset(last, data=values, **options).attrs.update(attributes)
            for other in later:  # again, for some readers go by the order of making
                group.move(other, f"{other}.moved")
                group.move(f"{other}.moved", other)

    return Change(title, apply, is_equal)


def _made_later(group: h5py.Group, name: str) -> list[str]:
    if not group.id.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED:
        return []
    order = {key: group.id.links.get_info(key.encode()).corder for key in group}
    return sorted((key for key in group if order[key] > order[name]), key=order.get)
