"""Open simulated files with cosipy, and fit a coarse TS map of the burst with it.

Needs its own environment: python3.11 -m venv peer; peer/bin/pip install -r requirements-cosipy.txt.

    peer/bin/python check_cosipy_opens.py FOLDER [--ts-map OUTPUT.npy]

FOLDER holds the files of `skyquilt simulate --config config/demo.yaml`. With --ts-map the TS map
of the bright burst at nside 2 (RING, galactic, energy channel [2, 3)) is fitted and stored, to be
compared with skyquilt's.
"""

import argparse
from pathlib import Path

import numpy as np
import scoords  # noqa: F401  (registers the spacecraft frame)
from astropy import units as u
from astropy.time import Time
from cosipy import FastTSMap, SpacecraftFile
from cosipy.response import FullDetectorResponse
from histpy import Histogram
from threeML import Powerlaw

BURST = (1835478010.0, 1835478050.0)


def check_response(folder):
    with FullDetectorResponse.open(folder / "response.h5") as response:
        row = response[response.npix // 2]
        print("response.h5", response.axes.labels, response.axes.nbins, row.contents.sum())


def check_histogram(folder, name):
    histogram = Histogram.open(folder / f"{name}.h5")
    labels, shape = histogram.axes.labels, histogram.axes.nbins
    print(f"{name}.h5", labels, shape, histogram.unit, histogram.contents.sum())
    return histogram


def check_events(folder, name):
    from cosipy.data_io import UnBinnedData

    columns = UnBinnedData.get_dict_from_fits(None, str(folder / name))
    print(name, {key: value.shape for key, value in columns.items()})


def burst_data(background, signal):
    """Signal plus the background of its interval, and the whole background scaled to it."""
    edges = background.axes["Time"].edges.value
    first, last = np.searchsorted(edges, BURST)
    labels = ["Em", "Phi", "PsiChi"]
    during = background.slice[first:last].project(labels)
    model = background.project(labels)
    data = signal.project(labels)
    return during.todense() + data.todense(), model.todense(), edges


def fit_ts_map(folder, orientation, background, signal):
    data, model, edges = burst_data(background, signal)
    attitude = orientation.source_interval(*(Time(t, format="unix") for t in BURST))
    model *= (BURST[1] - BURST[0]) / (edges[-1] - edges[0])
    fit = FastTSMap(data, model, folder / "response.h5", attitude, cds_frame="local", scheme="RING")
    spectrum = Powerlaw()
    spectrum.index.value, spectrum.piv.value, spectrum.K.value = -2.2, 100.0, 10.0
    spectrum.piv.unit, spectrum.K.unit = u.keV, 1 / (u.cm**2 * u.s * u.keV)
    hypotheses = FastTSMap.get_hypothesis_coords(nside=2)
    return fit.parallel_ts_fit(
        hypotheses, [2, 3], spectrum, ts_scheme="RING", cpu_cores=2, ts_nside=2
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the simulated files")
    parser.add_argument("--ts-map", type=Path, help="fit the burst and store TS and norm (.npy)")
    args = parser.parse_args()
    check_response(args.folder)
    orientation = SpacecraftFile.parse_from_file(args.folder / "orientation.ori")
    print("orientation.ori", len(orientation.get_time()), "records")
    for name in ("crab", "background_galactic", "background_galactic_model", "response_galactic"):
        check_histogram(args.folder, name)
    background, signal = (check_histogram(args.folder, name) for name in ("background", "grb"))
    check_events(args.folder, "crab_events.fits.gz")
    if args.ts_map:
        rows = fit_ts_map(args.folder, orientation, background, signal)
        np.save(args.ts_map, np.asarray(rows)[:, :4].astype(float))
        print("pixel, TS, norm, error of the norm:")
        print(np.asarray(rows)[:, :4])


if __name__ == "__main__":
    main()
