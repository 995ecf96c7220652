"""Fixtures of several test folders: the published COSI files, and tiny instrument files."""

import one_thread  # noqa: F401

# isort: split
import io
import logging
import math
import os
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pytest
from hypothesis import settings

from skyquilt.testing.analyses import ask_one

# The same examples in every run; a loaded machine may take long over the first.
settings.register_profile("skyquilt", derandomize=True, deadline=None)
settings.load_profile("skyquilt")

# CPU time of a test without a mark of MARKS [s], its processes' included; sanitizers need more.
BUDGET = float(os.environ.get("SKYQUILT_TEST_BUDGET", "5"))
MARKS = ("slow", "mpi", "workflow", "formats", "cluster")


def _cpu_time() -> float:
    """CPU time of this process and of those that it waited for [s]."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail a test that takes long and does not say so; CPU time does not depend on other work."""
    before = _cpu_time()
    result = yield
    spent = _cpu_time() - before
    if spent > BUDGET and not any(item.get_closest_marker(mark) for mark in MARKS):
        pytest.fail(f"took {spent:.1f} s of CPU: mark it slow, or keep it below {BUDGET:g} s")
    return result


@pytest.fixture(autouse=True)
def _level():
    """Verbs that run in this process set how much is logged; the next test begins as the first."""
    logger = logging.getLogger("skyquilt")
    level = logger.level
    yield
    logger.setLevel(level)


# What many tests import, and what takes long the first time.
SHARED = ("scipy.stats", "astropy.table", "astropy.coordinates", "astropy.wcs", "skyquilt.config")


@pytest.fixture(scope="session", autouse=True)
def _warm(request):
    """Import and draw once before a long list of tests, so that none pays for being the first."""
    if len(request.session.items) > 100:
        for module in SHARED:
            import_module(module)
        style = import_module("skyquilt.plots.style")
        with style.figure_style():
            figure = style.Figure()
            figure.add_subplot().set(xlabel="$x$", xscale="log")
            for ending in ("png", "pdf"):
                figure.savefig(io.BytesIO(), format=ending)


START = 1.8e9  # of the observation [UNIX s]
EI_EDGES = [100.0, 300.0, 900.0]
EM_EDGES = [100.0, 200.0, 400.0, 800.0]
PHI_EDGES = [0.0, 60.0, 120.0, 180.0]
CDS_SHAPE = (3, 3, 12)
_FRAMES = {"local": "spacecraftframe", "galactic": "galactic"}


class Axis(NamedTuple):
    """Axis of a histogram as histpy writes it."""

    label: str
    edges: np.ndarray
    attributes: dict


def axis(label, edges, unit):
    attributes = {"__class__": ["histpy.axis", "Axis"], "scale": "linear"}
    return Axis(label, np.array(edges), attributes | ({} if unit is None else {"unit": unit}))


def healpix_axis(label, frame, nside=1, scheme="ring"):
    attributes = {"__class__": ["histpy.healpix_axis", "HealpixAxis"], "scale": "linear"}
    attributes |= {"nside": nside, "scheme": scheme}
    attributes |= {} if frame is None else {"coordsys": _FRAMES.get(frame, frame)}
    return Axis(label, np.arange(12 * nside**2 + 1), attributes)


def write_axes(group, axes):
    for index, item in enumerate(axes):
        dataset = group.create_dataset(str(index), data=item.edges)
        dataset.attrs.update({"label": item.label, **item.attributes})


