import pytest
from pydantic import ValidationError

from skyquilt.config.binning import Binning

SECTION = {
    "events": "events.fits.gz",
    "output": "binned.h5",
    "frame": "local",
    "time_bin": "15 s",
    "interval": [1835478000.0, 1835478060.0],
    "energy_edges": ["100 keV", "1 MeV"],
    "phi_width": "5 deg",
    "nside": 8,
}


def parse(**changes):
    section = {**SECTION, **changes}
    return Binning.model_validate({k: v for k, v in section.items() if v is not None})


@pytest.mark.parametrize("time_bin", ["15 s", "60 s", "0.1 s", "1 min", "100 ms"])
def test_binning_with_time_bin_that_fills_interval_is_accepted(time_bin):
    assert parse(time_bin=time_bin).time_bin == time_bin


def test_binning_with_time_edges_is_accepted():
    section = parse(time_edges=[0, 10, 15], time_bin=None, interval=None)
    assert section.time_edges == (0, 10, 15)


@pytest.mark.parametrize("time_bin", ["25 s", "61 s", "1e9 s", "0 s", "-15 s"])
def test_binning_with_time_bin_that_leaves_a_rest_is_refused(time_bin):
    with pytest.raises(ValidationError, match=r"does not divide the interval of 60 s"):
        parse(time_bin=time_bin)


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({"time_bin": None, "interval": None}, "none"),
        ({"time_bin": None}, "interval"),
        ({"interval": None}, "time_bin"),
        ({"time_edges": [0, 1]}, "time_edges and time_bin and interval"),
    ],
)
def test_binning_with_time_said_not_at_all_or_twice_is_refused(changes, given):
    with pytest.raises(ValidationError, match=f"give either `time_edges`.*given: {given}"):
        parse(**changes)


@pytest.mark.parametrize("edges", [[2, 1], [1, 1], [0, 2, 1]])
def test_binning_with_time_edges_not_ascending_is_refused(edges):
    with pytest.raises(ValidationError, match=r"time_edges\n.*edges must ascend: .* s follows"):
        parse(time_edges=edges, time_bin=None, interval=None)


@pytest.mark.parametrize("edges", [[1], [0, float("nan")], [0, float("inf")]])
def test_binning_with_too_few_or_infinite_time_edges_is_refused(edges):
    with pytest.raises(ValidationError, match=r"time_edges"):
        parse(time_edges=edges, time_bin=None, interval=None)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (["100 keV", "0.1 MeV"], "edges must ascend: 100 keV follows 100 keV"),
        (["1 MeV", "100 keV"], "edges must ascend"),
        (["-1 keV", "100 keV"], "'-1 keV' is below zero"),
        (["100 keV"], "at least 2 items"),
        (["100 s", "1 MeV"], "convertible to keV"),
        ([100, 200], "100 has no unit"),
    ],
)
def test_binning_with_unusable_energy_edges_is_refused(edges, message):
    with pytest.raises(ValidationError, match=message):
        parse(energy_edges=edges)


@pytest.mark.parametrize("width", ["7 deg", "0 deg", "-5 deg", "200 deg", "360 deg"])
def test_binning_with_phi_width_that_leaves_a_rest_is_refused(width):
    with pytest.raises(ValidationError, match=r"does not divide 180 deg"):
        parse(phi_width=width)


@pytest.mark.parametrize("nside", [0, 3, -2, 16384])
def test_binning_with_nside_not_a_power_of_two_is_refused(nside):
    with pytest.raises(ValidationError, match=rf"nside {nside}: allowed are the powers of two"):
        parse(nside=nside)


def test_binning_with_output_over_its_events_is_refused():
    with pytest.raises(ValidationError, match=r"is the event file"):
        parse(output=SECTION["events"])


def test_binning_with_unknown_frame_names_the_known_ones():
    with pytest.raises(ValidationError, match=r"'local' or 'galactic'"):
        parse(frame="icrs")


def test_binning_with_unknown_key_is_refused():
    with pytest.raises(ValidationError, match=r"scheme\n  Extra inputs are not permitted"):
        parse(scheme="ring")


def test_orientation_in_the_local_frame_is_refused():
    assert parse(frame="galactic", orientation="o.ori").paths() == ("events.fits.gz", "o.ori")
    with pytest.raises(ValidationError, match="orientation has no effect with frame 'local'"):
        parse(frame="local", orientation="o.ori")
