import h5py
import numpy as np
import pytest
from astropy.io import fits

from skyquilt.instruments.compton.orientation_files import read_orientation
from skyquilt.sky.frames import lonlat_to_vec, separation

COLUMNS = {
    "Energies": "keV",
    "TimeTags": "s",
    "Xpointings (glon,glat)": "rad",
    "Ypointings (glon,glat)": "rad",
    "Zpointings (glon,glat)": "rad",
    "Phi": "rad",
    "Chi local": "rad",
    "Psi local": "rad",
    "Distance": "cm",
    "Chi galactic": "deg",
    "Psi galactic": "deg",
}


@pytest.fixture(scope="module")
def events(simulated):
    with fits.open(simulated / "crab_events.fits.gz") as file:
        table = file[1]
        assert {column.name: column.unit for column in table.columns} == COLUMNS
        return {name: np.array(table.data[name], dtype=float) for name in COLUMNS}


def test_fits_and_hdf5_hold_the_same_events(simulated, events):
    with h5py.File(simulated / "crab_events.hdf5") as file:
        assert set(file) == set(COLUMNS)
        for name, column in events.items():
            np.testing.assert_array_equal(file[name][:], column)


def test_local_directions_turn_to_galactic_ones_by_the_pointings(events):
    chi, psi = np.degrees(events["Chi local"]), np.degrees(events["Psi local"])
    local = lonlat_to_vec(chi, 90 - psi)
    axes = [lonlat_to_vec(*np.degrees(events[f"{axis}pointings (glon,glat)"]).T) for axis in "XYZ"]
    turned = sum(local[:, [k]] * axis for k, axis in enumerate(axes))
    galactic = lonlat_to_vec(events["Chi galactic"], events["Psi galactic"])
    np.testing.assert_allclose(turned, galactic, atol=1e-12)  # rounding


def test_pointings_follow_the_orientation_file(simulated, events):
    orientation = read_orientation(simulated / "orientation.ori")
    record = np.searchsorted(orientation.time, events["TimeTags"], side="right") - 1
    z = lonlat_to_vec(*np.degrees(events["Zpointings (glon,glat)"]).T)
    # a record lasts 15 s, in which the zenith moves 0.94 deg and a slew adds 0.7
    assert separation(z, orientation.z[record]).max() < 1.7


def test_columns_are_in_their_ranges(events):
    assert events["Energies"].min() >= 100
    assert events["Energies"].max() < 1000
    assert 0 <= events["Phi"].min() <= events["Phi"].max() <= np.pi
    assert 0 <= events["Chi local"].min() <= events["Chi local"].max() < 2 * np.pi
    assert 0 <= events["Psi local"].min() <= events["Psi local"].max() <= np.pi
    assert np.abs(events["Psi galactic"]).max() <= 90
    for axis in "XYZ":
        assert np.abs(events[f"{axis}pointings (glon,glat)"]).max() <= np.pi
    assert events["Distance"].min() > 0
