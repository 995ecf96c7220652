import gzip

import h5py
import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.compton.event_files import Pointing
from skyquilt.instruments.compton.event_files.tra import is_tra
from skyquilt.instruments.compton.events import open_events
from skyquilt.instruments.compton.orientation_files import read_orientation

T0 = 1835478000.0


def event(time=T0, *, kind="CO", energies=(300.0, 200.0), places=((3, 4, 0), (3, 4, -12)), more=()):
    """Lines of one event as MEGAlib writes them."""
    lines = ["SE", f"ET {kind}", "ID 3", f"TI {time:.9f}", *more, "SQ 2", "CT 0.1 0.2"]
    lines.append("CE {} 1.5   {} 1.1".format(*energies))
    for number, place in enumerate(places):
        x, y, z = place
        lines.append(f"CH {number} {x} {y} {z} 100 0 0.1 0.1 0.1 1 1e+15")
    return lines


POINTING = ("GX 90 0", "GZ 0 0")  # x to l = 90 deg, z to l = 0, so y to b = 90 deg


@pytest.fixture
def write(tmp_path):
    def write(*events, start=("TYPE TRA", "", "VERSION 1", "# made by hand", ""), end=("EN", "")):
        lines = [*start, *(line for lines in events for line in lines), *end]
        path = tmp_path / "events.tra"
        path.write_text("\n".join(lines))
        return path

    return write


def read(path, frame="local", pointing=None, **options):
    """All events of a file, and what was dropped."""
    given = {} if pointing is None else {"pointing": pointing}
    with open_events(path, frame, **given, **options) as file:
        blocks = list(file.blocks)
        dropped = {reason: n for reason, n in file.dropped.items() if n}
    events = {
        name: np.concatenate([getattr(b, name) for b in blocks]) for name in blocks[0]._fields
    }
    assert file.n_events == len(events["time"]) + sum(dropped.values())
    return events, dropped


def test_energies_give_energy_and_angle(write):
    events, _ = read(write(event(T0 + 0.25)))

    assert events["time"] == [T0 + 0.25]
    assert events["energy"] == [500]
    cosine = 1 - 510.99895 * (1 / 300 - 1 / 500)
    np.testing.assert_allclose(events["phi"], np.degrees(np.arccos(cosine)), rtol=1e-14)


@pytest.mark.parametrize("energies", [(100.0, 900.0), (0.0, 100.0), (-5.0, 50.0)])
def test_energies_that_allow_no_angle_give_nan(write, energies):
    events, _ = read(write(event(energies=energies)))

    assert np.isnan(events["phi"])


@pytest.mark.parametrize(
    ("place", "lon", "lat"),
    [((0, 0, -5), 0, 90), ((-5, 0, 0), 0, 0), ((0, -5, 0), 90, 0), ((0, 5, 0), 270, 0),
     ((-3, 0, -3), 0, 45), ((0, 0, 2), 0, -90)],
)  # fmt: skip
def test_direction_points_from_the_second_interaction_to_the_first(write, place, lon, lat):
    events, _ = read(write(event(places=((0, 0, 0), place))))

    np.testing.assert_allclose(events["lat"], lat, atol=1e-12)
    if abs(lat) < 90:
        np.testing.assert_allclose(events["lon"], lon, atol=1e-12)


@pytest.mark.parametrize(
    ("place", "lon", "lat"), [((0, 0, -1), 0, 0), ((-1, 0, 0), 90, 0), ((0, -1, 0), None, 90)]
)
def test_galactic_direction_follows_the_pointing_of_the_event(write, place, lon, lat):
    events, _ = read(write(event(places=((0, 0, 0), place), more=POINTING)), "galactic")

    np.testing.assert_allclose(events["lat"], lat, atol=1e-9)
    if lon is not None:
        np.testing.assert_allclose(np.cos(np.radians(events["lon"] - lon)), 1, atol=1e-12)


def test_positions_may_stand_in_one_line(write):
    lines = [line for line in event() if not line.startswith("CH")]
    lines.append("CD 3 4 0   0.1 0.1 0.1   3 4 -12   0.1 0.1 0.1   0 0 0   0 0 0")

    found, _ = read(write(lines))

    assert found == read(write(event()))[0]


