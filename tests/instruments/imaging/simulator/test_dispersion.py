"""Energy dispersion of simulated imagers."""

import numpy as np
import pytest
from astropy.io import fits
from pydantic import TypeAdapter, ValidationError
from scipy.stats import kstest

from skyquilt.config import parse_config
from skyquilt.config.imager import Dispersion
from skyquilt.errors import ConfigError
from skyquilt.fit.pixels import fit_pixels
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.imaging.simulator import simulate
from skyquilt.instruments.imaging.simulator.dispersion import Energies
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.testing.analyses import ask_one

SPECTRUM = {"model": "power_law", "norm": "1e-15 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.2}
GAUSSIAN = {"model": "gaussian", "sigma": 0.3, "bias": 0.9, "index": -0.1}
TABLE = {"model": "table", "ratio": [0.4, 0.8, 1.2, 1.5], "probability": [0.2, 0.7, 0.1]}
EDGES = np.array([1e7, 3e7, 1e8, 3e8, 1e9])


def energies(settings):
    return Energies(TypeAdapter(Dispersion).validate_python(settings))


def configure(folder, dispersion, kind="file", **changes):
    names = ("counts", "background", "exposure", "psf")
    data = {name: {"path": str(folder / f"{name}.fits")} for name in names}
    if kind == "file":
        data = {"file": str(folder / "dataset.fits")}
    return parse_config(
        {
            "simulation": {
                "instrument": "imaging",
                "folder": str(folder),
                "nside": 32,
                "point_spread": {"sigma": 1.5},
                "dispersion": dispersion,
                "background": {"isotropic": {"spectrum": SPECTRUM}},
                "sources": {
                    "one": {
                        "position": {"lon": 40, "lat": 30, "frame": "galactic"},
                        "spectrum": SPECTRUM,
                    }
                },
            }
            | changes,
            "analyses": {"a": {"instrument": "imaging", "data": data, "spectrum": SPECTRUM}},
        }
    )


@pytest.mark.parametrize("settings", [GAUSSIAN, TABLE], ids=["gaussian", "table"])
def test_drawn_energies_fall_into_bands_as_often_as_expected(settings):
    one, n = energies(settings), 20000
    for energy in (1.2e7, 9e7, 9e8):
        drawn = one.draw(np.full(n, energy), np.random.default_rng(1))
        found = np.histogram(drawn, EDGES)[0] / n
        # four binomial errors of the largest
        np.testing.assert_allclose(found, one.to_bands(np.array([energy]), EDGES)[0], atol=0.015)


@pytest.mark.parametrize("settings", [GAUSSIAN, TABLE], ids=["gaussian", "table"])
def test_span_holds_all_true_energies(settings):
    one = energies(settings)
    low, high = one.true_span(EDGES)
    outside = one.to_bands(np.array([low * 0.99, high * 1.01]), EDGES)
    assert outside.sum() < 1e-5
    inside = one.to_bands(np.geomspace(low, high, 50), EDGES).sum(axis=1)
    assert np.all(inside <= 1 + 1e-12)
    assert inside.max() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("settings", [GAUSSIAN, TABLE], ids=["gaussian", "table"])
def test_flux_is_recovered_from_the_file_that_knows_the_dispersion(tmp_path, settings):
    config = configure(tmp_path, settings)
    simulate(config.simulation)
    problem = prepare(ask_one(config.analyses["a"]), "").problem
    fit = fit_pixels(problem, lonlat_to_vec(40, 30)[np.newaxis])
    # 3000 photons: three standard errors
    assert abs(fit.flux[0] - 1) < 3 * fit.flux_err[0]
    assert fit.flux_err[0] < 0.03


def test_background_is_expected_in_measured_bands(tmp_path):
    config = configure(tmp_path, GAUSSIAN, sources={})
    simulate(config.simulation)
    counts, expected = (
        fits.getdata(tmp_path / f"{name}.fits", 1) for name in ("counts", "background")
    )
    for name in expected.names:
        wanted = expected[name].sum()
        assert abs(counts[name].sum() - wanted) < 4 * np.sqrt(wanted)


def test_events_tell_measured_and_true_energies(tmp_path):
    simulate(configure(tmp_path, GAUSSIAN).simulation)
    events = fits.getdata(tmp_path / "events.fits", 1)
    assert 1e7 <= events["ENERGY"].min() < events["ENERGY"].max() < 1e9
    assert events["TRUE_ENERGY"].min() < 1e7
    inner = (events["TRUE_ENERGY"] > 5e7) & (events["TRUE_ENERGY"] < 1e8)
    pull = np.log(events["ENERGY"] / events["TRUE_ENERGY"] / 0.9)[inner]
    pull /= 0.3 * (events["TRUE_ENERGY"][inner] / 1e7) ** -0.1
    assert kstest(pull, "norm").statistic < 1.63 / np.sqrt(pull.size)


def test_without_dispersion_there_is_neither_dataset_nor_column(tmp_path):
    written = simulate(configure(tmp_path, None, "cubes").simulation)
    assert "dataset.fits" not in {path.name for path in written}
    assert "TRUE_ENERGY" not in fits.getdata(tmp_path / "events.fits", 1).names


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (TABLE | {"probability": [0.2, 0.7, 0.2]}, r"the sum is 1\.1; it must be 1"),
        (TABLE | {"probability": [0.2, 0.7]}, "2 probabilities for 4 edges"),
        (TABLE | {"probability": [-0.2, 1.1, 0.1]}, "greater than or equal to 0"),
        (TABLE | {"probability": [float("nan"), 0.9, 0.1]}, "finite number"),
        (TABLE | {"ratio": [0.4, 0.8, 0.8, 1.5]}, r"0\.8 is not above 0\.8"),
        (TABLE | {"ratio": [0, 0.8, 1.2, 1.5]}, r"greater than or equal to 0\.01"),
        (TABLE | {"ratio": [0.4, 0.8, 1.2, 1e6]}, "less than or equal to 100"),
        (GAUSSIAN | {"sigma": 0}, "greater than 0"),
        (GAUSSIAN | {"sigma": 3}, "less than or equal to 1"),
        (GAUSSIAN | {"bias": 0}, "greater than 0|greater than or equal to 0.1"),
        ({"model": "landau"}, "gaussian"),
    ],
)
def test_impossible_dispersions_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(Dispersion).validate_python(settings)


@pytest.mark.parametrize("index", [1.0, -400.0, 1e300])
def test_dispersion_that_grows_too_wide_is_refused(tmp_path, index):
    edges = ["1 GeV", "1 TeV"]
    with pytest.raises(ConfigError, match=r"dispersion: sigma 0\.3 .* is more than 1 at 1 [GT]eV"):
        configure(tmp_path, GAUSSIAN | {"index": index}, energy_edges=edges)


def test_message_of_a_configuration_names_key_and_sum(tmp_path):
    with pytest.raises(ConfigError, match=r"simulation.*dispersion.*the sum is 0\.9"):
        configure(tmp_path, TABLE | {"probability": [0.2, 0.6, 0.1]})
