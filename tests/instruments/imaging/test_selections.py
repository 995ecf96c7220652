"""What headers of event lists and cubes say of their selection: applied, or refused by name."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import InputError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.imaging.prepare import make_problem
from skyquilt.instruments.imaging.selections import read_selections, sort_selections
from skyquilt.likelihood.options import FluxOptions
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.status import GOOD, NO_EXPOSURE

SOURCE = (120.0, 35.0)
FERMI = [
    ("BIT_MASK(EVENT_CLASS,128,P8R2)", "DIMENSIONLESS", "1:1", ""),
    ("TIME", "s", "TABLE", ":GTI"),
    ("BIT_MASK(EVENT_TYPE,3,P8R2)", "DIMENSIONLESS", "1:1", ""),
    ("POS(RA,DEC)", "deg", "CIRCLE(0,0,180)", ""),
    ("ENERGY", "MeV", "10000:1000000", ""),
    ("ZENITH_ANGLE", "deg", "0:105", ""),
]


def state(path, selections, table=1, **cards):
    """Write selections (kind, unit, value, reference) into the header of a table."""
    with fits.open(path, mode="update") as file:
        header = file[table].header
        for number, one in enumerate(selections, 1):
            for key, text in zip(("DSTYP", "DSUNI", "DSVAL", "DSREF"), one, strict=False):
                if text:
                    header[f"{key}{number}"] = text
        header["NDSKEYS"] = len(selections)
        header.update(cards)


def problem_of(sky, *selections, accept=(), kind="events", energy=None, **cards):
    state(sky.path(f"{kind}.fits"), selections, **cards)
    settings = {"accept": list(accept)} if accept else {}
    analysis = sky.analysis(kind, **({"energy": energy} if energy else {}))
    return make_problem(replace(analysis, data=analysis.data.model_copy(update=settings)))


@pytest.mark.parametrize("kind", ["events", "counts"])
def test_selections_that_leave_the_analysis_whole_are_fine(sky, kind):
    problem = make_problem(sky.write(kind).analysis(kind))

    selections = [one for one in FERMI if kind == "events" or one[0] != "TIME"]
    assert problem_of(sky, *selections, kind=kind).counts.sum() == problem.counts.sum()


@pytest.mark.parametrize("kind", ["events", "counts"])
@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("MeV", "30000:1000000"),
        ("GeV", "30:1000"),
        ("", "30:1000"),
        ("keV", "3e7:"),
        ("GeV", ":300"),
        ("GeV", "10:30,40:1000"),
    ],
)
def test_energies_that_the_list_lacks_are_refused(sky, kind, unit, value):
    sky.write(kind)
    if kind == "counts" and not unit:
        unit = "GeV"

    with pytest.raises(InputError, match=r"s\.fits: its photons were selected between .*DSVAL1"):
        problem_of(sky, ("ENERGY", unit, value), kind=kind)


def test_energies_within_the_selection_are_fine(sky):
    sky.write()
    whole = make_problem(sky.analysis(energy={"range": ["40 GeV", "900 GeV"]}))

    problem = problem_of(
        sky,
        ("ENERGY", "GeV", "10:30,40:1000"),
        energy={"range": ["40 GeV", "900 GeV"]},
    )

    assert problem.counts.sum() == whole.counts.sum()


def cut_to_circle(sky, radius):
    """Keep the events of a circle around the source."""
    direction = sky.photons()[0]
    inside = direction @ lonlat_to_vec(*SOURCE) >= np.cos(np.radians(radius))
    with fits.open(sky.path("events.fits"), mode="update") as file:
        file[1].data = file[1].data[inside]


@pytest.mark.parametrize("norm", ["fixed", "free"])
def test_circle_of_events_is_applied(make_sky, norm):
    sky = make_sky(source_counts=300.0).write()
    whole = fit_pixels(make_problem(sky.analysis()), lonlat_to_vec(*SOURCE)[np.newaxis])
    cut_to_circle(sky, 25.0)

    problem = problem_of(sky, ("POS(L,B)", "deg", "CIRCLE(120, 35, 25)"))

    # of 4000, which rise to the north: closed form of a cap; pixels are cut to 0.1 deg
    height = (1 + np.cos(np.radians(25))) / 2 * np.sin(np.radians(35))
    cap = 4000 * (1 - np.cos(np.radians(25))) / 2 * (1 + 0.3 * height)
    assert problem.background_total == pytest.approx(cap, rel=3e-3)
    directions = lonlat_to_vec(np.array([120.0, 120, 300]), np.array([35.0, 12, -35]))
    fit = fit_pixels(problem, directions, FluxOptions(free_background=norm == "free"))
    assert fit.status.tolist() == [GOOD, NO_EXPOSURE, NO_EXPOSURE]
    # a finer exposure, and a norm of the background from fewer events
    assert fit.flux[0] == pytest.approx(whole.flux[0], rel=0.02)
    assert fit.ts[0] == pytest.approx(whole.ts[0], rel=1e-3 if norm == "fixed" else 0.25)


def test_circle_too_small_for_any_direction_is_refused(sky):
    sky.write()
    cut_to_circle(sky, 2.0)

    with pytest.raises(InputError, match=r"2 deg around \(120, 35\) \(galactic\), which holds all"):
        problem_of(sky, ("POS(L,B)", "deg", "CIRCLE(120,35,2)"), accept=["totals"])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("POS(L,B)", "BOX(120,35,10,10,0)"),
        ("POS(RA,DEC)", "POLYGON(1,1,2,2,3,1)"),
        ("POS(RA,DEC)", "CIRCLE(1,1,5),CIRCLE(9,9,5)"),
        ("POS(RA,DEC)", "!CIRCLE(1,1,5)"),
        ("POS(RA,DEC)", "CIRCLE(1,1)"),
        ("POS(RA,DEC)", "CIRCLE(1,x,5)"),
        ("POS(RA,DEC)", "REGION"),
        ("POS(X,Y)", "CIRCLE(1,1,5)"),
        ("RA", "10:20"),
        ("DEC", "-30:"),
        ("PULSE_PHASE", "0.1:0.4"),
        ("THETA", "0:60"),
        ("DETX", "-1:1"),
        ("ENERGY", "TABLE"),
        ("ENERGY", "low:high"),
        ("TIME", "x:y"),
    ],
)
@pytest.mark.parametrize("data", ["events", "counts"])
def test_selection_that_is_not_understood_is_refused_by_name(sky, data, kind, value):
    if data == "counts" and kind == "TIME":
        return
    sky.write(data)

    with pytest.raises(InputError, match=rf"{data}\.fits: DSTYP1 .*`accept: \[selection\]`"):
        problem_of(sky, (kind, "", value), kind=data)


def test_selection_that_is_accepted_is_a_warning(sky, caplog):
    sky.write()

    problem = problem_of(sky, ("PULSE_PHASE", "", "0.1:0.4"), accept=["selection"])

    assert problem.counts.size == len(sky.photons()[0])
    assert "PULSE_PHASE" in caplog.text


@pytest.mark.parametrize(
    ("value", "is_whole"), [("0:360", True), (":", True), ("-180:180", False), ("0:359", False)]
)
def test_ranges_of_the_whole_sky_are_fine(value, is_whole):
    selected = sort_selections(read_selections({"DSTYP1": "RA", "DSVAL1": value}, "e.fits"))

    assert bool(selected.unknown) != is_whole


@pytest.mark.parametrize(
    "cards",
    [{"DSTYP1": "ENERGY"}, {"DSVAL1": "1:2"}, {"2DSVAL1": "1:2", "DSTYP1": "E", "DSVAL1": "1:2"}],
)
def test_keywords_of_no_whole_selection_are_refused(cards):
    with pytest.raises(InputError, match=r"e\.fits: "):
        read_selections(cards, "e.fits")


@pytest.mark.parametrize(
    ("ours", "theirs", "difference"),
    [
        (("ZENITH_ANGLE", "deg", "0:90"), ("ZENITH_ANGLE", "deg", "0.0:105.0"), "ZENITH_ANGLE"),
        (("BIT_MASK(EVENT_CLASS,128,P8R3)", "", "1:1"), FERMI[0], "EVENT_CLASS"),
        (("BIT_MASK(EVENT_TYPE,1,P8R2)", "", "1:1"), FERMI[2], "EVENT_TYPE"),
        (("ZENITH_ANGLE", "deg", "0:105"), ("ZENITH_ANGLE", "deg", "0.0:105.0"), None),
        (("EVENT_CLASS", "", "3:10"), FERMI[5], None),
    ],
)
@pytest.mark.parametrize("kind", ["events", "counts"])
def test_selections_of_the_response_are_those_of_the_photons(sky, kind, ours, theirs, difference):
    sky.write(kind)
    state(sky.path("exposure.fits"), [theirs], table=0)

    if difference is None:
        assert problem_of(sky, ours, kind=kind).counts.sum()
        return
    with pytest.raises(InputError, match=rf"{kind}\.fits and .*exposure\.fits: {difference} is"):
        problem_of(sky, ours, kind=kind)


@pytest.mark.parametrize(
    "cards",
    [{"HDUCLAS1": "GTI"}, {"HDUCLAS2": "REJECTED"}, {"HDUCLAS2": "BKG"}, {"OBS_MODE": "OFF"}],
)
def test_rows_that_are_no_photons_of_the_sky_are_refused(sky, cards):
    sky.write()

    with pytest.raises(InputError, match=f"table EVENTS has {next(iter(cards))} "):
        problem_of(sky, **cards)


@pytest.mark.parametrize(
    ("cards", "is_known"),
    [
        ({"RADECSYS": "FK5", "EQUINOX": 2000.0}, True),
        ({"RADESYS": "ICRS"}, True),
        ({"EQUINOX": "J2000"}, True),
        ({"RADECSYS": "FK4", "EQUINOX": 1950.0}, False),
        ({"EQUINOX": 1950.0}, False),
        ({"RADESYS": "FK5", "EQUINOX": 2015.5}, False),
        ({"RADESYS": "GAPPT"}, False),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_equinox_of_right_ascensions_is_2000(sky, cards, is_known, place):
    direction = sky.photons()[0]
    lon, lat = np.zeros(len(direction)), np.zeros(len(direction))
    sky.write().write_events(RA=(lon, "deg"), DEC=(lat, "deg"))
    state(sky.path("events.fits"), [], table=place, **cards)

    if is_known:
        assert make_problem(sky.analysis()).counts.size
        return
    with pytest.raises(InputError, match=r"RA and DEC of table EVENTS are of .*: convert them"):
        make_problem(sky.analysis())


def test_several_lists_in_one_file_are_refused(sky):
    sky.write()
    with fits.open(sky.path("events.fits")) as file:
        hdus = fits.HDUList([hdu.copy() for hdu in (*file, file[1])])
        hdus.writeto(sky.path("events.fits"), overwrite=True)

    with pytest.raises(InputError, match="2 tables EVENTS; one is needed"):
        make_problem(sky.analysis())


def test_image_beyond_the_circle_of_its_photons_is_refused(sky):
    sky.write("counts")

    with pytest.raises(InputError, match=r"counts\.fits: its photons are those of 20 deg around"):
        problem_of(sky, ("POS(L,B)", "deg", "CIRCLE(120,35,20)"), kind="counts")
