"""An analysis whose files other programs open, and their environment."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from skyquilt.config.localise import LocaliseOptions
from skyquilt.io.provenance import Provenance
from skyquilt.likelihood.concave import Counts
from skyquilt.likelihood.source_profile import ScanOptions, fit_source
from skyquilt.localisation.file import write_localisation
from skyquilt.localisation.posterior import localise
from skyquilt.localisation.refine.cells import make_goal, refine
from skyquilt.localisation.summary import summarise
from skyquilt.maps.file import write_skymap
from skyquilt.maps.multiorder import MultiOrderMap
from skyquilt.maps.skymap import SkyMap
from skyquilt.problem.bands import Bands, Integrals
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.steps.export_gadf import export_maps
from skyquilt.targets.files import FittedTargets
from skyquilt.targets.fit import NUMBERS
from skyquilt.targets.gadf import write_sed

READERS = Path(__file__).with_name("readers.py")
LEVELS = (0.5, 0.9)
TIME_SPAN = (1835478010.0, 1835478050.0)


class RefineOptions:
    """As the section `refine` of an analysis."""

    enabled, drop, max_order = True, "auto", 9


def log_likelihood(vec):
    """A ring of radius 12 deg that is brighter on one side, and a peak of 2 deg apart from it."""
    centre, bright = lonlat_to_vec(93.0, -33.0), lonlat_to_vec(80.0, -25.0)
    radius = np.degrees(np.arccos(np.clip(vec @ centre, -1, 1)))
    ring = 1.5 * (vec @ bright) - ((radius - 12) / 2) ** 2 / 2
    distance = np.degrees(np.arccos(np.clip(vec @ lonlat_to_vec(150.0, -30.0), -1, 1)))
    return np.logaddexp(ring, np.log(20) - (distance / 2) ** 2 / 2)


def fitted(vec):
    """Columns of the maps for directions."""
    ts = np.maximum(40 + 2 * log_likelihood(vec), 0)
    status = np.zeros(ts.size, np.uint8)
    return {"ts": ts, "flux": ts / 10, "photon_flux": ts / 7, "status": status}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Files of an analysis of many orders, of two parts, one of them with a hole.

    The map is a part of the sky; beyond it nothing was fitted.
    """
    folder = tmp_path_factory.mktemp("analysis")
    start = MultiOrderMap.from_skymap(partial_map("icrs"))
    goal = make_goal(RefineOptions, LEVELS, 4)
    cells = refine(start, lambda uniq: fitted(MultiOrderMap("icrs", uniq, {}).centres), goal)
    found = localise(cells, LEVELS)
    description = {"instrument": "compton", "time_span": TIME_SPAN}
    record = Provenance("localise").record() | {"description": description}
    write_localisation(folder, found, "ring", 256, 0.0, record)
    skymap = partial_map("galactic")
    write_skymap(folder / "maps.fits", skymap, "ring", record)
    export_maps(folder / "maps.fits", folder / "maps.gadf.fits")
    true = {"lon": 91.0, "lat": -22.0, "frame": "icrs"}
    options = LocaliseOptions(levels=LEVELS, true_position=true)
    summary = summarise(skymap, found, {"analysis": "ring"}, options, [])
    (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def partial_map(frame):
    """Flat map of all but a cap around the south pole."""
    ipix = np.arange(12 * 16**2)
    vec = nest_to_vec(16, ipix)
    kept = vec[:, 2] > -0.9
    return SkyMap(16, frame, ipix[kept], fitted(vec[kept]))


@pytest.fixture(scope="session")
def summary(folder):
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture(scope="session")
def environment(request):
    """Folder of programs of the other readers."""
    programs = request.config.rootpath / ".venv-formats" / "bin"
    if not (programs / "ligo-skymap-plot").exists():
        pytest.skip("no environment of other readers: `make test-formats` makes it")
    return programs


@pytest.fixture(scope="session")
def python_of(request):
    """Folder of the Python that has one of the programs of others."""
    root = request.config.rootpath

    def find(program):
        name = ".venv-formats-cosipy" if program == "cosipy" else ".venv-formats"
        if not (root / name / "installed").exists():
            pytest.skip(f"no environment {name}: `make test-formats` makes it where it can")
        return root / name / "bin"

    return find


@pytest.fixture(scope="session")
def write_once(python_of, tmp_path_factory):
    """Let one of the programs of others write its files; what it prints."""

    def write(program, script, folder):
        work = tmp_path_factory.mktemp("work")
        text = _call(python_of(program), work, "python", (script, program, folder))
        return json.loads(text.splitlines()[-1])

    return write


@pytest.fixture
def call(environment, tmp_path):
    """Run a program of the environment in an empty folder; what it prints."""
    return lambda program, *arguments: _call(environment, tmp_path, program, arguments)


def _call(environment, folder, program, arguments):
    command = [str(environment / program), *map(str, arguments)]
    settings = {**os.environ, "MPLBACKEND": "Agg", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, cwd=folder, env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def write_target():
    """Write the flux points of a target: bright, faint, absent, and in a band without counts."""

    def write(path):
        edges = np.geomspace(1e7, 1e11, 5)  # keV
        low, high = edges[:4], edges[1:]  # of 1e-2 (E / keV)^-2 cm-2 s-1 keV-1
        integrals = Integrals(
            1e-2 * (1 / low - 1 / high), 1e-2 * np.log(high / low), 1e-2 / (low * high)
        )
        bounds = np.stack([low, high], axis=1)
        bands = Bands(bounds, ("",) * 4, integrals, np.empty(0, np.int64), np.arange(4))
        options = ScanOptions()
        data = ((400.0, 100.0, 1.0), (9.0, 4.0, 0.5), (3.0, 6.0, 0.2), (0.0, 1.0, 1e-2))
        numbers = {name: np.zeros(4) for name in NUMBERS}
        scan = np.full((3, 4, options.points), np.nan)
        for band, (n, background, source) in enumerate(data):
            fit = fit_source(_one_bin(n, background, source), np.empty(0), options)
            for name, value in _numbers(fit).items():
                numbers[name][band] = value
            curve = np.stack([fit.curve.flux, fit.curve.loglike, fit.curve.slope])
            scan[:, band, : curve.shape[1]] = curve
        each = {name: values[np.newaxis] for name, values in numbers.items()}
        fitted = FittedTargets(each, scan[np.newaxis], ("",), {})
        write_sed(path, "crab", fitted, 0, bands, 0.95, Provenance("targets merge").record())
        return bands, numbers

    return write


def _one_bin(n, background, source):
    """Counts of one bin, which is left out without any."""
    hit, one = np.ones(1 if n else 0), np.ones(1)
    return Counts(n * hit, background * hit, source * hit[np.newaxis], source * one, one, 0 * one)


def _numbers(fit):
    return {
        "norm": fit.flux,
        "norm_err": fit.flux_err,
        "norm_errn": fit.flux_err_lo,
        "norm_errp": fit.flux_err_hi,
        "norm_ul": fit.flux_ul,
        "norm_ul_profile": fit.flux_ul_profile,
        "ts": fit.ts,
    }


@pytest.fixture
def make_response():
    """Exposure and point spread function of a telescope, as this package's tests make them."""

    def write(folder):
        nodes, theta = np.geomspace(10.0, 1000.0, 6), np.linspace(0, 1, 200) ** 2 * 25
        width = np.radians(np.full(6, 1.0))[:, np.newaxis]
        psf = np.exp(-((np.radians(theta) / width) ** 2) / 2) / (2 * np.pi * width**2)
        cards = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": 4, "COORDSYS": "GAL"}
        flat = {f"ENERGY{k + 1}": (np.full(192, 1e11), "cm2 s") for k in range(6)}
        exposure = (("HPXEXPOSURES", flat, cards), ("ENERGIES", {"Energy": (nodes, "GeV")}, {}))
        spread = {"Energy": (nodes, "GeV"), "Psf": (psf, "sr-1")}
        tables = (("PSF", spread, {}), ("THETA", {"Theta": (theta, "deg")}, {}))
        paths = {"exposure": str(folder / "exposure.fits"), "psf": str(folder / "psf.fits")}
        _write_tables(paths["exposure"], exposure)
        _write_tables(paths["psf"], tables)
        return paths

    return write


def _write_tables(path, tables):
    from astropy.io import fits

    hdus = [fits.PrimaryHDU()]
    for name, columns, cards in tables:
        made = [
            fits.Column(key, f"{np.prod(np.shape(v)[1:], dtype=int)}D", unit, array=np.asarray(v))
            for key, (v, unit) in columns.items()
        ]
        hdus.append(fits.BinTableHDU.from_columns(made, name=name))
        hdus[-1].header.update(cards)
    fits.HDUList(hdus).writeto(path, overwrite=True)


@pytest.fixture
def read(call, folder):
    """What one of the readers finds in the files."""
    return lambda reader: json.loads(call("python", READERS, reader, folder))
