"""Where the source is: posterior over the whole sky, containment and credible regions."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from skyquilt.localisation.systematic import spread_probability
from skyquilt.maps.containment import find_region
from skyquilt.maps.credible import find_credible_region, probability_density
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.region import Region
from skyquilt.sky.moc import complement, merge_ranges, ranges_to_uniq
from skyquilt.sky.pixels import nside_to_order
from skyquilt.sky.uniq import uniq_to_ranges


class Posterior(NamedTuple):
    """Posterior and regions.

    Attributes
    ----------
    cells : MultiOrderMap
        The whole sky: "probdensity" [sr-1] and the fitted quantities. Where the map had no cell,
        the coarsest ones that fit, with density 0 and nothing else.
    containment, credible : tuple of Region
        One region per level.
    """

    cells: MultiOrderMap
    containment: tuple[Region, ...]
    credible: tuple[Region, ...]

    @property
    def density(self) -> np.ndarray:
        """Posterior density of each cell [sr-1]."""
        return self.cells.columns["probdensity"]


def localise(
    cells: MultiOrderMap, levels: Iterable[float], prior: str = "flat", error: float = 0.0
) -> Posterior:
    """Posterior and regions of a map.

    Parameters
    ----------
    cells : MultiOrderMap
        Map with a column "ts", and "exposure" for the prior of that name.
    levels : iterable of float
        Levels of the regions of both kinds.
    prior : {"flat", "exposure"}, optional
        Where sources are expected: everywhere alike, or in proportion to the exposure.
    error : float, optional
        Systematic error of the position along each axis [deg]: the posterior and the credible
        regions allow for it, the containment regions do not.

    Returns
    -------
    Posterior
        Regions and posterior; its quantities are the floating-point columns of the map.

    Raises
    ------
    ValueError
        If a level is outside (0, 1), or no cell has a TS and a prior above 0.
    """
    weight = None if prior == "flat" else cells.columns[prior]
    fitted = {name: column for name, column in cells.columns.items() if column.dtype.kind == "f"}
    density = spread_probability(cells, probability_density(cells, weight), error)
    columns = {"probdensity": density} | fitted
    sky = _cover_sky(MultiOrderMap(cells.frame, cells.uniq, columns))
    density, levels = sky.columns["probdensity"], tuple(levels)
    return Posterior(
        sky,
        tuple(find_region(sky, level) for level in levels),
        tuple(find_credible_region(sky, density, level) for level in levels),
    )


def _cover_sky(cells: MultiOrderMap) -> MultiOrderMap:
    """Map with cells of density 0, without quantities, where there were none."""
    order = cells.max_order
    uniq = np.append(
        cells.uniq, ranges_to_uniq(complement(merge_ranges(cells.ranges), order), order)
    )
    along = np.argsort(uniq_to_ranges(uniq, order)[:, 0])

    def fill(name: str, column: np.ndarray) -> np.ndarray:
        values = np.full(uniq.size, 0.0 if name == "probdensity" else np.nan)
        values[: column.size] = column
        return values[along]

    columns = {name: fill(name, column) for name, column in cells.columns.items()}
    return MultiOrderMap(cells.frame, uniq[along], columns)


def flatten_probability(cells: MultiOrderMap, density: np.ndarray, nside: int) -> np.ndarray:
    """Probability of each pixel of one resolution.

    Parameters
    ----------
    cells : MultiOrderMap
        Cells of the whole sky.
    density : ndarray of float64, shape (n,)
        Probability density [sr-1].
    nside : int
        Resolution.

    Returns
    -------
    ndarray of float64, shape (12 nside^2,)
        Probabilities, nested; a larger cell is shared out, those of smaller ones are added up.
    """
    order = nside_to_order(nside)
    flat = np.zeros(12 * nside**2)
    for at in np.unique(cells.order).tolist():
        here = cells.order == at
        ipix, values = cells.ipix[here], density[here]
        if at <= order:
            flat.reshape(-1, 4 ** (order - at))[ipix] = values[:, None]
        else:
            np.add.at(flat, ipix >> 2 * (at - order), values / 4.0 ** (at - order))
    return flat * (np.pi / 3 / nside**2)
