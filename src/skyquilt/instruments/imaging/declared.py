"""What the files of one analysis say of their photons, which must agree.

A response is made for a selection of photons (event class, zenith angle, ...) and for a time. Files
of the Fermi tools say which, as far as they know: what two of them say must be the same.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from skyquilt.config.imaging import ImagingData
from skyquilt.instruments.backgrounds import read_each
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.good_times import GoodTimes, common_time, read_good_times
from skyquilt.instruments.imaging.selections import (
    HeaderSelection,
    Selected,
    find_mismatch,
    read_selections,
    sort_selections,
)
from skyquilt.instruments.judge import object_to

_SAME_TIME = 0.01
"""Relative difference of times that is worth an objection."""
_TIMES = ("LIVETIME", "ONTIME", "EXPOSURE")


class Declared(NamedTuple):
    """What a file says of its photons.

    Attributes
    ----------
    path : str
        The file.
    selections : tuple of HeaderSelection
        All selections of its headers.
    good : GoodTimes or None
        Good time intervals.
    times : dict of str to float
        LIVETIME, ONTIME and EXPOSURE of its headers [s].
    """

    path: str
    selections: tuple[HeaderSelection, ...]
    good: GoodTimes | None
    times: dict[str, float]

    def selected(self) -> Selected:
        """The selections, sorted by what they ask for."""
        return sort_selections(self.selections)


class Files(NamedTuple):
    """What each file of an analysis says."""

    counts: Declared
    exposure: Declared
    backgrounds: dict[str, Declared]
    psf: Declared


def read_declared(path: str) -> Declared:
    """Read what a file says.

    Raises
    ------
    InputError
        If its keywords contradict each other.
    """
    with open_fits(path) as file:
        selections = next(filter(None, (read_selections(hdu.header, path) for hdu in file)), ())
        has_times = "GTI" in file and len(file["GTI"].data) > 0
        good = read_good_times(file["GTI"], path) if has_times else None
        times: dict[str, float] = {}
        for hdu in file:
            times = _read_times(hdu.header) | times
    return Declared(path, selections, good, times)


def _read_times(header: Any) -> dict[str, float]:
    found = {}
    for key in _TIMES:
        value = header.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            found[key] = float(value)
    return found


def check_declared(data: ImagingData) -> Files:
    """Compare what the files of an analysis say, and return it.

    Times are those of counts, exposure and background; a background that the analysis scales is of
    another time, and a point spread function may be. Good times are not compared where the analysis
    takes an interval of them: see `time_fractions`.

    Raises
    ------
    InputError
        If selections differ and "selection" is not accepted, or times and "times" is not.
    """
    paths = (*data.counts_paths(), data.exposure.path, data.psf.path)
    counts, exposure, psf = map(read_declared, paths)
    backgrounds = read_each(data.backgrounds(), lambda _, section: read_declared(section.path))
    files = Files(counts, exposure, backgrounds, psf)
    for one, other in combinations((counts, exposure, *backgrounds.values(), psf), 2):
        difference = find_mismatch(one.selected().response, other.selected().response)
        if difference is not None:
            message = f"{one.path} and {other.path}: {difference}; they must agree."
            object_to(data.accept, "selection", message)
    of_same_time = (backgrounds[name] for name, one in data.backgrounds().items() if one.scale == 1)
    timed: tuple[Declared, ...] = (counts, exposure, *of_same_time)
    if data.interval is not None:
        timed = tuple(one._replace(good=None) for one in timed)
    for one, other in combinations(timed, 2):
        for difference in _compare_times(one, other):
            message = f"{one.path} and {other.path}: {difference}; they must be of the same time."
            object_to(data.accept, "times", message)
    return files


def _compare_times(one: Declared, other: Declared) -> Iterable[str]:
    if one.good is not None and other.good is not None:
        theirs = other.good.on_clock(one.good.clock)
        both = common_time(one.good, theirs)
        if both < (1 - _SAME_TIME) * max(one.good.total, theirs.total):
            yield (
                f"good time intervals of {one.good.total:.6g} s in the first and "
                f"{theirs.total:.6g} s in the second have {both:.6g} s in common"
            )
            return
    for key in one.times.keys() & other.times.keys():
        ours, others = one.times[key], other.times[key]
        if not np.isclose(ours, others, rtol=_SAME_TIME, atol=0):
            yield f"{key} is {ours:.6g} s in the first and {others:.6g} s in the second"
