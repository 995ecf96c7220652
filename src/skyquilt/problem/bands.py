"""Bands of measured energy of a fit problem, and the reference spectrum in each of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import h5py
import numpy as np

from skyquilt.io.hdf5 import get, put


class Integrals(NamedTuple):
    """The reference spectrum, of unit flux, in each band.

    Attributes
    ----------
    photon_flux : ndarray of float64, shape (n_band,)
        Integral of the spectrum [ph cm-2 s-1]; NaN where it is not known.
    energy_flux : ndarray of float64, shape (n_band,)
        Integral of energy times spectrum [keV cm-2 s-1].
    dnde : ndarray of float64, shape (n_band,)
        Spectrum at the geometric mean of the edges [ph cm-2 s-1 keV-1].
    """

    photon_flux: np.ndarray
    energy_flux: np.ndarray
    dnde: np.ndarray


_INTEGRALS = {
    "photon_flux": ("cm-2 s-1", "integral of the reference spectrum in each band"),
    "energy_flux": ("keV cm-2 s-1", "integral of energy times reference spectrum in each band"),
    "dnde": ("cm-2 s-1 keV-1", "reference spectrum at the geometric mean of each band"),
}


@dataclass(frozen=True, eq=False)
class Bands:
    """Bands in which the counts of a problem were measured.

    Attributes
    ----------
    edges : ndarray of float64, shape (n_band, 2)
        Lowest and highest measured energy of each band [keV]. Those of one data set do not
        overlap.
    dataset : tuple of str
        Name of the data set of each band; "" if there is only one.
    integrals : Integrals
        The reference spectrum in each band.
    of_hit : ndarray of int64, shape (n_hit,)
        Band of each hit bin.
    of_total : ndarray of int64, shape (n_total,)
        Band of each of the totals that the expectation knows, see `Expectation.band_totals`; of a
        single band, to which all belong, it may be empty.

    Raises
    ------
    ValueError
        If shapes do not fit, edges do not ascend, or a number of a band is none.
    """

    edges: np.ndarray
    dataset: tuple[str, ...]
    integrals: Integrals
    of_hit: np.ndarray
    of_total: np.ndarray

    def __post_init__(self):
        n = len(self.dataset)
        for name, values, shape in (
            ("edges", self.edges, (n, 2)),
            *((name, values, (n,)) for name, values in self.integrals._asdict().items()),
        ):
            if np.shape(values) != shape:
                raise ValueError(f"{name}: shape {np.shape(values)}, expected {shape}.")
        check_band_edges(self.edges, self.dataset)
        for name in ("of_hit", "of_total"):
            numbers = getattr(self, name)
            if numbers.size and not 0 <= numbers.min() <= numbers.max() < n:
                raise ValueError(f"{name}: allowed are the bands 0 to {n - 1}.")

    @property
    def n_band(self) -> int:
        """Number of bands."""
        return len(self.dataset)

    def sum_hits(self, values: np.ndarray) -> np.ndarray:
        """Sums over the hit bins of each band, of values per hit bin; shape (n_band,)."""
        return np.bincount(self.of_hit, values, minlength=self.n_band)

    def sum_totals(self, totals: np.ndarray) -> np.ndarray:
        """Sums in each band of what the expectation tells apart, shape (n, n_band).

        Raises
        ------
        ValueError
            If it does not tell the bands apart.
        """
        if self.n_band == 1:
            return totals.sum(axis=1, keepdims=True)
        if totals.shape[1] != len(self.of_total):
            raise ValueError(
                f"{totals.shape[1]} totals of the expectation, which are {len(self.of_total)} of "
                f"{self.n_band} bands."
            )
        sums = np.zeros((len(totals), self.n_band))
        for number, band in enumerate(self.of_total):
            sums[:, band] += totals[:, number]
        return sums

    def select_bins(self, bins: np.ndarray) -> "Bands":
        """The same with some of the hit bins, by number."""
        return replace(self, of_hit=self.of_hit[bins])


def check_band_edges(edges: np.ndarray, dataset: Sequence[str]) -> None:
    """Refuse bands that are none, or overlap.

    Raises
    ------
    ValueError
        If an edge is not finite or not above 0, a band does not ascend, or two bands of one data
        set overlap.
    """
    if not (np.all(np.isfinite(edges)) and np.all(edges > 0)):
        raise ValueError(f"edges of bands: {edges.tolist()} keV: allowed are numbers above 0.")
    if not np.all(edges[:, 0] < edges[:, 1]):
        raise ValueError(f"edges of bands: {edges.tolist()} keV: each band must ascend.")
    for name in set(dataset):
        own = edges[[name == other for other in dataset]]
        own = own[np.argsort(own[:, 0])]
        if np.any(own[:-1, 1] > own[1:, 0]):
            raise ValueError(f"edges of bands: {own.tolist()} keV: bands must not overlap.")


def one_band(energy_range: tuple[float, float], photon_flux: float, n_hit: int) -> Bands:
    """All bins as one band, for problems that know no bands.

    Parameters
    ----------
    energy_range : tuple of float
        Lowest and highest measured energy [keV].
    photon_flux : float
        Integral of the reference spectrum between them [ph cm-2 s-1], NaN if it is not known.
    n_hit : int
        Number of hit bins.
    """
    unknown = np.array([np.nan])
    return Bands(
        edges=np.array([energy_range], np.float64),
        dataset=("",),
        integrals=Integrals(np.array([float(photon_flux)]), unknown, unknown),
        of_hit=np.zeros(n_hit, np.int64),
        of_total=np.zeros(0, np.int64),
    )


def join_bands(bands: Sequence[tuple[str, Bands]]) -> Bands:
    """Bands of several data sets, one data set after the other.

    Parameters
    ----------
    bands : sequence of (str, Bands)
        Name and bands of each data set.
    """
    first = np.cumsum([0, *(one.n_band for _, one in bands)])[:-1]
    return Bands(
        edges=np.concatenate([one.edges for _, one in bands]),
        dataset=tuple(name for name, one in bands for _ in one.dataset),
        integrals=Integrals(
            *(
                np.concatenate([getattr(one.integrals, name) for _, one in bands])
                for name in _INTEGRALS
            )
        ),
        of_hit=np.concatenate(
            [one.of_hit + start for (_, one), start in zip(bands, first, strict=True)]
        ),
        of_total=np.concatenate(
            [one.of_total + start for (_, one), start in zip(bands, first, strict=True)]
        ),
    )


def put_bands(group: h5py.Group, bands: Bands) -> None:
    """Write bands."""
    put(group, "edges", bands.edges, "keV", "lowest and highest measured energy of each band")
    put_integrals(group, bands.integrals)
    put(group, "of_hit", bands.of_hit.astype(np.int32), "", "band of each hit bin")
    about = "band of each total that the expectation tells apart"
    put(group, "of_total", bands.of_total.astype(np.int32), "", about)
    group.attrs["datasets"] = list(bands.dataset)


def get_bands(group: h5py.Group) -> Bands:
    """Read bands."""
    return Bands(
        edges=get(group, "edges"),
        dataset=tuple(map(str, group.attrs["datasets"])),
        integrals=get_integrals(group),
        of_hit=get(group, "of_hit").astype(np.int64),
        of_total=get(group, "of_total").astype(np.int64),
    )


def put_integrals(group: h5py.Group, integrals: Integrals) -> None:
    """Write a spectrum in bands."""
    for name, (unit, about) in _INTEGRALS.items():
        put(group, name, getattr(integrals, name), unit, about)


def get_integrals(group: h5py.Group) -> Integrals:
    """Read a spectrum in bands."""
    return Integrals(*(get(group, name) for name in _INTEGRALS))
