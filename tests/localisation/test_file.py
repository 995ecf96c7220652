"""Files of a localisation, header by header; tests/formats opens them with other programs."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time

from skyquilt.io.provenance import Provenance
from skyquilt.localisation.file import region_files, write_localisation
from skyquilt.localisation.posterior import localise
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.sky.uniq import to_uniq, uniq_to_ranges

SPAN = (1835478010.25, 1835478050.0)
FILES = ("skymap.multiorder.fits", "skymap.fits", "regions/credible-90.fits")


@pytest.fixture
def found():
    """Base pixel 0 in quarters, base pixel 5 whole; nothing elsewhere."""
    uniq = np.append(to_uniq(1, np.arange(4)), 4 + 5)
    ts = np.array([8.0, 8.0, 8.0, 8.0, 3.0])
    return localise(MultiOrderMap("icrs", uniq, {"ts": ts}), (0.5, 0.9))


@pytest.fixture
def write(tmp_path, found):
    def write(span=SPAN, max_nside=256):
        description = {"instrument": "compton", "time_span": span}
        record = Provenance("localise").record() | {"description": description}
        write_localisation(tmp_path, found, "burst", max_nside, 0.5, record)
        return tmp_path

    return write


def test_multi_order_file_has_the_layout_that_readers_ask_for(write):
    header = fits.getheader(write() / "skymap.multiorder.fits", 1)
    wanted = {"PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "COORDSYS": "C", "MOCORDER": 1}
    wanted |= {"INDXSCHM": "EXPLICIT", "TTYPE1": "UNIQ", "TFORM1": "K", "TTYPE2": "PROBDENSITY"}
    wanted |= {"TFORM2": "D", "TUNIT2": "sr-1", "TTYPE3": "TS", "OBJECT": "burst"}
    wanted |= {"INSTRUME": "compton"}
    assert {key: header[key] for key in wanted} == wanted
    assert "TZERO1" not in header


def test_probability_density_integrates_to_one(write):
    table = fits.getdata(write() / "skymap.multiorder.fits", 1)
    first, stop = uniq_to_ranges(table["UNIQ"].astype(int), 1).T
    area = (stop - first) * np.pi / 12
    assert np.sum(table["PROBDENSITY"] * area) == pytest.approx(1, rel=1e-12)
    assert area.sum() == pytest.approx(4 * np.pi, rel=1e-12)


@pytest.mark.parametrize(
    "name", ["skymap.multiorder.fits", "skymap.fits", "regions/credible-90.fits"]
)
def test_times_are_those_of_the_observation(write, name):
    header = fits.getheader(write() / name, 1)
    for when, unix in zip(("OBS", "END"), SPAN, strict=True):
        time = Time(unix, format="unix", scale="utc")
        # MJD has 11 digits after the point, a microsecond; DATE is written to one
        assert header[f"MJD-{when}"] == pytest.approx(time.mjd, abs=1e-10)
        assert abs(Time(header[f"DATE-{when}"], scale="utc") - time).to_value("s") < 2e-6


def test_times_that_are_not_known_are_left_out(write):
    header = fits.getheader(write(span=None) / "skymap.multiorder.fits", 1)
    assert not {"DATE-OBS", "MJD-OBS", "DATE-END", "MJD-END"} & set(header)


def test_flat_map_has_the_layout_that_readers_ask_for(write):
    header = fits.getheader(write() / "skymap.fits", 1)
    wanted = {"PIXTYPE": "HEALPIX", "ORDERING": "NESTED", "COORDSYS": "C", "NSIDE": 2}
    wanted |= {"FIRSTPIX": 0, "LASTPIX": 47, "INDXSCHM": "IMPLICIT", "TTYPE1": "PROB"}
    wanted |= {"TFORM1": "D", "TUNIT1": "pix-1", "OBJECT": "burst"}
    assert {key: header[key] for key in wanted} == wanted


def test_flat_map_stays_at_the_largest_nside(write):
    assert fits.getheader(write(max_nside=1) / "skymap.fits", 1)["NSIDE"] == 1


@pytest.mark.parametrize("kind", ["containment", "credible"])
def test_region_is_a_moc_of_the_fewest_cells(write, kind):
    path = write() / region_files(kind, 0.5)["moc"]
    header, table = fits.getheader(path, 1), fits.getdata(path, 1)
    wanted = {"PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "COORDSYS": "C", "MOCORDER": 1}
    wanted |= {"TTYPE1": "UNIQ", "TFORM1": "K", "TFIELDS": 1, "LEVEL": 0.5}
    assert {key: header[key] for key in wanted} == wanted
    assert table["UNIQ"].tolist() == [4]  # the four quarters are one base pixel


def test_ds9_file_tells_area_and_parts(write):
    text = (write() / region_files("credible", 0.5)["ds9"]).read_text()
    assert "# burst: 50 % credible region, 3437.75 deg2, 1 part(s)" in text


@pytest.mark.parametrize(
    "name", ["skymap.multiorder.fits", "skymap.fits", "regions/credible-90.fits"]
)
def test_file_passes_the_fits_standard_and_its_checksums(write, name):
    with fits.open(write() / name, checksum=True) as file:
        file.verify("exception")
