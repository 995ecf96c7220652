"""Regions as outlines for the image viewer DS9 and programs that read its files."""

from collections.abc import Iterable

import numpy as np

from skyquilt.sky.frames import vec_to_lonlat
from skyquilt.sky.outline import outline_loops


def format_ds9(uniq: np.ndarray, comments: Iterable[str], label: str) -> str:
    """Text of a DS9 region file: one polygon in ICRS per closed outline.

    Parameters
    ----------
    uniq : ndarray of int64, shape (n,)
        Cells in ICRS, ascending along the nested curve.
    comments : iterable of str
        Lines for people.
    label : str
        Text beside the largest polygon.

    Returns
    -------
    str
        Polygons with longitude and latitude of each corner [deg]. Holes begin with a minus, as
        DS9 marks what is excluded.

    Notes
    -----
    DS9 draws in a plane: a polygon around more than half of the sky has no inside there, and is
    taken for a hole.
    """
    polygons = sorted(map(_polygon, outline_loops(uniq)), key=len, reverse=True)
    if polygons:
        polygons[0] += f" # text={{{label}}}"
    head = ["# Region file format: DS9 version 4.1", *(f"# {line}" for line in comments)]
    return "\n".join([*head, "icrs", *polygons]) + "\n"


def _polygon(loop: np.ndarray) -> str:
    lonlat = np.stack(vec_to_lonlat(loop), axis=-1).ravel()
    sign = "" if _is_around(loop) else "-"
    return f"{sign}polygon({','.join(f'{value:.6f}' for value in lonlat)})"


def _is_around(loop: np.ndarray) -> bool:
    """Whether the smaller side of a closed line lies to its left."""
    area = np.cross(loop, np.roll(loop, -1, axis=0)).sum(axis=0)
    return bool(area @ loop.sum(axis=0) > 0)
