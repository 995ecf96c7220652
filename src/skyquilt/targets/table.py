"""`targets/seds.ecsv`: a row for each target, profile and band, with units."""

from collections.abc import Mapping

import numpy as np

from skyquilt.io.fits_table import Column
from skyquilt.io.schema import Schema
from skyquilt.problem.bands import Bands
from skyquilt.status import TARGET_STATUS_NAMES
from skyquilt.targets.files import FittedTargets
from skyquilt.targets.listing import TargetList
from skyquilt.targets.plan import row_columns

# 1.0  first version
SCHEMA = Schema("skyquilt/seds", "1.0", "skyquilt targets merge")

LEAST_TS, LEAST_COUNTS = 4.0, 2.0
"""Below these the limit is the statement."""

_ENDS = {
    "": "norm",
    "_err": "norm_err",
    "_errn": "norm_errn",
    "_errp": "norm_errp",
    "_ul": "norm_ul",
    "_ul_profile": "norm_ul_profile",
}
_ABOUT = {
    "": "best value",
    "_err": "standard error",
    "_errn": "error downwards",
    "_errp": "error upwards",
    "_ul": "upper limit, flat prior",
    "_ul_profile": "upper limit, profile likelihood",
}
_PLAIN = {
    "norm": "multiple of the reference spectrum",
    "ts": "test statistic",
    "sqrt_ts": "its root",
    "npred": "expected counts of the target in its region",
    "counts_region": "counts in its region",
    "factor": "factor on the background",
    "factor_err": "its standard error",
    "n_free": "neighbours whose flux was fitted, too",
    "max_correlation": "largest correlation with a neighbour",
}
MEV = 1e-3  # of a keV


class Reference:
    """The reference spectrum in bands, in the units of the tables.

    Parameters
    ----------
    bands : Bands
        Bands of the problem.
    """

    def __init__(self, bands: Bands):
        self.e_min, self.e_max = bands.edges.T * MEV
        self.e_ref = np.sqrt(self.e_min * self.e_max)
        self.flux = bands.integrals.photon_flux
        self.eflux = bands.integrals.energy_flux * MEV
        self.dnde = bands.integrals.dnde / MEV
        self.e2dnde = self.dnde * self.e_ref**2

    units: Mapping[str, tuple[str, str]] = {
        "flux": ("cm-2 s-1", "photon flux"),
        "dnde": ("cm-2 s-1 MeV-1", "photon flux density at e_ref"),
        "e2dnde": ("MeV cm-2 s-1", "e_ref^2 times photon flux density"),
        "eflux": ("MeV cm-2 s-1", "energy flux"),
    }


def sed_columns(targets: TargetList, fitted: FittedTargets, bands: Bands) -> dict[str, Column]:
    """Columns of the table.

    Parameters
    ----------
    targets : TargetList
        The targets.
    fitted : FittedTargets
        All fits.
    bands : Bands
        Bands of the problem.
    """
    reference, n_band = Reference(bands), bands.n_band
    fit = np.array([row.fit for row in targets.rows])
    each = {name: values[fit].ravel() for name, values in fitted.numbers.items()}
    each["sqrt_ts"] = np.sqrt(each["ts"])

    def of_band(values: np.ndarray) -> np.ndarray:
        return np.tile(values, len(fit))

    columns = {
        name: one._replace(values=np.repeat(one.values, n_band))
        for name, one in row_columns(targets).items()
    }
    for name, about in (("e_min", "lowest"), ("e_max", "highest"), ("e_ref", "mean")):
        values = of_band(getattr(reference, name))
        columns[name] = Column(values, "MeV", f"{about} energy of the band")
    for name, (unit, about) in reference.units.items():
        scale = of_band(getattr(reference, name))
        for end, number in _ENDS.items():
            text = f"{about}: {_ABOUT[end]}"
            columns[f"{name}{end}"] = Column(scale * each[number], unit, text)
    for name, about in _PLAIN.items():
        columns[name] = Column(each[name], "", about)
    unit, _ = reference.units["flux"]
    columns["sensitivity"] = Column(
        of_band(reference.flux) * each["norm_sensitivity"],
        unit,
        "photon flux of TS 25 and 3 counts, for expected counts",
    )
    is_ul = ~((each["ts"] >= LEAST_TS) & (each["npred"] >= LEAST_COUNTS))
    columns["is_ul"] = Column(is_ul, "", "whether the limit is the statement")
    names = np.array([TARGET_STATUS_NAMES[int(value)] for value in each["status"]])
    columns["status"] = Column(names, "", "how the fit ended")
    return columns
