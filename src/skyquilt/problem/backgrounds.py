"""Components of the background of a fit problem."""

from collections.abc import Sequence
from typing import NamedTuple

import h5py
import numpy as np

from skyquilt.io.hdf5 import get, put


class BackgroundComponent(NamedTuple):
    """One component of the background: photons of the Galaxy, say, or cosmic rays.

    Attributes
    ----------
    name : str
        Its name; "" of a background without named components.
    dataset : str
        Data set that it belongs to; "" if there is only one.
    first_bin : int
        Number of the first hit bin of that data set.
    counts : ndarray of float64, shape (n,)
        Expected counts in the hit bins of that data set, densities where events are fitted one by
        one. A component may have none in some, all together have some in each.
    totals : ndarray of float64, shape (n_band,)
        Expected counts over all bins of each band of the problem, with and without counts; NaN
        where not known.
    factor : float
        Factor that these counts were multiplied by.
    """

    name: str
    dataset: str
    first_bin: int
    counts: np.ndarray
    totals: np.ndarray
    factor: float = 1.0

    def in_bins(self, n_hit: int) -> np.ndarray:
        """Expected counts in all hit bins of the problem; 0 in those of other data sets."""
        counts = np.zeros(n_hit)
        counts[self.first_bin : self.first_bin + len(self.counts)] = self.counts
        return counts

    def at(self, bins: np.ndarray) -> np.ndarray:
        """Expected counts in some hit bins of the problem; 0 in those of other data sets."""
        own = bins - self.first_bin
        is_own = (own >= 0) & (own < len(self.counts))
        counts = np.zeros(len(bins))
        counts[is_own] = self.counts[own[is_own]]
        return counts

    def beside(
        self, dataset: str, first_bin: int, bands: slice, n_band: int
    ) -> "BackgroundComponent":
        """The same in a problem in which other data sets stand before and after its own.

        Parameters
        ----------
        dataset : str
            Name of its data set.
        first_bin : int
            Hit bins of the data sets before.
        bands : slice
            Bands of its data set.
        n_band : int
            Bands of all.
        """
        totals = np.zeros(n_band)
        totals[bands] = self.totals
        first_bin = first_bin + self.first_bin
        return self._replace(dataset=dataset, first_bin=first_bin, totals=totals)

    def select_bins(self, bins: np.ndarray) -> "BackgroundComponent":
        """The same with some of the hit bins of the problem, by number, ascending."""
        first, stop = np.searchsorted(bins, [self.first_bin, self.first_bin + len(self.counts)])
        own = bins[first:stop] - self.first_bin
        return self._replace(first_bin=int(first), counts=self.counts[own])


def check_components(components: Sequence[BackgroundComponent], n_hit: int, n_band: int) -> None:
    """Refuse components that do not fit their problem, or each other.

    Raises
    ------
    ValueError
        If there are none, or one is there twice, or on other bins or bands.
    """
    if not components:
        raise ValueError("backgrounds: no component; one or more are needed.")
    names = [(one.dataset, one.name) for one in components]
    for dataset, name in names:
        if names.count((dataset, name)) > 1:
            raise ValueError(f"background {describe_name(dataset, name)} is there twice.")
    for one in components:
        what = f"background {describe_name(one.dataset, one.name)}"
        if not 0 <= one.first_bin <= one.first_bin + len(one.counts) <= n_hit:
            raise ValueError(
                f"{what}: bins {one.first_bin} to {one.first_bin + len(one.counts)}; the problem "
                f"has {n_hit}."
            )
        if np.shape(one.totals) != (n_band,):
            raise ValueError(f"{what}: {np.size(one.totals)} totals for {n_band} bands.")


def describe_name(dataset: str, name: str) -> str:
    """Name of a component with that of its data set.

    Examples
    --------
    >>> describe_name("", "galactic"), describe_name("run-1", "galactic"), describe_name("", "")
    ('galactic', 'run-1/galactic', 'without a name')
    """
    return "/".join(filter(None, (dataset, name))) or "without a name"


def put_components(group: h5py.Group, components: Sequence[BackgroundComponent]) -> None:
    """Write components; the counts of the only one of a problem are its background already.

    Raises
    ------
    ValueError
        If expected counts are negative or not finite.
    """
    for one in components:
        if np.any(one.totals < 0) or not np.all((one.counts >= 0) & np.isfinite(one.counts)):
            raise ValueError(
                f"background {describe_name(one.dataset, one.name)}: expected counts must be "
                "finite and at least 0."
            )
    group.attrs["names"] = [one.name for one in components]
    group.attrs["datasets"] = [one.dataset for one in components]
    group.attrs["factors"] = [one.factor for one in components]
    group.attrs["first_bins"] = [one.first_bin for one in components]
    totals = np.array([one.totals for one in components])
    put(group, "totals", totals, "", "expected background of each component in each band")
    if len(components) > 1:
        for index, one in enumerate(components):
            about = f"expected background {describe_name(one.dataset, one.name)} in its hit bins"
            put(group, f"counts_{index}", one.counts, "", about)


def get_components(group: h5py.Group, background: np.ndarray) -> tuple[BackgroundComponent, ...]:
    """Read components of a problem with some background in its hit bins."""
    totals = get(group, "totals")
    n = len(totals)
    counts = [background] if n == 1 else [get(group, f"counts_{index}") for index in range(n)]
    names, datasets = (map(str, group.attrs[key]) for key in ("names", "datasets"))
    first_bins, factors = map(int, group.attrs["first_bins"]), map(float, group.attrs["factors"])
    each = zip(names, datasets, first_bins, counts, totals, factors, strict=True)
    return tuple(BackgroundComponent(*one) for one in each)
