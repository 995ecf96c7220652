"""Components of the background of data that are one file: its own, and those of other files."""

import logging
from collections.abc import Mapping

import numpy as np

from skyquilt.config.background import background_key
from skyquilt.config.imaging import BackgroundCube
from skyquilt.config.imaging_file import FileBackground
from skyquilt.errors import InputError
from skyquilt.instruments.backgrounds import read_each
from skyquilt.instruments.imaging.cube import SkyCube, check_same_cube, read_band_cube
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.map_file import read_map
from skyquilt.instruments.imaging.quantities import COUNTS, FaultError
from skyquilt.instruments.imaging.wcs_cube import WcsCube

logger = logging.getLogger(__name__)

_OWN = "BACKGROUND"  # extension of a MapDataset


def read_file_backgrounds(
    sections: Mapping[str, FileBackground], counts: SkyCube, own: np.ndarray
) -> dict[str, np.ndarray]:
    """Expected counts of each component, times its factor, in the order of the counts' pixels.

    Parameters
    ----------
    sections : dict of str to FileBackground
        Sections of the analysis, by the name of the component; of one without a path `own` is
        taken.
    counts : SkyCube
        Counts, whose pixels and bands all must have.
    own : ndarray of float64, shape (n_pixel, n_band)
        Expected counts in the file of the counts.

    Raises
    ------
    InputError
        If a file is damaged, or has other pixels or bands; with the name of the component.
    ConfigError
        If a frame or a unit is not known.
    """

    def read(name: str, section: FileBackground) -> np.ndarray:
        if section.path is None:
            return own * section.scale
        file = BackgroundCube(
            path=section.path, frame=section.frame, energy_unit=section.energy_unit
        )
        cube = _read_cube(file, background_key(name))
        check_same_cube(counts, cube)
        return cube.values * section.scale

    if all(section.path is not None for section in sections.values()):
        logger.info("%s: the background in it is not used, but that of other files", counts.path)
    return read_each(sections, read)


def _read_cube(section: BackgroundCube, key: str) -> SkyCube:
    path = section.path
    with open_fits(path) as hdus:
        if _OWN not in hdus:
            return read_band_cube(section, key)
        try:
            found = read_map(hdus, _OWN, path, COUNTS)
            if found.projection is None:
                raise FaultError(f"{_OWN} is that of a region; an image is needed.")
            projection, found = found.projection, found.by_axes("ENERGY")
        except (FaultError, KeyError) as error:
            raise InputError(f"{path}: {error.args[0]}") from error
        edges = found.axis("ENERGY").edges
        return WcsCube(path, projection, by_pixel(found.values), edges)


def by_pixel(values: np.ndarray) -> np.ndarray:
    """Planes of an image as columns of its pixels."""
    return values.reshape(len(values), -1).T