def write_histogram(path, axes, contents, *, overflow=None, sparse=False, unit=None):
    """Write a histogram as histpy does; `overflow` maps labels to the value of their extra bins."""
    for index, item in enumerate(axes):
        if item.label in (overflow or {}):
            width = [(1, 1) if other == index else (0, 0) for other in range(contents.ndim)]
            contents = np.pad(contents, width, constant_values=overflow[item.label])
    with h5py.File(path, "w") as file:
        group = file.create_group("hist")
        group.attrs["format"] = "coo" if sparse else "dense"
        group.attrs.update({} if unit is None else {"unit": unit})
        write_axes(group.create_group("axes"), axes)
        if sparse:
            coords = np.array(np.nonzero(contents))
            cells = {"coords": coords, "data": contents[tuple(coords)], "shape": contents.shape}
            for name, values in (cells | {"fill_value": 0.0}).items():
                group.create_dataset(f"contents/{name}", data=values)
        else:
            group.create_dataset("contents", data=contents)


class Observation:
    """Tiny files of a Compton telescope in a folder, and an analysis that uses them.

    `settings` is the analysis as in the configuration; tests change it or write files anew.
    """

    def __init__(self, folder: Path, frame: str):
        self.folder, self.frame = folder, frame
        rng = np.random.default_rng(7)
        # A response of the order of 1 cm2 that depends on everything, so that nothing may be mixed.
        self.area = rng.uniform(0.2, 1.0, (12, 2, *CDS_SHAPE))
        self.background = rng.uniform(2.0, 6.0, CDS_SHAPE)
        source = 2.0 * self.area[3].sum(axis=0)
        self.counts = rng.poisson(self.background + source).astype(float)
        self.write_counts("counts.h5", self.counts)
        self.write_counts("background.h5", self.background)
        self.settings = {
            "data": {
                "frame": frame,
                "counts": [{"path": self.path("counts.h5")}],
                "background": {"path": self.path("background.h5")},
                "response": self.path("response.h5"),
            },
            "spectrum": {
                "model": "power_law",
                "norm": "1e-3 cm-2 s-1 keV-1",
                "pivot": "100 keV",
                "index": -2,
            },
            "map": {"nside": 1},
        }
        if frame == "local":
            self.write_response()
            self.write_orientation(np.arange(11.0))
            self.settings["data"]["orientation"] = self.path("orientation.ori")
        else:
            self.write_sky_response()

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def cds_axes(self, **changes):
        """Axes Em, Phi, PsiChi by label; a change replaces one."""
        axes = {
            "Em": axis("Em", EM_EDGES, "keV"),
            "Phi": axis("Phi", PHI_EDGES, "deg"),
            "PsiChi": healpix_axis("PsiChi", self.frame),
        }
        return list((axes | changes).values())

    def write_counts(self, name, counts, *, time=None, axes=None, **options):
        """Histogram of counts; `time` are edges in s after the start, for a first axis Time."""
        axes = self.cds_axes() if axes is None else axes
        if time is not None:
            axes = [axis("Time", START + np.array(time, dtype=float), "s"), *axes]
        write_histogram(self.path(name), axes, counts, **options)

    def write_response(self, *, layout="dense", area=None, edges=None, unit="cm2", scheme="ring"):
        """Detector response in one of the layouts dense, sparse, version2."""
        area = self.area if area is None else area
        edges = {"Ei": EI_EDGES, "Em": EM_EDGES, "Phi": PHI_EDGES} | (edges or {})
        with h5py.File(self.path("response.h5"), "w") as file:
            drm = file.create_group("DRM")
            drm.attrs["UNIT"] = unit
            write = {"dense": _write_dense, "sparse": _write_sparse, "version2": _write_version_2}
            write[layout](drm, area, edges, scheme)

    def write_sky_response(self, *, area=None, overflow=None, unit="cm2 s", frame="galactic"):
        """Precomputed point source response: area times 10 s."""
        area = 10 * self.area if area is None else area
        nside = math.isqrt(len(area) // 12)
        axes = [
            healpix_axis("NuLambda", frame, nside),
            axis("Ei", EI_EDGES, "keV"),
            *self.cds_axes(),
        ]
        write_histogram(self.path("response.h5"), axes, area, overflow=overflow, unit=unit)

    def write_orientation(
        self, time, z_lon=0.0, z_lat=0.0, livetime=None, altitude=550.0, zenith=(0.0, 0.0), end="EN"
    ):
        """Orientation with x on the equator; `time` in s after the start."""
        time = np.asarray(time, dtype=float)
        livetime = np.append(np.diff(time), 0.0) if livetime is None else livetime
        z_lon, z_lat, livetime = (np.broadcast_to(v, time.shape) for v in (z_lon, z_lat, livetime))
        lines = ["Type OrientationsGalactic"]
        for stamp, lon, lat, live in zip(START + time, z_lon, z_lat, livetime, strict=True):
            pointing = f"0 {(lon + 90) % 360:.9f} {lat:.9f} {lon % 360:.9f}"
            earth = f"{altitude} {zenith[1]} {zenith[0]} {live}"
            lines.append(f"OG {stamp:.6f} {pointing} {earth} ")
        text = "\n".join([*lines, end]) + "\n" if end else "\n".join(lines) + "\n"
        Path(self.path("orientation.ori")).write_text(text)

    def write_times(self, light_curve=0.5, width="2 s"):
        """Counts of ten seconds, drawn second by second; the analysis takes time bins of them.

        `light_curve` are fractions of `counts`, of all seconds or each. The drawn counts.
        """
        expected = self.counts * np.broadcast_to(light_curve, 10).reshape(10, 1, 1, 1)
        counts = np.random.default_rng(5).poisson(expected)
        self.write_counts("counts.h5", counts.astype(float), time=np.arange(11.0))
        self.write_counts("background.h5", self.background[np.newaxis], time=[0, 10])
        bins = {"start": START, "stop": START + 10, "width": width}
        self.settings["data"]["time_bins"] = bins
        return counts

    def ask_model(self, fits):
        """Ask for fits of a power law in five time bins instead of a map, a flux in each."""
        self.write_times()
        spectrum = {"model": "power_law", "norm": "1e-3 cm-2 s-1 keV-1", "pivot": "100 keV"}
        self.settings["model"] = {
            "sources": {
                "a": {
                    "position": {"lon": 40.0, "lat": 25.0, "frame": "galactic"},
                    "spectrum": spectrum | {"index": {"start": -2, "range": [-5, 1]}},
                    "flux": {"start": 1, "range": [0, None], "per": "time_bin"},
                }
            },
            "background": {"start": 1, "range": [0, None], "prior": {"normal": [1, 0.1]}},
            "fits": fits,
        }
        del self.settings["spectrum"], self.settings["map"]

    def raw_config(self) -> dict:
        folders = {name: self.path(name) for name in ("results", "cache")}
        return folders | {"analyses": {"tiny": self.settings}}

    def config(self):
        from skyquilt.config import parse_config

        return parse_config(self.raw_config())

    def analysis(self):
        return self.config().analyses["tiny"]

    def asked(self):
        """What its instrument is asked."""
        return ask_one(self.analysis())

    def problem(self):
        """Problem in memory, its rows read from the table."""
        from dataclasses import replace

        from skyquilt.instruments.compton.measurement import read_measurement
        from skyquilt.instruments.compton.prepare import make_problem
        from skyquilt.instruments.compton.table import contract

        analysis = self.asked()
        table = contract(analysis, self.path("cache"))
        problem = make_problem(analysis, read_measurement(analysis), table)
        rows = np.array(list(problem.expectation.rows))
        return replace(problem, expectation=replace(problem.expectation, rows=rows))

    def prepare(self) -> str:
        """Write problem.h5 and plan.json; the folder of both."""
        from skyquilt.steps.plan import plan_analysis
        from skyquilt.steps.prepare import prepare_analysis

        problem = self.path("results/tiny/problem.h5")
        prepare_analysis(self.config(), "tiny", problem)
        plan_analysis(self.config(), "tiny", problem, self.path("results/tiny/plan.json"))
        return self.path("results/tiny")

    def fit(self) -> list[str]:
        """Prepare and fit all chunks; the chunk files."""
        from skyquilt.fit.file import read_plan
        from skyquilt.sky.chunks import chunk_name
        from skyquilt.steps.fit_chunk import fit_chunk_file

        folder = self.prepare()
        plan = read_plan(f"{folder}/plan.json")
        paths = {
            index: f"{folder}/chunks/{chunk_name(index, plan.n_chunks)}" for index in plan.chunks
        }
        for index, path in paths.items():
            fit_chunk_file(f"{folder}/problem.h5", f"{folder}/plan.json", index, path)
        return list(paths.values())

    def run(self):
        """All steps up to the maps; the sky map."""
        from skyquilt.maps.file import read_skymap
        from skyquilt.steps.merge import merge_files

        chunks, folder = self.fit(), self.path("results/tiny")
        maps = f"{folder}/maps.fits"
        merge_files(f"{folder}/problem.h5", f"{folder}/plan.json", chunks, maps)
        return read_skymap(maps)[0]

    def localise(self) -> Path:
        """All steps up to the localisation; the folder of the results."""
        from skyquilt.steps.localise import localise_analysis
        from skyquilt.steps.refine import refine_analysis

        self.run()
        folder = Path(self.path("results/tiny"))
        names = ("problem.h5", "maps.fits", "refined.fits")
        problem, maps, refined = (folder / name for name in names)
        refine_analysis(self.config(), "tiny", problem, maps, refined)
        localise_analysis(self.config(), "tiny", problem, maps, refined, folder)
        return folder


def _write_drm_axes(drm, axes):
    """Axes of the old layout: the order of creation is the order of the axes."""
    group = drm.create_group("AXES", track_order=True)
    for name, edges, attributes in axes:
        group.create_dataset(name, data=edges).attrs.update(attributes | {"DESCRIPTION": name})


def _drm_axes(edges, scheme):
    sky = {"TYPE": "healpix", "NSIDE": 1, "SCHEME": scheme}
    return [
        ("NuLambda", np.arange(13), sky),
        ("Ei", edges["Ei"], {"TYPE": "log", "UNIT": "keV"}),
        ("Em", edges["Em"], {"TYPE": "log", "UNIT": "keV"}),
        ("Phi", edges["Phi"], {"TYPE": "linear", "UNIT": "deg"}),
        ("PsiChi", np.arange(13), sky),
    ]


def _write_dense(drm, area, edges, scheme):
    drm.attrs["SPARSE"] = False
    _write_drm_axes(drm, _drm_axes(edges, scheme))
    drm.create_dataset("CONTENTS", data=area.astype(np.float32), chunks=(5, 1, 2, 3, 12))


def _write_sparse(drm, area, edges, scheme):
    """Half of each value in each of two bins of the axis SigmaTau, which readers add up."""
    sigma_tau = ("SigmaTau", np.arange(13), {"TYPE": "healpix", "NSIDE": 1, "SCHEME": scheme})
    dist = ("Dist", [0.0, 1.0], {"TYPE": "linear", "UNIT": "cm"})
    _write_drm_axes(drm, [*_drm_axes(edges, scheme), sigma_tau, dist])
    values = drm.create_dataset("CONTENTS", (12,), h5py.vlen_dtype(np.float64))
    numbers = drm.create_dataset("BIN_NUMBERS", (12,), h5py.vlen_dtype(np.int64))
    for row, block in enumerate(area):
        place = np.array(np.nonzero(block))
        halves = [np.vstack([place, np.full_like(place[:2], [[tau], [0]])]) for tau in (1, 4)]
        numbers[row] = np.hstack(halves).ravel()
        values[row] = np.tile(block[tuple(place)] / 2, 2)


def _write_version_2(drm, area, edges, scheme):
    """Counts times an area per count: areas are rounded to 1e-3 cm2 (Ei 0) and 5e-4 cm2 (Ei 1)."""
    drm.attrs.update({"VERSION": 2, "SPARSE": False})
    axes = [axis(name, edges[name], unit) for name, unit in (("Em", "keV"), ("Phi", "deg"))]
    sky = [healpix_axis(name, "spacecraftframe", scheme=scheme) for name in ("NuLambda", "PsiChi")]
    every = [sky[0], axis("Ei", edges["Ei"], "keV"), *axes, sky[1]]
    write_axes(drm.create_group("AXES"), every)
    per_count = np.array([1e-3, 5e-4])
    drm.create_dataset("EFF_AREA", data=per_count)
    counts = np.rint(area / per_count[:, None, None, None]).astype(np.uint16)
    drm.create_dataset("COUNTS", data=counts, chunks=(1, 1, *area.shape[2:]), compression="gzip")


@pytest.fixture
def local(tmp_path) -> Observation:
    """Observation in the spacecraft frame: 10 s of one pointing, 108 bins."""
    return Observation(tmp_path, "local")


@pytest.fixture(scope="session")
def session_observation(tmp_path_factory) -> Observation:
    """Observation in the spacecraft frame for all tests of a session, which leave it as it is."""
    return Observation(tmp_path_factory.mktemp("observation"), "local")


@pytest.fixture(scope="session")
def observe():
    """Observations in folders of a test's own: `observe(folder, "local")`."""
    return Observation


@pytest.fixture
def galactic(tmp_path) -> Observation:
    """Observation binned in galactic coordinates with a precomputed response, 108 bins."""
    return Observation(tmp_path, "galactic")


@pytest.fixture
def make_axis():
    """Axes for histograms: `make_axis.plain(label, edges, unit)`, `make_axis.healpix(...)`."""

    class Maker(NamedTuple):
        plain = staticmethod(axis)
        healpix = staticmethod(healpix_axis)

    return Maker


@pytest.fixture
def untouched():
    """Context manager: no file in the folder appears, vanishes or changes."""

    @contextmanager
    def check(folder):
        before = _content(folder)
        yield
        assert _content(folder) == before

    return check


def _content(folder):
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.fixture
def damage():
    """Invert the byte of a file at an offset, or every byte of a dataset's first value."""

    def invert(path, offset=None, dataset=None):
        if dataset is not None:
            with h5py.File(path, "r") as file:
                offset = file[dataset].id.get_offset()
        content = bytearray(Path(path).read_bytes())
        content[offset] ^= 0xFF
        Path(path).write_bytes(content)

    return invert


@pytest.fixture
def truncate():
    """Cut a file to a fraction of its length."""

    def cut(path, fraction=0.6):
        content = Path(path).read_bytes()
        Path(path).write_bytes(content[: int(fraction * len(content))])

    return cut


@pytest.fixture(scope="session")
def imaging_data() -> Path:
    """Folder with the folders fermi, hess and hawc of real data."""
    root = Path(os.environ.get("SKYQUILT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if missing := [name for name in ("fermi", "hess", "hawc") if not (root / name).is_dir()]:
        pytest.skip(f"no folders {', '.join(missing)} in {root}: set SKYQUILT_DATA")
    return root


@pytest.fixture(scope="session")
def cosi_data() -> Path:
    """Folder with the test files of cosipy."""
    root = Path(os.environ.get("SKYQUILT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / "cosi").is_dir():
        pytest.skip(f"no COSI test files in {root / 'cosi'}: set SKYQUILT_DATA")
    return root / "cosi"


@pytest.fixture(scope="session")
def simtel_data() -> Path:
    """Folder with raw runs of Cherenkov telescopes."""
    root = Path(os.environ.get("SKYQUILT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / "simtel").is_dir():
        pytest.skip(f"no runs of telescopes in {root / 'simtel'}: set SKYQUILT_DATA")
    return root / "simtel"
