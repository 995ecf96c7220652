"""One set of counts that would enter an analysis twice."""

from itertools import combinations

import numpy as np

from skyquilt.config.analysis import Analysis
from skyquilt.config.dataset import Dataset
from skyquilt.instruments.judge import object_to
from skyquilt.io.same_content import same_files
from skyquilt.problem import EventWise, Expectation, FitProblem, Joint, PointSpread
from skyquilt.problem.dispersed import DispersedEvents
from skyquilt.sky.frames import rotate, rotation

MANY = 20
"""Counts from which on two images do not agree in all bins by chance."""


def check_files_once(analysis: Analysis) -> None:
    """Refuse files of counts that have the same content.

    Two data sets may share one if they take other times or energies of it.

    Raises
    ------
    InputError
        If there are such, by whatever paths they are named.
    """
    datasets = analysis.all_datasets()
    for name, dataset in datasets.items():
        for one, other in same_files(dataset.data.counts_paths()):
            message = _message(one, other, dataset, f"{name}: " if name else "")
            object_to(dataset.data.accept, "same_counts", message)
        sections = dataset.data.backgrounds().values()
        paths = dict.fromkeys(one.path for one in sections if one.path is not None)
        for one, other in same_files(tuple(paths)):
            message = (
                f"{name}{': ' if name else ''}{one} and {other} are the same background, which "
                "would be added twice: name it once."
            )
            object_to(dataset.data.accept, "same_counts", message)
    for (name, dataset), (other_name, others) in combinations(datasets.items(), 2):
        if dataset.is_disjoint(others):
            continue
        ours = dataset.data.counts_paths()
        for pair in same_files(tuple(dict.fromkeys(ours + others.data.counts_paths()))):
            if (pair[0] in ours) != (pair[1] in ours):
                where = f"datasets {name} and {other_name}: "
                object_to(dataset.data.accept, "same_counts", _message(*pair, dataset, where))


def check_counts_once(analysis: Analysis, problems: dict[str, FitProblem]) -> None:
    """Refuse photons that two data sets of imaging instruments have in common.

    Parameters
    ----------
    analysis : Analysis
        The analysis.
    problems : dict of str to FitProblem
        Problems of its data sets, by name.

    Raises
    ------
    InputError
        If two lists have events of the same position and energy, or two images the same counts.
    """
    datasets = analysis.all_datasets()
    for (name, one), (other_name, other) in combinations(problems.items(), 2):
        if n_common := _n_common(one, other):
            object_to(
                datasets[name].data.accept,
                "same_counts",
                f"datasets {name} and {other_name} ({_paths(datasets[name])} and "
                f"{_paths(datasets[other_name])}) have {n_common:g} photons in common, which would "
                f"count twice: give them {datasets[name].data.disjoint_by} that do not overlap.",
            )


def _n_common(one: FitProblem, other: FitProblem) -> float:
    ours, theirs = one.expectation, other.expectation
    if isinstance(ours, EventWise) and isinstance(theirs, EventWise):
        return len(_rows(ours, one.frame, one.frame) & _rows(theirs, other.frame, one.frame))
    if isinstance(ours, DispersedEvents | Joint) and isinstance(theirs, DispersedEvents | Joint):
        return len(_photons(ours) & _photons(theirs))
    are_images = isinstance(ours, PointSpread) and isinstance(theirs, PointSpread)
    if are_images and np.array_equal(one.counts, other.counts):
        is_same = one.description.energy_range_keV == other.description.energy_range_keV
        n_counts = float(one.counts.sum())
        return n_counts if is_same and n_counts >= MANY else 0
    return 0


def _photons(expectation: Expectation) -> set[bytes]:
    """Photons of event lists with responses by angle, which all have the frame ICRS."""
    if isinstance(expectation, Joint):
        return set[bytes]().union(*(_photons(part.expectation) for part in expectation.parts))
    if not isinstance(expectation, DispersedEvents):
        return set()
    values = np.column_stack([expectation.direction, np.log(expectation.energies())])
    return {row.tobytes() for row in np.round(values, 9) + 0.0}


def _rows(events: EventWise, frame_from: str, frame: str) -> set[bytes]:
    """Events by their direction in a frame, and energy; both to 1e-9."""
    direction = rotate(rotation(frame_from, frame), events.direction)
    values = np.column_stack([direction, np.log(events.flux_density)])
    return {row.tobytes() for row in np.round(values, 9) + 0.0}


def _message(one: str, other: str, dataset: Dataset, where: str) -> str:
    return (
        f"{where}{one} and {other} are the same counts, which would count twice: name them once, "
        f"or give data sets {dataset.data.disjoint_by} that do not overlap."
    )


def _paths(dataset: Dataset) -> str:
    return ", ".join(dataset.data.counts_paths())
