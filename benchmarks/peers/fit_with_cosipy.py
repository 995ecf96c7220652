"""Fit some pixels with cosipy's FastTSMap, for `peer.py`; runs in cosipy's own environment.

    .venv-peer/bin/python fit_with_cosipy.py JOB.json

The job names the folder of simulated files, the interval, the energy channel and the pixels (nside,
RING, galactic). Prints one line of JSON: TS, norm, CPU seconds, and the wall times of expected
counts and fit for each pixel.
"""

import json
import sys
import time
from pathlib import Path

import scoords  # noqa: F401  (registers the spacecraft frame)
from astropy import units as u
from astropy.time import Time
from cosipy import FastTSMap, SpacecraftFile
from histpy import Histogram
from mhealpy import HealpixBase
from threeML import Powerlaw


def main():
    job = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(job["folder"])
    spectrum = Powerlaw()
    spectrum.index.value, spectrum.piv.value, spectrum.K.value = -2.2, 100.0, 10.0
    spectrum.piv.unit, spectrum.K.unit = u.keV, 1 / (u.cm**2 * u.s * u.keV)
    data, model = burst_data(folder, job["interval"])
    attitude = SpacecraftFile.parse_from_file(folder / "orientation.ori").source_interval(
        *(Time(t, format="unix") for t in job["interval"])
    )
    arrays = [FastTSMap.get_cds_array(values, job["channel"]) for values in (data, model)]
    arrays[0][arrays[1] == 0] = 0  # as parallel_ts_fit does
    base = HealpixBase(nside=job["nside"], scheme="RING", coordsys="galactic")
    fits = [
        fit_pixel(base.pix2skycoord(ipix), job, arrays, attitude, folder, spectrum)
        for ipix in job["ipix"]
    ]
    print("RESULT " + json.dumps(fits))


def burst_data(folder, interval):
    """Burst and background of the interval, and the whole background scaled to it."""
    background, signal = (Histogram.open(folder / f"{name}.h5") for name in ("background", "grb"))
    edges = background.axes["Time"].edges.value
    first, last = edges.searchsorted(interval)
    labels = ["Em", "Phi", "PsiChi"]
    data = background.slice[first:last].project(labels).todense()
    data += signal.project(labels).todense()
    model = background.project(labels).todense()
    model *= (interval[1] - interval[0]) / (edges[-1] - edges[0])
    return data, model


def fit_pixel(place, job, arrays, attitude, folder, spectrum):
    began = time.process_time()
    _, ts, norm, _, failed, n_iter, expected_s, fit_s, _ = FastTSMap.fast_ts_fit(
        place,
        job["channel"],
        *arrays,
        attitude,
        folder / "response.h5",
        spectrum,
        "local",
        job["nside"],
        "RING",
    )
    return {
        "ts": float(ts),
        "norm": float(norm),
        "failed": bool(failed),
        "n_iter": int(n_iter),
        "cpu": time.process_time() - began,
        "expected": expected_s,
        "fit": fit_s,
    }


if __name__ == "__main__":
    main()
