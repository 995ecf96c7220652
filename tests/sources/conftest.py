"""The toy telescopes of the benchmarks, and lists of sources made with them."""

import os
from pathlib import Path

import numpy as np
import pytest

from skyquilt.config.sources import SourceOptions
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sources.find import find_sources
from skyquilt.testing import imager as imager_module
from skyquilt.testing import toy as toy_module


@pytest.fixture(scope="session")
def toy():
    """Module `skyquilt.testing.toy`: a Compton telescope, dense expectations."""
    return toy_module


@pytest.fixture(scope="session")
def imager():
    """Module `skyquilt.testing.imager`: an imaging telescope, sparse expectations."""
    return imager_module


@pytest.fixture(scope="session")
def search(imager):
    """Problem, map and sources of one observation of sources at (lon, lat, flux)."""

    def search(*sources, seed=1, nside=32, ipix=None, options=None, level=0.95, **telescope):
        lon, lat, flux = np.array(sources, dtype=float).reshape(-1, 3).T
        direction = lonlat_to_vec(lon, lat)
        rng = np.random.default_rng(seed)
        problem = imager.Imager(**telescope).observe(direction, flux, rng)
        skymap = imager.map_of(problem, nside, ipix)
        settings = SourceOptions(**(options or {}))
        return problem, skymap, find_sources(problem, skymap, settings, confidence_level=level)

    return search


@pytest.fixture(scope="session")
def fermi_catalogues() -> Path:
    """Folder with the catalogues 2FHL and 3FHL."""
    root = Path(os.environ.get("SKYQUILT_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (root / "fermi" / "catalogs").is_dir():
        pytest.skip(f"no Fermi catalogues in {root / 'fermi'}: set SKYQUILT_DATA")
    return root / "fermi" / "catalogs"
