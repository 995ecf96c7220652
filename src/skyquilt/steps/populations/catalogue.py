"""Read catalogues of populations: sources with fluxes, indices and sizes."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from skyquilt.config.populations import SourceCatalogue
from skyquilt.config.shape import AnalyticShape, Disk, Gaussian
from skyquilt.config.units import to_value
from skyquilt.errors import InputError
from skyquilt.populations.seen import PowerLaws, power_laws
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sources.catalogue.file import first_table
from skyquilt.sources.catalogue.objects import read_columns

if TYPE_CHECKING:
    from astropy.table import Table

logger = logging.getLogger(__name__)

_SIZES = ("Source_Name", "Model_Form", "Model_SemiMajor", "Model_SemiMinor", "Model_PosAng")


class CatalogueSources(NamedTuple):
    """Sources of a catalogue.

    Attributes
    ----------
    name : ndarray of str, shape (n,)
        Names.
    spectra : PowerLaws
        Directions (ICRS) and spectra.
    shape : dict of int to AnalyticShape
        Shapes of those that are extended, by their number.
    """

    name: np.ndarray
    spectra: PowerLaws
    shape: dict[int, AnalyticShape]

    def numbers(self) -> tuple[int, int]:
        """Number of points and of extended sources."""
        return len(self.name) - len(self.shape), len(self.shape)

    def parts(self, frame: str) -> Iterator[tuple[AnalyticShape | None, PowerLaws]]:
        """All points, and each extended source with its shape; directions in a frame."""
        spectra = self.spectra
        direction = rotate(rotation("icrs", frame), spectra.direction)
        points = np.setdiff1d(np.arange(len(self.name)), list(self.shape))
        for shape, some in (
            (None, points),
            *((one, np.array([at])) for at, one in self.shape.items()),
        ):
            yield (
                shape,
                PowerLaws(direction[some], spectra.norm[some], spectra.index[some], spectra.pivot),
            )


def read_sources(section: SourceCatalogue) -> CatalogueSources:
    """Read the sources of a catalogue.

    Raises
    ------
    InputError
        If a column is missing, a flux is negative, no source has a flux, or sizes are of sources
        that are not there.
    """
    path = section.path
    known, columns = read_columns(section, (section.flux, section.index))
    flux, index = columns[section.flux], columns[section.index]
    if np.any(flux < 0):
        first = int(np.argmax(flux < 0))
        raise InputError(
            f"{path}: {section.flux} of {known.name[first]} is {flux[first]:g}; fluxes are 0 or "
            "more: name another column with `flux`."
        )
    has = np.isfinite(flux) & np.isfinite(index) & (flux > 0)
    if not np.any(has):
        raise InputError(f"{path}: no row has a number in both {section.flux} and {section.index}.")
    if n_left := int(np.count_nonzero(~has)):
        logger.info("%s: %d sources without flux or index are left out", path, n_left)
    low, high = (to_value(energy, "keV") for energy in section.flux_range)
    spectra = power_laws(known.direction[has], flux[has], -index[has], (low, high))
    name = known.name[has]
    return CatalogueSources(name, spectra, _read_shapes(section, name))


def _read_shapes(section: SourceCatalogue, name: np.ndarray) -> dict[int, AnalyticShape]:
    if section.extended is None:
        return {}
    sizes = first_table(section.path, section.extended, lambda table, _: _sizes(table, section))
    number = {one: index for index, one in enumerate(name.tolist())}
    missing = [one for one in sizes if one not in number]
    if missing:
        logger.info(
            "%s: %d extended sources of %s are not among the sources with a flux: %s",
            *(section.path, len(missing), section.extended, ", ".join(missing[:5])),
        )
    return {number[one]: shape for one, shape in sizes.items() if one in number}


def _sizes(table: "Table", section: SourceCatalogue) -> dict[str, AnalyticShape]:
    lacking = [column for column in _SIZES if column not in table.colnames]
    if lacking:
        raise InputError(
            f"{section.path}, table {section.extended}: no column {', '.join(lacking)}; sizes are "
            f"in {', '.join(_SIZES)}: remove `extended`, and all sources are points."
        )
    found = {}
    for row in table:
        name, form = str(row["Source_Name"]).strip(), str(row["Model_Form"]).strip()
        axes = float(row["Model_SemiMajor"]), float(row["Model_SemiMinor"])
        found[name] = _shape(name, form, *axes, float(row["Model_PosAng"]))
    return found


def _shape(name: str, form: str, major: float, minor: float, angle: float) -> AnalyticShape:
    """Shape of a source; what is neither a disk nor a Gaussian becomes a disk of its area."""
    size = float(np.sqrt(major * minor))
    if form not in ("Disk", "2D Gaussian") or minor != major:
        logger.info("%s (%s): taken as round, of the same area", name, form)
    if "Gaussian" in form:
        return Gaussian(model="gaussian", sigma=size)
    return Disk(model="disk", radius=size)
