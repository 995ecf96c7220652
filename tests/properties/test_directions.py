"""The same direction has the same result, however it is numbered and in whatever frame."""

from dataclasses import replace

import healpy
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.fit.chunk import fit_chunk
from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.plan import make_plan
from skyquilt.io.provenance import Provenance
from skyquilt.maps.file import write_skymap
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem import LocalTable
from skyquilt.sky.frames import lonlat_to_vec, rotation
from skyquilt.sky.healpix import nest_to_vec, ring_to_vec
from skyquilt.sky.pixels import nest_to_ring, nside_to_npix
from skyquilt.sky.regions import full_sky

NSIDE = 8
IPIX = np.arange(nside_to_npix(NSIDE))
# Directions agree to 1e-15 between frames and orderings, 1e-11 where astropy's own frames are
# involved; TS changes by about 10 per radian.
TOLERANCE = 1e-9


def fit_all(problem, frame):
    """TS of the whole sky on a grid of a frame."""
    plan = make_plan(
        problem,
        nside=NSIDE,
        ordering="nested",
        frame=frame,
        ranges=full_sky(NSIDE),
        chunks=1,
    )
    return fit_chunk(problem, plan, 0).fit.ts


def test_ts_of_ring_and_nested_numbers_is_the_same(problem):
    nested = fit_pixels(problem, nest_to_vec(NSIDE, IPIX)).ts
    ring = fit_pixels(problem, ring_to_vec(NSIDE, IPIX)).ts
    assert ring[nest_to_ring(NSIDE, IPIX)] == pytest.approx(nested, abs=TOLERANCE)


@pytest.mark.parametrize("ordering", ["nested", "ring"])
def test_ts_of_a_written_map_is_the_same_in_either_ordering(problem, tmp_path, ordering):
    ts = fit_pixels(problem, nest_to_vec(NSIDE, IPIX)).ts
    skymap = SkyMap(NSIDE, "galactic", IPIX, {"ts": ts})
    write_skymap(tmp_path / "maps.fits", skymap, ordering, Provenance("merge").record())
    nested = healpy.read_map(tmp_path / "maps.fits", nest=True, dtype=np.float64)
    assert np.array_equal(nested, ts)


def test_ts_of_an_icrs_map_equals_galactic_directions_from_astropy(problem):
    lon, lat = healpy.pix2ang(NSIDE, IPIX, nest=True, lonlat=True)
    galactic = SkyCoord(lon, lat, unit="deg", frame="icrs").galactic
    directions = lonlat_to_vec(galactic.l.deg, galactic.b.deg)
    expected = fit_pixels(problem, directions).ts
    assert fit_all(problem, "icrs") == pytest.approx(expected, abs=TOLERANCE)


def test_ts_of_an_icrs_problem_equals_the_galactic_one(observation):
    telescope, counts = observation
    problem = telescope.problem(counts)
    table = problem.expectation
    turned = replace(table, rotation=table.rotation @ rotation("icrs", "galactic"))
    icrs = replace(problem, frame="icrs", expectation=turned)
    assert isinstance(table, LocalTable)
    for frame in ("galactic", "icrs"):
        assert fit_all(icrs, frame) == pytest.approx(fit_all(problem, frame), abs=TOLERANCE)


@given(lon=st.floats(0, 360), lat=st.floats(-90, 90))
@settings(derandomize=True, deadline=None, max_examples=50)
def test_ts_of_a_full_turn_of_longitude_is_the_same(problem, lon, lat):
    first, second = fit_pixels(problem, lonlat_to_vec(np.array([lon, lon - 360]), [lat, lat])).ts
    assert first == pytest.approx(second, abs=TOLERANCE)
