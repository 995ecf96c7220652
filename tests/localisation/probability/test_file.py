"""Sky maps of others: every layout holds the same probabilities and gives the same answer."""

import gzip
import warnings

import healpy
import numpy as np
import pytest
from astropy.io import fits

from skyquilt.errors import ConfigError, InputError
from skyquilt.localisation.probability.file import read_probability
from skyquilt.localisation.probability.map import Coverage
from skyquilt.sky.frames import position_to_vec
from skyquilt.steps.contains import ask_skymap

NSIDE, ORDER = 16, 4
NPIX = 12 * NSIDE**2
LON, LAT = 197.45, -23.38  # ICRS [deg]
AWAY = LON + 40
DEG2 = np.degrees(np.degrees(1.0))


def probabilities(frame="icrs"):
    """Gaussian of 8 deg around (LON, LAT), per nested pixel of a frame."""
    vec = np.array(healpy.pix2vec(NSIDE, np.arange(NPIX), nest=True)).T
    prob = np.exp((vec @ position_to_vec(LON, LAT, "icrs", frame) - 1) / np.radians(8) ** 2)
    return prob / prob.sum()


def area_90(prob):
    """Area of the 90 % region of probabilities of equal pixels, counted one by one [deg2]."""
    falling, total, n = np.sort(prob)[::-1], 0.0, 0
    while total < 0.9 * prob.sum():
        total += falling[n]
        n += 1
    return n * 4 * np.pi / NPIX * DEG2


def table(columns, name="", **cards):
    """HDU of columns, each an array, or a triple of format, unit and array."""
    made = []
    for key, column in columns.items():
        kind, unit, values = column if isinstance(column, tuple) else ("D", None, column)
        made.append(fits.Column(key, kind, unit=unit, array=values))
    hdu = fits.BinTableHDU.from_columns(made, name=name)
    hdu.header.update(cards)
    return hdu