def test_interactions_after_the_second_do_not_matter(write):
    places = ((3, 4, 0), (3, 4, -12), (1, 1, 1), (2, 2, 2))

    assert read(write(event(places=places)))[0] == read(write(event()))[0]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (event(kind="PH"), "no Compton event"),
        (event(kind="PA"), "no Compton event"),
        (event(kind="MU"), "no Compton event"),
        (event(more=["BD TooManyHits"]), "flagged as bad (BD)"),
        (event(places=((0, 0, 0),)), "incomplete"),
        (event()[:3], "incomplete"),
        ([line for line in event() if not line.startswith("TI")], "incomplete"),
        ([line for line in event() if not line.startswith("CE")], "incomplete"),
        (event(places=((1, 1, 1), (1, 1, 1))), "interactions at one position"),
    ],
)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_events_that_are_left_out_are_counted(write, lines, reason, at):
    good = [event(T0), event(T0 + 1)]

    events, dropped = read(write(*good[:at], lines, *good[at:]))

    assert dropped == {reason: 1}
    np.testing.assert_array_equal(events["time"], [T0, T0 + 1])


@pytest.mark.parametrize("block_bytes", [1, 1000, 1 << 20])
def test_blocks_do_not_change_events(write, block_bytes):
    lines = [event(T0 + i, places=((i, 0, 0), (0, 1, 1)), more=POINTING) for i in range(20)]
    path = write(*lines)
    whole, _ = read(path, "galactic")

    found, _ = read(path, "galactic", block_bytes=block_bytes)

    for name, values in whole.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("start", [(), ("",), ("# x", "TYPE TRA"), ("Type      tra",)])
def test_first_lines_of_all_kinds(write, start):
    assert read(write(event(), start=start))[0]["time"] == [T0]


@pytest.mark.parametrize(
    ("start", "is_list"),
    [(b"", False), (b"\n" * 4096, False), (b" \n" * 2000 + b"SE\n", True), (b" " * 4096, False),
     (b"# c\n" * 1000 + b"TYPE TRA\n", True), (b"#" * 4096, False), (b"SE", True),
     (b"SECOND\n", False), (b"ET CO\n", False), (b"\xff\xfe\n", False), (b"Type tra\r\n", True)],
)  # fmt: skip
def test_first_bytes_tell_a_list(start, is_list):
    assert is_tra(start) == is_list


def test_gzipped_lists_are_read(write):
    path = write(event(), event(T0 + 1))
    wanted, _ = read(path)
    path.write_bytes(gzip.compress(path.read_bytes()))

    assert {k: v.tolist() for k, v in read(path)[0].items()} == {
        k: v.tolist() for k, v in wanted.items()
    }


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.9])
def test_gzipped_list_that_is_cut_short_is_refused(write, fraction):
    path = write(*(event(T0 + i) for i in range(200)))
    content = gzip.compress(path.read_bytes())
    path.write_bytes(content[: int(len(content) * fraction)])

    with pytest.raises(InputError, match=r"events\.tra: damaged or cut short"):
        read(path)


def test_list_without_end_is_read_with_a_warning(write, caplog):
    read(write(event(), end=()))

    assert "no line 'EN' at the end; the file may be cut short" in caplog.text


def test_list_that_goes_on_in_another_file_is_refused(write):
    with pytest.raises(InputError, match=r"goes on in another file \('NF events\.2\.tra'\)"):
        read(write(event(), end=("NF events.2.tra", "EN")))


@pytest.mark.parametrize("line", ["TI abc", "CE 1 2 x 3", "CH 1 1 2 abc 1 0"])
def test_line_that_is_no_number_is_refused(write, line):
    key = line[: 4 if line.startswith("CH") else 2]
    lines = [line if stored.startswith(key) else stored for stored in event()]

    with pytest.raises(InputError, match=r"events\.tra: .*(abc|x).*: numbers .* are needed"):
        read(write(event(), lines))


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("line", ["TI {}", "CE {} 2 3 3"])
def test_values_that_are_not_finite_are_refused(write, line, value):
    lines = [line.format(value) if stored.startswith(line[:2]) else stored for stored in event()]

    with pytest.raises(InputError, match=r"events\.tra: '(TimeTags|Energies)' is not finite"):
        read(write(lines))


def test_galactic_direction_without_pointing_asks_for_the_orientation(write):
    with pytest.raises(InputError, match=r"1 of 2 events have no pointing .* give the orientation"):
        read(write(event(more=POINTING), event()), "galactic")


