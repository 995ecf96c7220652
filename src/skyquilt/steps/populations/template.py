"""Read templates of populations: HEALPix tables of all of the sky."""

from typing import NamedTuple

import numpy as np

from skyquilt.config.populations import Template
from skyquilt.errors import InputError
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.instruments.imaging.headers import choose_frame
from skyquilt.instruments.imaging.healpix_table import read_column_of
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import ring_to_vec
from skyquilt.sky.pixels import nside_to_npix


class SkyTemplate(NamedTuple):
    """A brightness and its frame.

    Attributes
    ----------
    grid : HealpixGrid
        One value per pixel, of mean 1 over the sky.
    frame : {"galactic", "icrs"}
        Frame of the pixels.
    """

    grid: HealpixGrid
    frame: str

    def turned(self, frame: str) -> HealpixGrid:
        """The same in another frame, on a grid of the same resolution."""
        if frame == self.frame:
            return self.grid
        nside = self.grid.nside
        direction = ring_to_vec(nside, np.arange(nside_to_npix(nside)))
        return HealpixGrid(nside, self.grid.at(rotate(rotation(frame, self.frame), direction)))


def read_template(section: Template) -> SkyTemplate:
    """Read a template.

    Raises
    ------
    InputError
        If the file is damaged, is no HEALPix table of all of the sky, has several columns and none
        is named, or a value is negative or not finite, or all are 0.
    ConfigError
        If the frame is not known.
    """
    path = section.path
    with open_fits(path) as file:
        table = read_column_of(file, path, section.column)
    frame = choose_frame(path, table.frame, "template", section.frame)
    n = nside_to_npix(table.nside)
    values = table.values[:, 0]
    if len(table.ipix) != n:
        raise InputError(
            f"{path}: has {len(table.ipix)} of {n} pixels; a template needs all: write 0 where "
            "there is nothing."
        )
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if wrong.size:
        raise InputError(
            f"{path}: {wrong.size} of {n} values of {table.columns[0]} are negative or not finite, "
            f"as {values[wrong[0]]:g} in pixel {table.ipix[wrong[0]]}: write 0 where there is "
            "nothing."
        )
    if not values.any():
        raise InputError(f"{path}: {table.columns[0]} is 0 everywhere; name another `column`.")
    whole = np.empty((n, 1))
    whole[table.ipix, 0] = values / values.mean()
    return SkyTemplate(HealpixGrid(table.nside, whole), frame)
