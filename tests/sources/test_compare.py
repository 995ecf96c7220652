"""Objects of a catalogue: those that were found, and limits on the others."""

import numpy as np
import pytest

from skyquilt.config.sources import Catalogue, SourceOptions
from skyquilt.fit.pixels import fit_pixels
from skyquilt.sky.frames import lonlat_to_vec, rotate, rotation
from skyquilt.sky.regions import cone, ipix_from_ranges
from skyquilt.sources.catalogue.objects import KnownObjects
from skyquilt.sources.compare import compare_catalogue

# Point spread 3 deg; a flux of 1 are 100 counts.
BRIGHT, BESIDE = (50.0, 0.0, 10.0), (56.0, 0.0)


@pytest.fixture(scope="module")
def compared(search):
    """Objects at a bright source and beside it, compared after a search by either method."""
    ipix = ipix_from_ranges(cone(32, lonlat_to_vec(50.0, 0.0), 20.0))
    direction = lonlat_to_vec(*np.array([BRIGHT[:2], BESIDE]).T)
    known = KnownObjects(
        np.array(["bright", "beside"]), rotate(rotation("galactic", "icrs"), direction), np.zeros(2)
    )

    def run(method):
        problem, skymap, found = search(BRIGHT, ipix=ipix, options={"method": method})
        options = SourceOptions(method=method, catalogue=Catalogue(path="unused.fits", radius=2.0))
        names = np.array(["S"])
        table = compare_catalogue(problem, skymap, known, found, names, options, 0.95)
        return problem, found, direction, {name: column.values for name, column in table.items()}

    return run


def test_object_beside_a_bright_source_has_no_ts_of_it(compared):
    problem, found, direction, table = compared("iterative")
    assert found.measured.ts.size == 1
    assert fit_pixels(problem, direction[1:]).ts[0] > 100
    assert table["ts"][1] < 9
    assert table["source"].tolist() == ["S", ""]
    assert table["is_upper_limit"].tolist() == [False, True]
    assert table["flux"][1] < table["flux_ul"][1] < 1  # of a source of 10


def test_object_that_was_found_keeps_its_own_counts(compared):
    _, found, _, table = compared("iterative")
    # a few tenths of a degree from the best position
    assert table["ts"][0] == pytest.approx(found.measured.ts[0], rel=0.01)
    assert table["flux"][0] == pytest.approx(found.measured.flux[0], rel=0.02)


def test_peaks_are_each_over_the_background_alone(compared):
    problem, _, direction, table = compared("peaks")
    np.testing.assert_allclose(table["ts"], fit_pixels(problem, direction).ts)
