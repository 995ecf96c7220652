import numpy as np
import pytest

from skyquilt.errors import ConfigError, InputError
from skyquilt.instruments.imaging.events import read_events
from skyquilt.sky.frames import lonlat_to_vec


def events_of(sky, **section):
    return read_events(sky.analysis(events=section).data.events)


def test_events_are_read_with_frame_and_unit(sky):
    sky.write_events()
    direction, energy = sky.photons()

    events = events_of(sky)

    assert events.frame == "galactic"
    np.testing.assert_allclose(events.direction, direction, atol=1e-12)
    np.testing.assert_allclose(events.energy, energy * 1e6, rtol=1e-12)


def test_right_ascension_and_declination_come_first(sky):
    n = len(sky.photons()[0])
    lon, lat = np.linspace(0, 359, n), np.linspace(-80, 80, n)
    sky.write_events(RA=(lon, "deg"), DEC=(lat, None))

    events = events_of(sky)

    assert events.frame == "icrs"
    np.testing.assert_allclose(events.direction, lonlat_to_vec(lon, lat), atol=1e-12)


def test_events_outside_the_good_times_are_left_out(sky, caplog):
    caplog.set_level("INFO")
    sky.write_events(gti=((60.0, 70.0), (0.0, 20.0), (10.0, 15.0)))

    events = events_of(sky)

    time = np.linspace(0, 100, len(sky.photons()[0]))
    is_good = (time <= 20) | ((time >= 60) & (time <= 70))
    np.testing.assert_allclose(events.energy, sky.photons()[1][is_good] * 1e6)
    assert f"{np.count_nonzero(~is_good)} events outside the good time" in caplog.text


def test_without_good_times_all_events_are_good(sky):
    sky.write_events(gti=None)

    assert len(events_of(sky).energy) == len(sky.photons()[0])


def test_no_event_in_the_good_times_is_refused(sky):
    sky.write_events(gti=((200.0, 300.0),))

    with pytest.raises(InputError, match=r"events\.fits: none of the \d+ events lies in the good"):
        events_of(sky)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("B", 91.0, r"1 latitudes are not possible, as 91\.0 in row 5"),
        ("B", np.nan, "1 latitudes"),
        ("L", np.inf, "1 longitudes"),
        ("L", 20626.0, r"1 longitudes are not possible, as 20626\.0 in row 5"),
        ("ENERGY", 0.0, r"1 energies \[keV\]"),
        ("ENERGY", np.nan, "1 energies"),
    ],
)
def test_impossible_values_are_refused(sky, column, value, message):
    n = len(sky.photons()[0])
    values = np.full(n, 50.0)
    values[5] = value
    sky.write_events(**{column: (values, "GeV" if column == "ENERGY" else "deg")})

    with pytest.raises(InputError, match=message):
        events_of(sky)


@pytest.mark.parametrize("gti", [np.empty((0, 2)), ((0.0, 20.0), (60.0, 50.0)), ((np.nan, 5.0),)])
def test_good_times_that_are_none_are_refused(sky, gti):
    sky.write_events(gti=gti)

    with pytest.raises(InputError, match=r"events\.fits: table GTI has \d intervals, \d of them"):
        events_of(sky)


@pytest.mark.parametrize("gti", [None, ((0.0, 100.0),)])
def test_table_without_events_is_a_list_of_none(sky, gti):
    columns = {name: (np.empty(0), unit) for name, unit in (("L", "deg"), ("B", "deg"))}
    sky.write_events(time=np.empty(0), gti=gti, ENERGY=(np.empty(0), "GeV"), **columns)

    assert events_of(sky).direction.shape == (0, 3)


def test_missing_energies_are_named(sky):
    sky.write_tables(
        "events.fits", ("EVENTS", {"L": (np.ones(3), None), "B": (np.ones(3), None)}, {})
    )

    with pytest.raises(InputError, match="table EVENTS has no column ENERGY; there are: L, B"):
        events_of(sky)


def test_energies_without_unit_need_one_in_the_analysis(sky):
    sky.write_events(energy_unit=None)

    with pytest.raises(ConfigError, match=r"no unit for the energies.*under data\.events"):
        events_of(sky)
    assert events_of(sky, energy_unit="GeV").energy.max() < 1.1e9


def test_file_without_events_is_refused(sky):
    sky.write_psf()
    (sky.folder / "psf.fits").rename(sky.folder / "events.fits")

    with pytest.raises(InputError, match="no table EVENTS; there are: PRIMARY, PSF, THETA"):
        events_of(sky)


def test_file_without_positions_is_refused(sky):
    n = len(sky.photons()[0])
    sky.write_tables("events.fits", ("EVENTS", {"ENERGY": (np.ones(n), "GeV")}, {}))

    with pytest.raises(
        InputError, match="neither the columns RA and DEC nor L and B; there are: ENERGY"
    ):
        events_of(sky)


@pytest.mark.parametrize("name", ["events.fits", "events.fits.gz"])
def test_truncated_file_is_refused(sky, name):
    import gzip

    sky.write_events()
    content = (sky.folder / "events.fits").read_bytes()
    content = gzip.compress(content) if name.endswith("gz") else content
    (sky.folder / name).write_bytes(content[: len(content) // 2])

    with pytest.raises(InputError, match=r"cannot be read as FITS, or cut short"):
        events_of(sky, path=sky.path(name))


def test_missing_file_is_named(sky):
    with pytest.raises(InputError, match=r"events\.fits: no such file"):
        events_of(sky)


def test_text_file_is_refused(sky):
    (sky.folder / "events.fits").write_text("RA DEC ENERGY\n")

    with pytest.raises(InputError, match="cannot be read as FITS"):
        events_of(sky)