def multiorder(frame="icrs", kind="D", unit="sr-1", name="PROBDENSITY", seed=1, **cards):
    """Map whose far pixels are joined four to one, rows in a random order."""
    prob = probabilities(frame)
    by_four = prob.reshape(-1, 4)
    is_far = by_four.max(axis=1) < 1e-7
    fine = np.flatnonzero(~np.repeat(is_far, 4))
    uniq = np.append(4 * 4**ORDER + fine, 4 * 4 ** (ORDER - 1) + np.flatnonzero(is_far))
    prob = np.append(prob[fine], by_four[is_far].sum(axis=1))
    area = np.pi / 3 / 4.0 ** np.where(uniq >= 4 * 4**ORDER, ORDER, ORDER - 1)
    along = np.random.default_rng(seed).permutation(uniq.size)
    values = prob if unit == "pix-1" else prob / area
    values = values / DEG2 if unit == "deg-2" else values
    columns = {"UNIQ": ("K", None, uniq[along]), name: (kind, unit, values[along])}
    cards = {"PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "COORDSYS": "C"} | cards
    return columns, cards


def flat(name="PROB", ordering="NESTED", kind="D", unit="pix-1", frame="icrs", **cards):
    """Map of one resolution."""
    prob = probabilities(frame)
    if ordering == "RING":
        prob = prob[healpy.ring2nest(NSIDE, np.arange(NPIX))]
    values = prob * NPIX / (4 * np.pi) if unit == "sr-1" else prob
    coordsys = {"icrs": "C", "galactic": "G"}[frame]
    cards = {"PIXTYPE": "HEALPIX", "ORDERING": ordering, "COORDSYS": coordsys} | cards
    return {name: (kind, unit, values)}, {"NSIDE": NSIDE} | cards


def extra(columns, **more):
    """Columns with more before and after."""
    n = columns[next(iter(columns))][2].size
    tail = {"DISTMU": ("D", "Mpc", np.full(n, 40.0)), "WHO": ("3A", None, np.full(n, "abc"))}
    return more | columns | tail


def partial(layout, keep=0.99999):
    """Rows of a flat map that hold nearly all probability, in a random order."""
    columns, cards = layout
    (name, (kind, unit, values)), *_ = columns.items()
    falling = np.argsort(-values)
    rows = falling[: np.searchsorted(np.cumsum(values[falling]) / values.sum(), keep) + 1]
    rows = np.random.default_rng(3).permutation(rows)
    cards = cards | {"INDXSCHM": "EXPLICIT", "OBJECT": "PARTIAL"}
    return {"PIXEL": ("J", None, rows), name: (kind, unit, values[rows])}, cards


def wide(layout, n=1024):
    """Many pixels per row, as healpy writes maps."""
    columns, cards = layout
    (name, (kind, unit, values)), *_ = columns.items()
    return {name: (f"{n}{kind}", unit, values.reshape(-1, n))}, cards


LAYOUTS = {
    "alert": multiorder(),
    "alert in single precision": multiorder(kind="E"),
    "alert without unit": multiorder(unit=None),
    "alert per deg2": multiorder(unit="deg-2"),
    "alert in 1 / sr": multiorder(unit="1/sr"),
    "alert with lower-case frame": multiorder(COORDSYS="c"),
    "alert in galactic coordinates": multiorder("galactic", COORDSYS="g"),
    "alert of probabilities": multiorder(unit="pix-1", name="PROB"),
    "alert with lower-case column": multiorder(name="probdensity"),
    "multi-order map of one unnamed column": multiorder(unit=None, name="CONTENTS"),
    "LIGO flat": flat(),
    "flat in RING": flat(ordering="RING"),
    "flat in single precision": flat(kind="E"),
    "Fermi-GBM": flat("PROBABILITY", unit=None),
    "flat in galactic coordinates": flat(frame="galactic", ordering="RING"),
    "flat with another galactic name": flat(frame="galactic", COORDSYS="GAL"),
    "flat densities": flat("PROBDENSITY", unit="sr-1"),
    "flat densities by unit": flat("PROB", unit="sr-1"),
    "healpy": wide(flat("TEMPERATURE", ordering="RING", kind="E", unit=None)),
    "healpy, named": wide(flat("PROB", ordering="NESTED", unit=None)),
    "healpy, part of the sky": partial(flat("PROB", unit=None)),
    "part of the sky in RING": partial(flat(ordering="RING")),
    "gammapy": flat("CHANNEL1", unit=None, HPX_CONV="FGST-CCUBE", COORDSYS="CEL"),
    "without NSIDE and PIXTYPE": (flat()[0], {"ORDERING": "NESTED", "COORDSYS": "C"}),
}
LAYOUTS |= {
    "alert with more columns": (extra(LAYOUTS["alert"][0]), LAYOUTS["alert"][1]),
    "LIGO flat with more columns": (extra(LAYOUTS["LIGO flat"][0]), LAYOUTS["LIGO flat"][1]),
    "Fermi-GBM with significance": (
        LAYOUTS["Fermi-GBM"][0] | {"SIGNIFICANCE": ("D", None, np.linspace(1, 0, NPIX))},
        LAYOUTS["Fermi-GBM"][1],
    ),
}


@pytest.fixture
def write(tmp_path):
    """Write a layout and return its path."""

    def write(layout, name="skymap.fits"):
        columns, cards = layout
        path = tmp_path / name
        hdu = table(columns, **cards)
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
        return path

    return write


def ask(path, lon=LON, **options):
    return ask_skymap(path, lon, LAT, "icrs", **options)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_gives_the_same_answer(write, layout):
    path = write(layout)
    frame = "galactic" if str(layout[1]["COORDSYS"]).upper().startswith("G") else "icrs"

    inside, outside = ask(path), ask(path, AWAY)

    assert (inside.is_inside, outside.is_inside) == (True, False)
    area = read_probability(str(path)).credible_area(0.9)[1]
    assert area == pytest.approx(area_90(probabilities(frame)), rel=0.02)  # a cell or two
    assert f"{area:.4g} deg2" in inside.text.splitlines()[0]
    assert inside.text.startswith("in the 90 % credible region")


@pytest.mark.parametrize("layout", ["alert", "LIGO flat", "healpy, part of the sky"])
def test_packed_file_is_read_whatever_its_name(write, tmp_path, layout):
    path = write(LAYOUTS[layout])
    for name in ("a.fits.gz", "b.fits"):
        (tmp_path / name).write_bytes(gzip.compress(path.read_bytes()))
        assert ask(tmp_path / name) == ask(path)


@pytest.mark.parametrize("nest", [True, False])
@pytest.mark.parametrize("partially", [True, False])
def test_map_of_healpy_is_read(tmp_path, nest, partially):
    prob = probabilities()
    values = prob if nest else prob[healpy.ring2nest(NSIDE, np.arange(NPIX))]
    if partially:
        values = np.where(values > 1e-9, values, healpy.UNSEEN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        healpy.write_map(tmp_path / "m.fits", values, nest=nest, coord="C", partial=partially)

    assert ask(tmp_path / "m.fits").is_inside
    assert not ask(tmp_path / "m.fits", AWAY).is_inside


def test_level_decides(write):
    path = write(LAYOUTS["alert"])

    assert [ask(path, LON + 12, level=level).is_inside for level in (0.3, 0.95)] == [False, True]


@pytest.mark.parametrize("order", [13, 14, 20, 29])
def test_finest_orders_are_read(write, order):
    vec = position_to_vec(LON, LAT, "icrs", "icrs")
    pixel = int(healpy.vec2pix(1 << order, *vec, nest=True))
    ipix = (pixel >> 2) * 4 + np.arange(4)
    columns = {
        "UNIQ": ("K", None, 4 * 4**order + ipix),
        "PROB": ("D", "pix-1", np.where(ipix == pixel, 0.95, 0.05 / 3)),
    }
    path = write((columns, {"COORDSYS": "C", "ORDERING": "NUNIQ"}))

    assert ask(path).is_inside
    assert not ask_skymap(path, LON + 1, LAT, "icrs").is_inside


def test_position_in_no_pixel_is_outside_and_says_so(write):
    path = write(LAYOUTS["part of the sky in RING"])

    assert ask(path, LON + 180).text.endswith(": the map has no pixel there")


def test_missing_values_are_counted(write, caplog):
    columns, cards = flat()
    columns["PROB"][2][:7] = np.nan
    columns["PROB"][2][7:9] = -1.6375e30
    with caplog.at_level("INFO"):
        assert ask(write((columns, cards))).is_inside

    assert "9 of 3072 pixels have no value" in caplog.text


@pytest.mark.parametrize("factor", [0.9, 1.2])
def test_sum_that_is_not_quite_one_is_told(write, caplog, factor):
    columns, cards = flat()
    columns["PROB"] = ("D", "pix-1", columns["PROB"][2] * factor)

    assert ask(write((columns, cards))).is_inside
    assert f"adds up to {factor}; it is taken as 1" in caplog.text


@pytest.mark.parametrize("factor", [0, 1e-5, 0.1, 10, 3000])
@pytest.mark.parametrize("layout", ["alert", "LIGO flat", "flat densities", "healpy"])
def test_sum_that_is_not_one_is_refused(write, layout, factor):
    columns, cards = LAYOUTS[layout]
    name = list(columns)[-1]
    kind, unit, values = columns[name]
    path = write((columns | {name: (kind, unit, values * factor)}, cards))

    with pytest.raises(InputError, match=rf"{name}.* adds? up to"):
        ask(path)


def test_densities_called_probabilities_are_refused(write):
    columns, cards = flat()
    path = write(({"PROB": ("D", None, columns["PROB"][2] * NPIX / (4 * np.pi))}, cards))

    with pytest.raises(InputError, match=r"these are no probabilities of pixels; mend .* unit"):
        ask(path)


def _with(layout, cards=None, **columns):
    known, header = LAYOUTS[layout]
    return known | columns, {k: v for k, v in (header | (cards or {})).items() if v is not None}


ALERT, FLAT = (LAYOUTS[name][0] for name in ("alert", "LIGO flat"))
UNIQ, DENSITY = ALERT["UNIQ"][2], ALERT["PROBDENSITY"][2]
PROB = FLAT["PROB"][2]
TWICE = np.append(UNIQ[:-1], UNIQ[0])


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (_with("alert", UNIQ=("K", None, TWICE)), r"rows \d+ and \d+ overlap"),
        (_with("alert", UNIQ=("K", None, UNIQ - 4000)), r"UNIQ -?\d+ in row \d+: allowed are 4 to"),
        (_with("alert", UNIQ=("D", None, UNIQ + 0.5)), r"UNIQ holds numbers that are not whole"),
        (_with("alert", {"ORDERING": "RING"}), r"ORDERING 'RING': allowed is NUNIQ"),
        (_with("alert", {"COORDSYS": "E"}), r"COORDSYS 'E' is not known: allowed are G, GAL"),
        (_with("alert", PROBDENSITY=("D", "Mpc", DENSITY)), r"is in 'Mpc'; allowed are pix-1, and"),
        (_with("alert", PROBDENSITY=("D", None, -DENSITY)), r"values are negative or infinite"),
        (
            _with("alert", PROBDENSITY=("D", None, DENSITY + np.inf)),
            r"values are negative or infinite",
        ),
        (_with("alert", PROBDENSITY=("D", None, DENSITY * np.nan)), r"adds up to 0"),
        (_with("LIGO flat", {"ORDERING": None}), r"ORDERING '': allowed are RING, NESTED"),
        (_with("LIGO flat", {"NSIDE": 12}), r"NSIDE 12: allowed are the powers of two"),
        (_with("LIGO flat", {"NSIDE": 32}), r"3072 values for the pixels 0 to 12287 of nside 32"),
        (
            _with("healpy, part of the sky", {"NSIDE": 1}),
            r"pixel \d+: allowed are 0 to 11, nside 1",
        ),
        (
            _with("healpy, part of the sky", {"NSIDE": None}),
            r"NSIDE None: allowed are the powers of two",
        ),
        (
            ({"A": PROB, "B": PROB}, LAYOUTS["LIGO flat"][1]),
            r"which column is the probability\? .* there are A, B",
        ),
        (({"x": PROB, "y": PROB}, {}), r"no sky map of HEALPix pixels; .*: unnamed: x, y"),
    ],
)
def test_map_that_is_none_is_refused(write, layout, message):
    path = write(layout)

    with pytest.raises(InputError, match=message):
        ask(path)


