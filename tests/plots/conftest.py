import healpy
import numpy as np
import pytest

from skyquilt.maps.skymap import SkyMap
from skyquilt.plots.marks import Marks
from skyquilt.sky.frames import lonlat_to_vec


@pytest.fixture(scope="session")
def make_skymap():
    """Map whose TS falls with the distance from one position as chi2 with scale `width`."""

    def make(lon=93.0, lat=-53.0, *, nside=8, frame="galactic", ts=30.0, width=15.0, ipix=None):
        ipix = np.arange(12 * nside**2) if ipix is None else np.sort(ipix)
        vec = np.stack(healpy.pix2vec(nside, ipix, nest=True), axis=-1)
        ts = ts * np.exp(-(1 - vec @ lonlat_to_vec(lon, lat)) / np.radians(width) ** 2)
        return SkyMap(nside, frame, ipix, {"ts": ts, "photon_flux": ts / 100})

    return make


@pytest.fixture
def make_marks():
    def make(best=(90.0, -54.3), true=(93.0, -53.0), frame="galactic"):
        return Marks(frame, best, true)

    return make


@pytest.fixture
def find_mark():
    """Line of one of the marks, by its name."""

    def find(figure, name):
        return next(line for line in figure.axes[0].lines if line.get_gid() == name)

    return find
