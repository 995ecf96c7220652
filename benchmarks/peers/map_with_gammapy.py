"""TS map of a cube with gammapy's TSMapEstimator, for `peer_gammapy.py`; in its own environment.

    .venv-gammapy/bin/python map_with_gammapy.py JOB.json

The job names the files of the cube, the spectrum, the energies, the width of the kernel, which
pixels to fit (every n-th), and the file to write: arrays ts and norm by row and column of the cube,
NaN where no pixel was fitted, and the coordinates of its pixels. Prints one line of JSON: CPU
seconds of the estimator, and the number of fitted pixels.
"""

import json
import sys
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from gammapy.datasets import MapDataset
from gammapy.estimators import TSMapEstimator
from gammapy.irf import PSFMap
from gammapy.maps import Map
from gammapy.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel


def main():
    job = json.loads(Path(sys.argv[1]).read_text())
    dataset = read_dataset(job)
    estimator = Thinned(
        job["every"],
        dataset.counts.data.shape[-2:],
        SkyModel(PowerLawSpectralModel(**job["spectrum"]), PointSpatialModel()),
        kernel_width=job["kernel_width"],
        energy_edges=job["energies"] * u.GeV,
        sum_over_energy_groups=False,
        rtol=job["rtol"],
    )
    began = time.process_time()
    maps = estimator.run(dataset)
    cpu = time.process_time() - began
    center = dataset.counts.geom.to_image().get_coord().skycoord
    np.savez(
        job["output"],
        ts=maps["ts"].data[0],
        norm=maps["norm"].data[0],
        lon=center.data.lon.deg,
        lat=center.data.lat.deg,
    )
    print("RESULT " + json.dumps({"cpu": cpu, "n_pixels": int(np.isfinite(maps["ts"].data).sum())}))


class Thinned(TSMapEstimator):
    """The estimator, at every n-th pixel of the cube; data and kernel stay whole."""

    def __init__(self, every, shape, *arguments, **options):
        super().__init__(*arguments, **options)
        self.every, self.shape = every, shape

    def _estimate_mask_2d(self, maps):
        mask = TSMapEstimator._estimate_mask_2d(maps)
        is_chosen = np.arange(np.prod(self.shape)).reshape(self.shape) % self.every == 0
        rows, columns = (np.array(mask.shape[-2:]) - self.shape) // 2  # padded by half a kernel
        return mask & np.pad(is_chosen, ((rows, rows), (columns, columns)))


def read_dataset(job):
    """Cube as in gammapy's tutorial of this data: exposure taken to the middle of the bands."""
    counts, exposure = Map.read(job["counts"]), Map.read(job["exposure"])
    exposure = Map.from_geom(exposure.geom, data=exposure.data, unit="cm2 s")
    return MapDataset(
        counts=counts,
        background=Map.read(job["background"]),
        exposure=exposure.interp_to_geom(counts.geom.as_energy_true),
        psf=PSFMap.read(job["psf"], format="gtpsf"),
    )


if __name__ == "__main__":
    main()