@pytest.mark.parametrize("content", [b"", b"no file", b"SIMPLE  =  T", bytes(2880)])
def test_file_that_is_no_fits_is_refused(tmp_path, content):
    (tmp_path / "x.fits").write_bytes(content)

    with pytest.raises(InputError, match=r"x\.fits: "):
        ask(tmp_path / "x.fits")


def test_file_cut_short_is_refused(write, truncate):
    path = write(LAYOUTS["LIGO flat"])
    truncate(path)

    with pytest.raises(InputError, match="cut short"):
        ask(path)


@pytest.mark.parametrize("coordsys", [None, " "])
def test_frame_that_is_missing_is_asked_for(write, coordsys):
    path = write(_with("LIGO flat", {"COORDSYS": coordsys}))

    with pytest.raises(ConfigError, match=r"no COORDSYS, .* add `--map-frame icrs`"):
        ask(path)
    assert ask(path, map_frame="icrs").is_inside
    assert not ask(path, map_frame="galactic").is_inside


def test_frame_against_the_header_is_refused(write):
    with pytest.raises(ConfigError, match=r"says COORDSYS 'C', icrs, not galactic"):
        ask(write(LAYOUTS["alert"]), map_frame="galactic")


def test_alert_without_a_frame_is_in_icrs_as_the_format_asks(write, caplog):
    assert ask(write(_with("alert", {"COORDSYS": None}))).is_inside
    assert "no COORDSYS: taken as ICRS" in caplog.text


