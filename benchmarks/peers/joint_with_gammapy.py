"""A joint fit of H.E.S.S. and HAWC with gammapy, for `peer_joint.py`; in its own environment.

    .venv-gammapy/bin/python joint_with_gammapy.py JOB.json

The job names the folder of the data and one to write to. Maps of each run of H.E.S.S. are made and
written there, as run-*.fits.gz; with those of HAWC they are fitted with a log parabola at one
position, and a factor on each background. Prints a line of JSON for each fit: CPU seconds, values,
errors, and 2 ln L.
"""

import json
import sys
import time
from pathlib import Path

import astropy.units as u
from astropy.coordinates import SkyCoord
from gammapy.data import DataStore
from gammapy.datasets import Datasets, MapDataset
from gammapy.makers import MapDatasetMaker, SafeMaskMaker
from gammapy.maps import MapAxis, WcsGeom
from gammapy.modeling import Fit
from gammapy.modeling.models import (
    FoVBackgroundModel,
    LogParabolaSpectralModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)

CRAB = SkyCoord(83.6331, 22.0145, unit="deg", frame="icrs")
CLASSES = range(5, 10)


def main():
    job = json.loads(Path(sys.argv[1]).read_text())
    data, folder = Path(job["data"]), Path(job["folder"])
    runs = make_runs(data / "hess" / "dl3_crab", folder)
    power_law = PowerLawSpectralModel(
        index=2.4, amplitude="3e-11 cm-2 s-1 TeV-1", reference="1 TeV"
    )
    report("hess", runs, power_law)
    classes = [
        MapDataset.read(data / "hawc" / f"nHit-{number}.fits.gz", name=f"nhit-{number}")
        for number in CLASSES
    ]
    parabola = LogParabolaSpectralModel(
        alpha=2.5, beta=0.05, amplitude="4e-11 cm-2 s-1 TeV-1", reference="1 TeV"
    )
    report("joint", [*runs, *classes], parabola)


def make_runs(store, folder):
    """Maps of each run, from 1 to 10 TeV."""
    energy = MapAxis.from_energy_bounds("1 TeV", "10 TeV", nbin=10)
    true = MapAxis.from_energy_bounds("0.5 TeV", "20 TeV", nbin=24, name="energy_true")
    geom = WcsGeom.create(skydir=CRAB, binsz=0.02, width=3, frame="icrs", proj="TAN", axes=[energy])
    maker, mask = MapDatasetMaker(), SafeMaskMaker(methods=["offset-max"], offset_max="2.5 deg")
    runs = []
    for run in DataStore.from_dir(store).get_observations():
        name = f"run-{run.obs_id}"
        empty = MapDataset.create(geom, energy_axis_true=true, name=name)
        dataset = mask.run(maker.run(empty, run), run)
        dataset.write(folder / f"{name}.fits.gz", overwrite=True)
        runs.append(dataset)
    return runs


def report(name, datasets, spectrum):
    place = PointSpatialModel(lon_0=CRAB.ra, lat_0=CRAB.dec, frame="icrs")
    place.lon_0.min, place.lon_0.max = 83.1, 84.1
    place.lat_0.min, place.lat_0.max = 21.5, 22.5
    factors = [FoVBackgroundModel(dataset_name=one.name) for one in datasets]
    source = SkyModel(spectrum, place, name="crab")
    fitted = Datasets(datasets)
    fitted.models = [source, *factors]
    began = time.process_time()
    Fit().run(fitted)
    cpu = time.process_time() - began
    parameters = {one.name: one for one in source.parameters if not one.frozen}
    result = {
        "name": name,
        "cpu": cpu,
        "values": {key: one.quantity.to_value(_unit(one)) for key, one in parameters.items()},
        "errors": {
            key: (one.error * one.unit).to_value(_unit(one)) for key, one in parameters.items()
        },
        "two_log_likelihood": -float(fitted.stat_sum()),
        "n_free": len(fitted.models.parameters.free_parameters),
    }
    print("RESULT " + json.dumps(result), flush=True)


def _unit(parameter):
    return {"amplitude": u.Unit("1e-11 cm-2 s-1 TeV-1"), "lon_0": u.deg, "lat_0": u.deg}.get(
        parameter.name, u.one
    )


if __name__ == "__main__":
    main()
