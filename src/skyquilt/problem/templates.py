"""Expectations of several spectra: a fit takes the best of them in each direction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from skyquilt.blocks import Block
from skyquilt.problem.bands import Bands, Integrals, get_integrals, put_integrals
from skyquilt.problem.cost import Cost
from skyquilt.problem.expectation import Expectation
from skyquilt.problem.extent import joint_extent
from skyquilt.problem.nodes import NodeBlock
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.true_energy import TrueEnergy

if TYPE_CHECKING:
    import h5py

    from skyquilt.problem.datasets import GetPart, PutPart


_INTEGRALS = "integrals"
"""Group of a spectrum in bands, beside the datasets of its expectation."""


@dataclass(frozen=True, eq=False)
class Templates:
    """Expected counts in the same hit bins for several spectra, each of unit flux.

    Attributes
    ----------
    names : tuple of str
        Names of the spectra.
    expectations : tuple of Expectation
        One per spectrum.
    photon_fluxes : ndarray of float64, shape (n,)
        Integral of each spectrum over the selected energies [ph cm-2 s-1].
    integrals : tuple of Integrals, optional
        Each spectrum in the bands of the problem; not known when left out.

    Raises
    ------
    ValueError
        If there is no spectrum, or the numbers of names, expectations, fluxes or hit bins differ.
    """

    kind: ClassVar[str] = "templates"
    mapped: ClassVar[frozenset[str]] = frozenset()

    names: tuple[str, ...]
    expectations: tuple[Expectation, ...]
    photon_fluxes: np.ndarray
    integrals: tuple[Integrals, ...] | None = None

    def __post_init__(self):
        n = len(self.names)
        if not n or {len(self.expectations), len(self.photon_fluxes)} != {n}:
            raise ValueError(
                f"{n} names, {len(self.expectations)} expectations, {len(self.photon_fluxes)} "
                "photon fluxes: allowed is one of each for every spectrum, and one or more."
            )
        if len({expectation.n_hit for expectation in self.expectations}) != 1:
            raise ValueError("the spectra have other hit bins: all need the same.")

    @property
    def n_hit(self) -> int:
        """Number of hit bins."""
        return self.expectations[0].n_hit

    @property
    def entries_per_direction(self) -> float:
        """Expected counts that the blocks of all spectra hold per direction."""
        return sum(one.entries_per_direction for one in self.expectations)

    @property
    def extent(self) -> float | None:
        """Largest of the spectra [rad]; None if any has none."""
        return joint_extent(*(one.extent for one in self.expectations))

    @property
    def core(self) -> float:
        """Width of what a point becomes, of the spectrum that is seen sharpest [rad]."""
        return min(one.core for one in self.expectations)

    def block(self, directions: np.ndarray) -> Block:
        """Expected counts of the first spectrum, for those who need but one."""
        return self.expectations[0].block(directions)

    @property
    def true_energy(self) -> TrueEnergy | None:
        """Nodes of true energy, which do not depend on the spectrum; None if not kept."""
        return self.expectations[0].true_energy

    def nodes(self, directions: np.ndarray) -> NodeBlock:
        """Expected counts per node of true energy, which are those of any of the spectra."""
        return self.expectations[0].nodes(directions)

    def with_spectrum(self, flux: np.ndarray) -> Expectation:
        """Expectation of one spectrum, that has these photons at each node, shape (n_node,)."""
        return self.expectations[0].with_spectrum(flux)

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected counts in bands of the first spectrum, for those who need but one."""
        return self.expectations[0].band_totals(directions)

    def select_bins(self, bins: np.ndarray) -> "Templates":
        """The same with some of the hit bins; totals stay those of all bins.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the hit bins to keep, ascending.
        """
        return replace(self, expectations=tuple(one.select_bins(bins) for one in self.expectations))

    def put(self, group: "h5py.Group", put_part: "PutPart") -> None:
        """Write to a group."""
        group.attrs["names"] = list(self.names)
        group.attrs["photon_fluxes"] = self.photon_fluxes
        for index, one in enumerate(self.expectations):
            own = group.create_group(f"template_{index}")
            put_part(own, one)
            if self.integrals is not None:
                put_integrals(own.create_group(_INTEGRALS), self.integrals[index])

    @classmethod
    def get(cls, group: "h5py.Group", get_part: "GetPart") -> "Templates":
        """Read from a group."""
        own = [group[f"template_{index}"] for index in range(len(group))]
        has_integrals = all(_INTEGRALS in one for one in own)
        return cls(
            tuple(map(str, group.attrs["names"])),
            tuple(get_part(one) for one in own),
            group.attrs["photon_fluxes"],
            tuple(get_integrals(one[_INTEGRALS]) for one in own) if has_integrals else None,
        )

    def cost(self, directions: np.ndarray, nside: int) -> Cost:
        """Cost of a direction, from some in the frame of the problem, for a map of `nside`."""
        return reduce(Cost.after, [one.cost(directions, nside) for one in self.expectations])


def join_templates(problems: Mapping[str, FitProblem]) -> FitProblem:
    """One problem of those that differ in nothing but their spectrum.

    Parameters
    ----------
    problems : dict of str to FitProblem
        The problems by the names of their spectra.

    Raises
    ------
    ValueError
        If they have other counts or backgrounds.
    """
    first, *others = problems.values()
    for other in others:
        for name in ("counts", "background"):
            if not np.array_equal(getattr(first, name), getattr(other, name)):
                raise ValueError(f"the spectra have other {name}: all need the same.")
    spectra = {name: problem.description.spectrum for name, problem in problems.items()}
    about = "; ".join(f"{name} ({spectrum})" for name, spectrum in spectra.items())
    return replace(
        first,
        expectation=Templates(
            tuple(problems),
            tuple(problem.expectation for problem in problems.values()),
            np.array([problem.photon_flux for problem in problems.values()]),
            tuple(problem.bands.integrals for problem in problems.values()),
        ),
        description=first.description._replace(spectrum=about, templates=spectra),
    )


def split_templates(problem: FitProblem) -> list[FitProblem]:
    """The problem of each spectrum; the problem itself if there is but one."""
    templates = problem.expectation
    if not isinstance(templates, Templates):
        return [problem]
    known = problem.known_bands
    bands: list[Bands | None] = [known] * len(templates.names)
    if known is not None and templates.integrals is not None:
        bands = [replace(known, integrals=one) for one in templates.integrals]
    return [
        replace(
            problem,
            expectation=expectation,
            photon_flux=float(photon_flux),
            known_bands=own_bands,
        )
        for expectation, photon_flux, own_bands in zip(
            templates.expectations, templates.photon_fluxes, bands, strict=True
        )
    ]


def photon_fluxes(problem: FitProblem) -> np.ndarray:
    """Integral of each spectrum over the selected energies [ph cm-2 s-1]."""
    return np.array([part.photon_flux for part in split_templates(problem)])
