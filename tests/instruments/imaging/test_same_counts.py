"""Photons that two data sets of imaging instruments have in common."""

import shutil

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.config import parse_config
from skyquilt.errors import InputError
from skyquilt.steps.prepare import prepare_analysis


@pytest.fixture
def two_sets(sky):
    """`two_sets(kind, rows)`: prepare two data sets, the second with some rows of the first."""

    def prepare(kind, rows, energies=({}, {})):
        sky.write(kind)
        shutil.copy(sky.path(f"{kind}.fits"), sky.path("again.fits"))
        with fits.open(sky.path("again.fits"), mode="update") as file:
            file[1].header["HISTORY"] = "written again"
            if rows is not None:
                file[1].data = file[1].data[rows]
        settings = sky.settings(kind)
        one = {"instrument": settings.pop("instrument"), "data": settings.pop("data")}
        two = {**one, "data": {**one["data"], kind: {"path": sky.path("again.fits")}}}
        two["data"]["accept"] = one["data"]["accept"] = ["totals"]
        one["energy"], two["energy"] = energies
        settings["datasets"] = {"one": one, "two": two}
        config = parse_config({"cache": sky.path("cache"), "analyses": {"a": settings}})
        prepare_analysis(config, "a", sky.path("problem.h5"))

    return prepare


@pytest.mark.parametrize("kind", ["events", "counts"])
def test_photons_written_again_are_refused(two_sets, kind):
    with pytest.raises(InputError, match=r"datasets one and two .* photons in common"):
        two_sets(kind, None)


def test_lists_that_overlap_are_refused(two_sets):
    with pytest.raises(InputError, match="have 10 photons in common"):
        two_sets("events", slice(100, 110))


def test_one_list_in_energies_that_are_apart_is_fine(two_sets):
    low, middle, high = (f"{energy} GeV" for energy in np.geomspace(10, 1000, 5)[[0, 2, 4]])

    two_sets("events", None, ({"range": [low, middle]}, {"range": [middle, high]}))
