"""Published data through `model prepare`: what others find in the same files."""

import numpy as np
import pytest

from skyquilt.config import parse_config
from skyquilt.inference.climb import Status
from skyquilt.model import (
    Background,
    Fixed,
    Free,
    Layer,
    Posterior,
    Source,
    fit,
    read_model_problem,
)
from skyquilt.steps.model.prepare import prepare_model


def band(energy, norm, alpha, beta, peak):
    """Band et al. (1993), pivot 500 keV."""
    fold = peak / (2 + alpha)
    bend = (alpha - beta) * fold
    log_energy = np.log(energy / 500)
    low = alpha * log_energy - energy / fold
    high = beta * log_energy + (alpha - beta) * (np.log(bend / 500) - 1)
    return norm * np.exp(np.where(energy < np.real(bend), low, high))


def prepared(analysis, tmp_path):
    folders = {"results": str(tmp_path / "results"), "cache": str(tmp_path / "cache")}
    config = parse_config({**folders, "analyses": {"a": analysis}})
    prepare_model(config, "a", tmp_path / "problem.h5")
    return read_model_problem(tmp_path / "problem.h5")


def section(lon, lat, frame, radius=None):
    spectrum = {"model": "power_law", "norm": "1 cm-2 s-1 keV-1", "pivot": "1 MeV", "index": -2}
    position = {"lon": lon, "lat": lat, "frame": frame}
    source = {"position": position, "spectrum": spectrum}
    return {"sources": {"a": source}, "fits": {"all": {}}, "radius": radius}


def best_of(problem, source, quantities):
    likelihood = problem.likelihood([source], [Background("background", problem.datasets[0])])
    return fit(Posterior(Layer(quantities, problem.cells), likelihood))


@pytest.mark.parametrize("radius", [None, "10 deg"])
def test_spectrum_of_cosipy_is_found_in_its_file(cosi_data, tmp_path, radius):
    data = {
        "frame": "local",
        "counts": [{"path": f"{cosi_data}/test_spectral_fit_data.h5"}],
        "background": {"path": f"{cosi_data}/test_spectral_fit_background.h5"},
        "response": f"{cosi_data}/test_full_detector_response.h5",
        "orientation": f"{cosi_data}/20280301_2s.ori",
        "zero_background": "mask",
    }
    model = section(50.0, -45.0, "galactic", radius)
    problem = prepared({"data": data, "model": model}, tmp_path)
    quantities = {
        "grb.lon": Fixed(50.0),
        "grb.lat": Fixed(-45.0),
        "grb.flux": Fixed(1.0),
        "grb.norm": Free(1.0, 1e-3),
        "grb.alpha": Free(-1.0, -1.9, 2.0),
        "grb.beta": Free(-2.0, -10.0, -1.95),
        "grb.peak": Free(500.0, 50.0, 3000.0, unit="keV"),
        "background": Free(1.0, 0.0),
    }
    source = Source("grb", band, ("norm", "alpha", "beta", "peak"))
    best = best_of(problem, source, quantities)
    assert best.status is Status.GOOD
    # the climb ends where 1e-6 in ln L is promised: 0.0014 errors, of 1.8, 1.3, 0.6, 146 and 0.3
    assert best.x == pytest.approx([1.0743, -1.1, -2.3, 450.0, 1.0], rel=1e-3)
