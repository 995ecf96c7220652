import h5py
import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.compton.events import open_events

N_EVENTS = 40


@pytest.fixture
def columns():
    rng = np.random.default_rng(2)
    return {
        "Energies": rng.uniform(100, 5000, N_EVENTS),
        "TimeTags": 1835478000 + np.sort(rng.uniform(0, 10, N_EVENTS)),
        "Phi": rng.uniform(0, np.pi, N_EVENTS),
        "Chi local": rng.uniform(0, 2 * np.pi, N_EVENTS),
        "Psi local": rng.uniform(0, np.pi, N_EVENTS),
        "Chi galactic": rng.uniform(0, 360, N_EVENTS),
        "Psi galactic": rng.uniform(-90, 90, N_EVENTS),
    }


@pytest.fixture
def read(tmp_path):
    def read(columns, frame, **options):
        path = tmp_path / "events.hdf5"
        with h5py.File(path, "w") as file:
            file.update(columns)
        with open_events(path, frame, **options) as events:
            return list(events.blocks)

    return read


def test_open_events_in_local_frame_turns_colatitude_into_latitude(columns, read):
    (events,) = read(columns, "local")
    np.testing.assert_allclose(np.radians(events.lon), columns["Chi local"], rtol=1e-14)
    sine = np.sin(np.radians(events.lat))
    np.testing.assert_allclose(sine, np.cos(columns["Psi local"]), rtol=0, atol=1e-14)


def test_open_events_in_galactic_frame_keeps_degrees(columns, read):
    (events,) = read(columns, "galactic")
    np.testing.assert_array_equal(events.lon, columns["Chi galactic"])
    np.testing.assert_array_equal(events.lat, columns["Psi galactic"])


def test_open_events_gives_time_energy_and_angle_in_degrees(columns, read):
    (events,) = read(columns, "local")
    np.testing.assert_array_equal(events.time, columns["TimeTags"])
    np.testing.assert_array_equal(events.energy, columns["Energies"])
    np.testing.assert_allclose(np.radians(events.phi), columns["Phi"], rtol=1e-14)


def test_open_events_with_undefined_compton_angle_gives_nan(columns, read):
    columns["Phi"][3] = np.nan
    (events,) = read(columns, "local")
    assert np.flatnonzero(np.isnan(events.phi)).tolist() == [3]


@pytest.mark.parametrize(
    ("frame", "name", "value"),
    [
        ("local", "TimeTags", np.nan),
        ("local", "Energies", np.inf),
        ("local", "Phi", np.inf),
        ("local", "Chi local", np.nan),
        ("galactic", "Psi galactic", -np.inf),
    ],
)
def test_open_events_with_value_not_finite_names_column_and_row(columns, read, frame, name, value):
    columns[name][[7, 9]] = value
    message = rf"'{name}' is not finite: {value} in row 7, and 1 more"
    with pytest.raises(InputError, match=message):
        read(columns, frame)


@pytest.mark.parametrize(
    ("frame", "name", "value"),
    [
        ("local", "Phi", -0.01),
        ("local", "Phi", 3.15),
        ("local", "Chi local", -3.15),
        ("local", "Chi local", 6.29),
        ("local", "Psi local", -0.01),
        ("local", "Psi local", 3.15),
        ("galactic", "Chi galactic", -180.1),
        ("galactic", "Chi galactic", 360.1),
        ("galactic", "Psi galactic", -90.1),
        ("galactic", "Psi galactic", 90.1),
    ],
)
def test_open_events_with_impossible_angle_is_refused(columns, read, frame, name, value):
    columns[name][7] = value
    with pytest.raises(
        InputError, match=rf"'{name}' is outside \[.*\] (rad|deg): {value} in row 7"
    ):
        read(columns, frame)


def test_open_events_with_fault_in_later_block_counts_rows_from_the_first(columns, read):
    columns["Energies"][37] = np.nan
    with pytest.raises(InputError, match=r"in row 37"):
        read(columns, "local", block_bytes=5 * 8 * 10)


def test_open_events_with_angles_of_single_precision_at_the_poles_are_accepted(columns, read):
    # float32(pi) is above pi.
    columns["Psi local"][:2] = 0, np.float32(np.pi)
    (events,) = read(columns, "local")
    assert events.lat[:2].tolist() == [90, -90]


@pytest.mark.parametrize("lon", [(0, 2 * np.pi), (-np.pi, np.pi)])
def test_open_events_with_either_range_of_longitudes_is_accepted(columns, read, lon):
    columns["Chi local"][:2] = lon
    columns["Chi galactic"][:2] = np.degrees(lon)
    assert len(read(columns, "local")) == 1
    assert len(read(columns, "galactic")) == 1


def as_megalib(columns):
    columns["Chi galactic"] = np.radians(columns["Chi galactic"] - 180)
    columns["Psi galactic"] = np.radians(90 - columns["Psi galactic"])
    return columns


def test_open_events_with_galactic_angles_in_radians_is_refused(columns, read):
    with pytest.raises(InputError, match=r"radians with a colatitude.*first 40 events"):
        read(as_megalib(columns), "galactic")


def test_open_events_with_galactic_angles_in_radians_gives_the_local_frame(columns, read):
    assert len(read(as_megalib(columns), "local")) == 1


def test_open_events_with_few_events_near_the_galactic_centre_is_accepted(columns, read):
    # Nine events may lie within 3.2 deg of one another; a later block is not looked at.
    few = {name: values[:9] for name, values in as_megalib(columns).items()}
    (events,) = read(few, "galactic")
    assert events.lon.size == 9


def test_open_events_with_two_numbers_per_event_is_refused(columns, read):
    columns["Energies"] = np.ones((N_EVENTS, 2))
    with pytest.raises(InputError, match=r"'Energies' has \(2,\) numbers per event, not 1"):
        read(columns, "local")