def _moc(form, order=3, frame="icrs", **cards):
    """Coverage map of the pixels around the source."""
    vec = position_to_vec(LON, LAT, "icrs", frame)
    ipix = healpy.query_disc(1 << order, vec, np.radians(20), nest=True)
    cards = {"COORDSYS": {"icrs": "C", "galactic": "G"}[frame]} | cards
    if form == "NUNIQ":
        return {"UNIQ": ("K", None, 4 * 4**order + ipix)}, cards | {"ORDERING": "NUNIQ"}
    shift = 2 * (29 - order)
    ranges = np.stack([ipix << shift, (ipix + 1) << shift], axis=1)[::-1].ravel()
    return {"RANGE": ("K", None, ranges)}, cards | {"ORDERING": "RANGE", "MOCVERS": "2.0"}


@pytest.mark.parametrize("form", ["NUNIQ", "RANGE"])
@pytest.mark.parametrize("frame", ["icrs", "galactic"])
def test_coverage_map_is_read(write, form, frame):
    path = write(_moc(form, frame=frame, MOCDIM="SPACE"))

    inside, outside = ask(path), ask(path, AWAY)

    assert (inside.is_inside, outside.is_inside) == (True, False)
    n = healpy.query_disc(8, position_to_vec(LON, LAT, "icrs", frame), np.radians(20), nest=True)
    assert inside.text == (
        f"in the region of the coverage map ({n.size * 4 * np.pi / 768 * DEG2:.4g} deg2)"
    )


def test_coverage_map_has_no_level(write):
    with pytest.raises(ConfigError, match=r"`--level` has no meaning: leave it out"):
        ask(write(_moc("RANGE")), level=0.9)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (_moc("RANGE", MOCDIM="TIME"), r"MOCDIM 'TIME': allowed is SPACE"),
        (({"RANGE": ("K", None, [5, 5])}, {"COORDSYS": "C"}), r"pixels 5 to 5 are no part"),
        (({"RANGE": ("K", None, [-1, 5])}, {"COORDSYS": "C"}), r"pixels -1 to 5 are no part"),
        (
            ({"RANGE": ("K", None, [1, 2, 3])}, {"COORDSYS": "C"}),
            r"3 numbers in RANGE: allowed are pairs",
        ),
    ],
)
def test_coverage_map_that_is_none_is_refused(write, layout, message):
    with pytest.raises(InputError, match=message):
        ask(write(layout))


def test_area_of_ranges_counts_overlaps_once():
    half = 6 << 58
    ranges = np.array([[half // 2, half], [0, half], [1, 5]])

    assert Coverage("icrs", ranges).area == pytest.approx(2 * np.pi * DEG2)
