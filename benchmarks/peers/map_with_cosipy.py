"""Make TS maps with FastTSMap or MOCTSMap of cosipy 0.4.3, for `peer_newest.py`.

    .venv-formats-cosipy/bin/python map_with_cosipy.py JOB.json

The job names the frame, files of counts and background, response, orientation and interval, the
factor of the background, the energy channel, nside, `map` ("fast" or "moc") and how many maps to
make, with the same object's defaults and one thread. Stores TS (NESTED, galactic), with UNIQ for
"moc", in `output`, and prints a line of JSON: CPU of each map [s].
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.time import Time
from cosipy import FastTSMap, MOCTSMap, SpacecraftHistory
from histpy import Histogram
from threeML import Powerlaw

LABELS = ["Em", "Phi", "PsiChi"]


def main():
    job = json.loads(Path(sys.argv[1]).read_text())
    data, model = read_counts(job)
    attitude = None
    if job["frame"] == "local":
        start, stop = (Time(second, format="unix") for second in job["interval"])
        attitude = SpacecraftHistory.open(job["orientation"]).select_interval(start, stop)
    maker = {"fast": FastTSMap, "moc": MOCTSMap}[job["map"]]
    fit = maker(data, model, job["response"], orientation=attitude, cds_frame=job["frame"])
    costs = []
    for _ in range(job["n_maps"]):
        began = time.process_time()
        ts = fit.fit(job["nside"], power_law(job), energy_channel=job["channel"], cpu_cores=1)
        costs.append(time.process_time() - began)
    np.save(job["output"], np.array(ts))
    print("RESULT " + json.dumps(costs))


def power_law(job):
    spectrum = Powerlaw()
    spectrum.index.value, spectrum.piv.value, spectrum.K.value = job["index"], 100.0, job["norm"]
    spectrum.piv.unit, spectrum.K.unit = u.keV, 1 / (u.cm**2 * u.s * u.keV)
    return spectrum


def read_counts(job):
    """Source and background of the interval, and the background model times its factor."""
    source, background = (Histogram.open(path) for path in job["counts"])
    model = Histogram.open(job["background"]).project(LABELS).todense()
    model *= job["scale"]
    if job["interval"]:
        edges = background.axes["Time"].edges.to_value("s")
        first, last = edges.searchsorted(job["interval"])
        background = background.slice[first:last]
    data = background.project(LABELS).todense()
    data += source.project(LABELS).todense()
    return data, model


if __name__ == "__main__":
    main()
