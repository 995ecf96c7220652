"""Sources as a data set in cells sees them, and what was seen of them last.

Climbs and samplers ask again and again for a position with another spectrum, or for a spectrum at
another position: what did not change is not made anew.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skyquilt.model.sources import Offset, Source
from skyquilt.model.views import Difference, look
from skyquilt.problem.cells import CellCounts, CellData, Sights

_N_KEPT = 4
"""What was seen last of each source: at most so many positions."""


class Seen(NamedTuple):
    """A source at one position.

    Attributes
    ----------
    sights : Sights
        What is seen.
    differences : list of Difference
        Quantities by which it moves or grows.
    counted : dict of bytes to CellCounts
        Counts of the last spectrum.
    """

    sights: Sights
    differences: list[Difference]
    counted: dict[bytes, CellCounts]

    def counts_of(self, flux: np.ndarray) -> CellCounts:
        """Counts in all views for a spectrum."""
        key = flux.tobytes()
        if key not in self.counted:
            self.counted.clear()
            self.counted[key] = self.sights.contract(flux)
        return self.counted[key]


class SeenSources:
    """Sources in the cells of a data set.

    Parameters
    ----------
    data : CellData
        The data set.
    n_source : int
        Number of sources that are asked for.
    names : sequence of str
        Quantities by which derivatives are wanted.
    frame : {"galactic", "icrs"}
        Frame of the positions.
    offset : Offset, optional
        Pointing offset of the data set.
    """

    def __init__(
        self,
        data: CellData,
        n_source: int,
        names: Sequence[str],
        frame: str,
        offset: Offset | None = None,
    ) -> None:
        self._data, self._n_kept, self._names = data, _N_KEPT * n_source, names
        self._frames, self._offset = (frame, data.frame), offset
        axis = data.expectation.true_energy
        self.energy, self._to_nodes = axis.energy, axis.matrix
        self._photons_of: dict[str, tuple[list[bytes], np.ndarray]] = {}
        self._seen: dict[Any, Seen] = {}

    def see(self, source: Source, here: dict[str, Any]) -> tuple[Seen, CellCounts]:
        """A source of factor 1, and its counts in all views."""
        seen = self._look(source, here)
        return seen, seen.counts_of(self._flux(source, here))

    def photons(self, density: np.ndarray) -> np.ndarray:
        """Photons of each node, shape (n_node,) or (n_cell, n_node)."""
        return np.ascontiguousarray((self._to_nodes @ density.T).T)

    def _flux(self, source: Source, here: dict[str, Any]) -> np.ndarray:
        """Photons of each node; those of the last spectrum of each source are kept."""
        key = [here[f"{source.name}.{part}"].tobytes() for part in source.parameters]
        last = self._photons_of.get(source.name)
        if last is None or last[0] != key:
            photons = self.photons(source.flux_density(self.energy, here))
            last = self._photons_of[source.name] = key, photons
        return last[1]

    def _look(self, source: Source, here: dict[str, Any]) -> Seen:
        """A source where it is, and beside it, for derivatives that are asked for next."""
        read = [f"{source.name}.{part}" for part in ("lon", "lat", *source.shape_parameters)]
        if self._offset is not None:
            read += [self._offset.east, self._offset.north]
        key = source.name, *(here[name].tobytes() for name in read)
        if key not in self._seen:
            while len(self._seen) >= self._n_kept:
                self._seen.pop(next(iter(self._seen)))
            views, differences = look(
                *(source, here, self._names, self._frames, self._data.angle_deg, self._offset)
            )
            sights = self._data.expectation.see(views, self._data.hits)
            self._seen[key] = Seen(sights, differences, {})
        return self._seen[key]
