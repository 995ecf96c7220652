"""Several components of the background: read one by one, and added."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import numpy as np

from skyquilt.config.base import Section
from skyquilt.config.data import MODEL_LABEL
from skyquilt.errors import SkyquiltError


class BackgroundFile(Protocol):
    """Section of a background, or of one of its components."""

    @property
    def path(self) -> str:
        """File of the expected counts."""


class Scaled(Protocol):
    """Section with a factor on the expected counts."""

    @property
    def scale(self) -> float:
        """The factor."""


S = TypeVar("S", bound=Section)
T = TypeVar("T")


@contextmanager
def named(component: str) -> Iterator[None]:
    """Errors with the name of the component that they are about, if it has one.

    Raises
    ------
    SkyquiltError
        Of the same type as the one that was raised.
    """
    try:
        yield
    except SkyquiltError as error:
        if not component:
            raise
        raise type(error)(f"background {component}: {error}") from error


def read_each(sections: Mapping[str, S], read: Callable[[str, S], T]) -> dict[str, T]:
    """What `read` makes of the name and section of each component, by its name.

    Raises
    ------
    SkyquiltError
        As `read`, with the name of the component.
    """
    found = {}
    for name, section in sections.items():
        with named(name):
            found[name] = read(name, section)
    return found


def add(components: Mapping[str, np.ndarray]) -> np.ndarray:
    """Sum of all components; the only one is not touched."""
    first, *others = components.values()
    for other in others:
        first = first + other
    return first


def label(name: str, path: str) -> str:
    """File of a component, with its name if it has one.

    Examples
    --------
    >>> label("", "b.fits"), label("galactic", "g.fits")
    ('b.fits', 'g.fits (background galactic)')
    """
    return f"{path} (background {name})" if name else path


def labels(sections: Mapping[str, BackgroundFile]) -> str:
    """Files of all components, for messages."""
    return ", ".join(label(name, section.path) for name, section in sections.items())


def describe_components(counts: Mapping[str, float]) -> str:
    """Expected counts of each named component in brackets, "" for one without a name.

    Examples
    --------
    >>> describe_components({"": 5.0}), describe_components({"galactic": 3.0, "isotropic": 2.5})
    ('', ' (galactic 3, isotropic 2.5)')
    """
    if list(counts) == [""]:
        return ""
    return f" ({', '.join(f'{name} {value:.6g}' for name, value in counts.items())})"


def describe_scales(
    counts: Mapping[str, float], scales: Mapping[str, tuple[float, str]]
) -> dict[str, Any]:
    """What a description says of the factors on the background, by its fields.

    Parameters
    ----------
    counts : dict of str to float
        Expected counts of each component by its name.
    scales : dict of str to tuple of (float, str)
        Factor on each, and where it comes from.
    """
    if list(counts) == [""]:
        scale, source = scales[""]
        return {"background_scale": scale, "background_scale_from": source}
    return {
        "background_scale_from": "each component has its own",
        "backgrounds": {
            name: {"counts": value, "scale": scales[name][0], "scale_from": scales[name][1]}
            for name, value in counts.items()
        },
    }


def background_spectra(components: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Expected counts per channel by their labels in a counts spectrum: sum, and each of several.

    Parameters
    ----------
    components : dict of str to ndarray of float64, shape (n_bin, n_channel)
        Expected counts of each component.
    """
    counts = {MODEL_LABEL: add(components).sum(axis=0)}
    if len(components) > 1:
        each = components.items()
        counts |= {f"{MODEL_LABEL}: {name}": values.sum(axis=0) for name, values in each}
    return counts
