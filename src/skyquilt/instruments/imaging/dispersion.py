"""Energy dispersion of a MapDataset: the part of the photons of an energy measured in a band."""

import numpy as np

from skyquilt.instruments.imaging.components import check_probabilities
from skyquilt.instruments.imaging.map_file import MapAxis, StoredMap
from skyquilt.instruments.imaging.quantities import FaultError


def to_kernel(edisp: StoredMap, energy_true: MapAxis, energy: MapAxis) -> StoredMap:
    """Probabilities of bands, from the map EDISP in either of its forms.

    A map over the ratio of energies (axis MIGRA) is integrated over each band, from the middle of
    each true energy, as gammapy does.

    Parameters
    ----------
    edisp : StoredMap
        Kernel over ENERGY_TRUE and ENERGY, or density over ENERGY_TRUE and MIGRA.
    energy_true, energy : MapAxis
        True energies of the exposure and bands of the counts [keV].

    Returns
    -------
    StoredMap
        Probabilities, shape (n_true, n_band, n_rows, n_columns); NaN where they are not known.

    Raises
    ------
    FaultError
        If it has other axes or other energies, or a value is impossible.
    """
    axis = "MIGRA" if "MIGRA" in edisp.axes else "ENERGY"
    edisp = edisp.by_axes("ENERGY_TRUE", axis)
    if axis == "MIGRA":
        edisp = _integrate(edisp, energy)
    for name, wanted in (("ENERGY", energy), ("ENERGY_TRUE", energy_true)):
        if not edisp.axis(name).is_same(wanted):
            raise FaultError(f"EDISP has other bins of {name} than COUNTS and EXPOSURE.")
    check_probabilities(edisp.values)
    return edisp


def _integrate(edisp: StoredMap, energy: MapAxis) -> StoredMap:
    """Kernel of a density over the ratio of measured and true energy."""
    ratio, true = edisp.axis("MIGRA"), edisp.axis("ENERGY_TRUE")
    width = np.diff(ratio.edges)[:, np.newaxis, np.newaxis]
    within = np.cumsum(edisp.values * width, axis=1)
    within = np.concatenate([np.zeros_like(within[:, :1]), within], axis=1)
    kernel = []
    for below, center in zip(within, true.centers, strict=True):
        position = np.interp(energy.edges / center, ratio.edges, np.arange(len(ratio.edges)))
        first = np.minimum(position.astype(np.int64), len(ratio.edges) - 2)
        fraction = (position - first)[:, np.newaxis, np.newaxis]
        kernel.append(np.diff((1 - fraction) * below[first] + fraction * below[first + 1], axis=0))
    axes = {"ENERGY": energy, "ENERGY_TRUE": true}
    return edisp._replace(values=np.maximum(kernel, 0.0), axes=axes)
