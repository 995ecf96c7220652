"""Pipes in the place of files: one message, and nobody waits for them."""

import os

import pytest

from skyquilt.config.sources import Catalogue
from skyquilt.errors import SkyquiltError
from skyquilt.instruments.compton.event_files.file import open_columns
from skyquilt.instruments.compton.histograms import read_time_axis
from skyquilt.instruments.compton.orientation_files.file import read_orientation
from skyquilt.instruments.compton.response.file import open_response
from skyquilt.instruments.imaging.fits_file import open_fits
from skyquilt.sources.catalogue.objects import read_catalogue


def opened(manager):
    with manager:
        pass


READERS = {
    "events.tra": lambda path: opened(open_columns(path, {})),
    "events.fits": lambda path: opened(open_columns(path, {})),
    "events.hdf5": lambda path: opened(open_columns(path, {})),
    "counts.h5": read_time_axis,
    "response.h5": lambda path: opened(open_response(path)),
    "orientation.ori": read_orientation,
    "cube.fits": lambda path: opened(open_fits(path)),
    "known.csv": lambda path: read_catalogue(Catalogue(path=path)),
    "known.fits": lambda path: read_catalogue(Catalogue(path=path)),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", READERS)
def test_pipe_in_the_place_of_a_file_is_told(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(SkyquiltError, match=rf"{name}: .*(a pipe or a device|no such file)"):
        READERS[name](str(tmp_path / name))
