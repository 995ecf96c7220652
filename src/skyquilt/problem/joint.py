"""Several data sets with one common flux: their bins stand side by side, likelihoods add."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skyquilt.problem.expectation import Block, Expectation
from skyquilt.problem.problem import Description, FitProblem
from skyquilt.sky.frames import rotate, rotation
from skyquilt.status import GOOD, NO_EXPOSURE, NOT_FINITE, OCCULTED


class Part(NamedTuple):
    """One data set of a joint expectation.

    Attributes
    ----------
    expectation : Expectation
        Expected counts in the hit bins of this data set.
    frame : {"galactic", "icrs"}
        Frame of the directions handed to it.
    """

    expectation: Expectation
    frame: str


@dataclass(frozen=True, eq=False)
class Joint:
    """Expectations of several data sets; the hit bins of each follow those of the one before.

    Attributes
    ----------
    parts : tuple of Part
        The data sets, in the order of their bins.
    frame : {"galactic", "icrs"}
        Frame of the directions; each part gets them turned into its own.

    Raises
    ------
    ValueError
        If there are no parts, or a frame is not known.
    """

    parts: tuple[Part, ...]
    frame: str

    def __post_init__(self):
        if not self.parts:
            raise ValueError("no parts: a joint expectation needs one or more.")
        for part in self.parts:
            rotation(self.frame, part.frame)

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return sum(part.expectation.n_hit for part in self.parts)

    @property
    def entries_per_direction(self) -> float:
        """Expected counts that a block holds per direction."""
        return sum(part.expectation.entries_per_direction for part in self.parts)

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts for unit flux.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of this expectation.

        Returns
        -------
        Block
            Counts of all parts side by side, totals added; for the status see `joint_status`.
        """
        blocks = list(self._blocks(directions))
        return Block(
            np.hstack([block.unit_counts for block in blocks]),
            sum(block.total for block in blocks),
            joint_status(np.array([block.status for block in blocks])),
        )

    def work_per_direction(self) -> float:
        """Estimated multiply-adds for one direction."""
        return sum(part.expectation.work_per_direction() for part in self.parts)

    def _blocks(self, directions: np.ndarray) -> Iterator[Block]:
        for part in self.parts:
            is_turned = part.frame != self.frame
            matrix = rotation(self.frame, part.frame)
            yield part.expectation.block(rotate(matrix, directions) if is_turned else directions)


def joint_status(status: np.ndarray) -> np.ndarray:
    """Status of directions seen by several data sets.

    Parameters
    ----------
    status : ndarray of uint8, shape (n_part, n)
        Status of each direction in each data set.

    Returns
    -------
    ndarray of uint8, shape (n,)
        NOT_FINITE where any data set says so; else GOOD where any is GOOD; else OCCULTED where
        all are, and NO_EXPOSURE where some are occulted and the others not exposed.

    Examples
    --------
    >>> joint_status(np.array([[0, 2, 3, 3], [2, 2, 3, 2]])).tolist()
    [0, 2, 3, 2]
    """
    cases = {
        NOT_FINITE: np.any(status == NOT_FINITE, axis=0),
        GOOD: np.any(status == GOOD, axis=0),
        OCCULTED: np.all(status == OCCULTED, axis=0),
    }
    return np.select(list(cases.values()), list(cases), NO_EXPOSURE).astype(np.uint8)


def join(problems: Mapping[str, FitProblem], photon_flux: float) -> FitProblem:
    """Make one problem of several that share their spectrum.

    Parameters
    ----------
    problems : dict of str to FitProblem
        The problems by the name of their data set; each has one counts spectrum or none.
    photon_flux : float
        Integral of the spectrum from the lowest to the highest energy of all [ph cm-2 s-1].

    Returns
    -------
    FitProblem
        Bins of all problems, in their order; the frame is that of the first.
    """
    first = next(iter(problems.values()))
    parts = tuple(Part(problem.expectation, problem.frame) for problem in problems.values())
    spectra = {
        name: spectrum
        for name, problem in problems.items()
        for spectrum in problem.counts_spectra.values()
    }
    return FitProblem(
        counts=np.concatenate([problem.counts for problem in problems.values()]),
        background=np.concatenate([problem.background for problem in problems.values()]),
        expectation=Joint(parts, first.frame),
        frame=first.frame,
        photon_flux=photon_flux,
        description=_description(problems),
        counts_spectra=spectra,
    )


def energy_hull(problems: Mapping[str, FitProblem]) -> tuple[float, float]:
    """Lowest and highest measured energy of several problems [keV]."""
    ranges = [problem.description.energy_range_keV for problem in problems.values()]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _description(problems: Mapping[str, FitProblem]) -> Description:
    each = [problem.description for problem in problems.values()]
    return Description(
        instrument=", ".join(dict.fromkeys(one.instrument for one in each)),
        spectrum=each[0].spectrum,
        energy_range_keV=energy_hull(problems),
        background_scale_from="each data set has its own",
        n_bins=sum(one.n_bins for one in each),
        n_masked_bins=sum(one.n_masked_bins for one in each),
        n_masked_counts=sum(one.n_masked_counts for one in each),
        datasets={name: _dataset(problem) for name, problem in problems.items()},
    )


def _dataset(problem: FitProblem) -> dict[str, Any]:
    """What people want to know of one data set."""
    about = problem.description._asdict()
    for shared in ("spectrum", "datasets"):
        del about[shared]
    return {"counts": float(problem.counts.sum()), **about}