@pytest.fixture
def orientation(tmp_path):
    path = tmp_path / "o.ori"
    lines = [f"OG {T0 + 10 * i} 0 {90 + 2 * i} 0 {2 * i}" for i in range(4)]
    path.write_text("\n".join(["Type OrientationsGalactic", *lines, "EN", ""]))
    return read_orientation(path)


def test_pointing_is_turned_evenly_between_the_stamps(write, orientation):
    times = [T0, T0 + 2.5, T0 + 10, T0 + 27.5]
    places = ((0, 0, 0), (0, 0, -1))
    path = write(*(event(time, places=places) for time in times))

    events, _ = read(path, "galactic", Pointing(orientation, (T0, T0 + 30)))

    turned = (events["lon"] + 180) % 360 - 180
    np.testing.assert_allclose(turned, [0, 0.5, 2, 5.5], atol=1e-6)


def test_orientation_takes_the_place_of_the_events_pointings(write, orientation):
    path = write(event(T0 + 10, places=((0, 0, 0), (0, 0, -1)), more=("GX 0 0", "GZ 90 0")))

    events, _ = read(path, "galactic", Pointing(orientation, (T0, T0 + 30)))

    np.testing.assert_allclose(events["lon"], 2)


def test_events_outside_the_time_edges_need_no_pointing(write, orientation):
    path = write(event(T0 - 50), event(T0 + 5), event(T0 + 50))

    events, dropped = read(path, "galactic", Pointing(orientation, (T0, T0 + 30)))

    assert dropped == {"outside time edges": 2}
    assert events["time"] == [T0 + 5]


def test_orientation_that_does_not_cover_the_events_is_refused(write, orientation):
    with pytest.raises(InputError, match=r"o\.ori: covers .* not the interval"):
        read(write(event(T0 + 40)), "galactic", Pointing(orientation, (T0, T0 + 60)))


def test_orientation_for_files_with_directions_of_their_own_is_refused(tmp_path, orientation):
    with h5py.File(tmp_path / "e.hdf5", "w") as file:
        for name in ("Energies", "TimeTags", "Phi", "Chi galactic", "Psi galactic"):
            file[name] = np.ones(3)

    with pytest.raises(InputError, match=r"has galactic directions of its own.*`orientation`"):
        read(tmp_path / "e.hdf5", "galactic", Pointing(orientation))


NAME = "GalacticScan.inc1.id1.crab10sec.extracted.testsample"


@pytest.mark.parametrize("name", [f"{NAME}.tra.gz", f"{NAME}.nopointinginfo.tra.gz"])
def test_real_list_gives_what_megalib_computes(cosi_data, name):
    """Tolerances: numbers of six digits; MEGAlib's rest energy is 510.999 keV, and it takes the
    attitude of the nearest stamp, 0.06 deg from the next.
    """
    with h5py.File(cosi_data / "unbinned_data_MEGAlib_calc.hdf5") as file:
        wanted = {key: values[:] for key, values in file.items()}
    orientation = read_orientation(cosi_data / "20280301_first_10sec.ori")
    pointing = Pointing(orientation) if "nopointing" in name else None
    local, _ = read(cosi_data / name, "local")
    events, dropped = read(cosi_data / name, "galactic", pointing)
    n = events["time"].size

    assert (n, dropped) == ((4676, {"incomplete": 1}) if pointing else (621, {}))
    np.testing.assert_allclose(events["time"], wanted["TimeTags"][:n], rtol=0, atol=1e-6)
    np.testing.assert_allclose(events["energy"], wanted["Energies"][:n], rtol=1e-12)
    np.testing.assert_allclose(events["phi"], np.degrees(wanted["Phi"][:n]), rtol=0, atol=1e-3)
    _check_near(local, wanted["Chi local"][:n], wanted["Psi local"][:n], 1e-3)
    # MEGAlib counts galactic longitude from the other end.
    lon = wanted["Chi galactic"][:n] + np.pi
    _check_near(events, lon, wanted["Psi galactic"][:n], 0.06 if pointing else 1e-3)


def _check_near(events, lon, colatitude, limit_deg):
    """Directions are those of longitude and colatitude [rad]."""
    mine = np.radians(events["lon"]), np.radians(events["lat"])
    cosine = np.sin(mine[1]) * np.cos(colatitude)
    cosine += np.cos(mine[1]) * np.sin(colatitude) * np.cos(mine[0] - lon)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))).max() < limit_deg
