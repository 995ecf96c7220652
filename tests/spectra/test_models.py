import numpy as np
import pytest
from astropy.modeling import functional_models, powerlaws

from skyquilt.spectra import describe, evaluate
from skyquilt.spectra.models import corners

ENERGY = np.geomspace(10, 1e4, 50)
# A power is an exponential of a logarithm here, and rounding grows with that logarithm (< 50).
ROUNDING = 1e-13


@pytest.mark.parametrize(
    ("model", "parameters", "reference"),
    [
        ("power_law", {"pivot": "100 keV", "index": -2.2}, powerlaws.PowerLaw1D(10, 100, 2.2)),
        (
            "cutoff_power_law",
            {"pivot": "0.1 MeV", "index": -1.5, "cutoff": "300 keV"},
            powerlaws.ExponentialCutoffPowerLaw1D(10, 100, 1.5, 300),
        ),
        (
            "broken_power_law",
            {"break_energy": "300 keV", "index_low": -1, "index_high": -2.5},
            powerlaws.BrokenPowerLaw1D(10, 300, 1, 2.5),
        ),
        (
            "log_parabola",
            {"pivot": "100 keV", "index": -2, "curvature": 0.3},
            powerlaws.LogParabola1D(10, 100, 2, 0.3),
        ),
    ],
)
def test_evaluate_of_model_equals_astropy(make_spectrum, model, parameters, reference):
    spectrum = make_spectrum(model, norm="10 cm-2 s-1 keV-1", **parameters)
    np.testing.assert_allclose(evaluate(spectrum, ENERGY), reference(ENERGY), rtol=ROUNDING)


def band_1993(energy, norm, alpha, beta, fold):
    """Band et al. 1993, eq. 1, with the e-folding energy and powers as printed there."""
    step = (alpha - beta) * fold
    low = norm * (energy / 100) ** alpha * np.exp(-energy / fold)
    high = norm * (step / 100) ** (alpha - beta) * np.exp(beta - alpha) * (energy / 100) ** beta
    return np.where(energy < step, low, high)


def test_evaluate_of_band_equals_equation_of_1993(make_spectrum):
    spectrum = make_spectrum(
        "band", norm="0.02 cm-2 s-1 keV-1", alpha=-0.8, beta=-2.5, peak="360 keV"
    )
    expected = band_1993(ENERGY, 0.02, -0.8, -2.5, fold=300)
    np.testing.assert_allclose(evaluate(spectrum, ENERGY), expected, rtol=ROUNDING)


def test_evaluate_of_band_has_maximum_energy_flux_at_peak(make_spectrum):
    spectrum = make_spectrum("band", alpha=-0.8, beta=-2.5, peak="360 keV")
    energy = np.linspace(350, 370, 2001)
    best = energy[np.argmax(energy**2 * evaluate(spectrum, energy))]
    assert best == pytest.approx(360, abs=0.011)  # the step of the grid


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("band", {"alpha": -0.8, "beta": -2.5, "peak": "360 keV"}),
        ("broken_power_law", {"break_energy": "300 keV", "index_low": -1, "index_high": -9}),
    ],
)
def test_evaluate_on_both_sides_of_corner_is_continuous(make_spectrum, model, parameters):
    spectrum = make_spectrum(model, **parameters)
    (corner,) = corners(spectrum)
    below, above = evaluate(spectrum, corner * np.array([1 - 1e-12, 1 + 1e-12]))
    assert below == pytest.approx(above, rel=1e-10)  # slope of 9 times the step of 2e-12


def test_evaluate_where_power_overflows_but_product_does_not_is_finite(make_spectrum):
    spectrum = make_spectrum("cutoff_power_law", pivot="1 keV", index=150, cutoff="5 keV")
    expected = np.exp(150 * np.log(5000) - 1000)
    # The exponent is a difference of terms of 1000, twenty times those of the other tests.
    assert evaluate(spectrum, 5000.0) == pytest.approx(expected, rel=20 * ROUNDING)


def test_evaluate_where_flux_overflows_is_infinite(make_spectrum):
    spectrum = make_spectrum("power_law", pivot="1 keV", index=200)
    assert evaluate(spectrum, 5000.0) == np.inf


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_evaluate_of_array_keeps_its_shape(make_spectrum, shape):
    spectrum = make_spectrum("power_law", pivot="1 keV", index=-2)
    assert evaluate(spectrum, np.full(shape, 2.0)).shape == shape


@pytest.mark.parametrize("energy", [0, -1, np.nan])
def test_evaluate_at_energy_not_above_zero_is_refused(make_spectrum, energy):
    spectrum = make_spectrum("power_law", pivot="1 keV", index=-2)
    with pytest.raises(ValueError, match="must be above 0 keV"):
        evaluate(spectrum, [1, energy])


def test_corners_of_log_parabola_is_maximum_of_photons_per_log_energy(make_spectrum):
    spectrum = make_spectrum("log_parabola", pivot="100 keV", index=1, curvature=2)
    energy = np.geomspace(10, 1000, 20001)
    best = energy[np.argmax(energy * evaluate(spectrum, energy))]
    assert corners(spectrum) == pytest.approx([best], rel=2.4e-4)  # the step of the grid


def test_corners_of_smooth_spectrum_are_none(make_spectrum):
    assert corners(make_spectrum("log_parabola", pivot="1 keV", index=1, curvature=0)) == []
    assert corners(make_spectrum("power_law", pivot="1 keV", index=1)) == []


def test_describe_of_spectrum_names_model_and_every_parameter(make_spectrum):
    spectrum = make_spectrum("band", alpha=-0.8, beta=-2.5, peak="0.36 MeV")
    assert describe(spectrum) == (
        "band: norm 1 cm-2 s-1 keV-1, pivot 100 keV, alpha -0.8, beta -2.5, peak 0.36 MeV"
    )


def test_evaluate_of_line_equals_astropy(make_line):
    spectrum = make_line(flux="0.5 cm-2 s-1", energy="0.511 MeV", sigma="3 keV")
    energy = np.linspace(490, 530, 41)
    reference = functional_models.Gaussian1D(0.5 / (3 * np.sqrt(2 * np.pi)), 511, 3)
    np.testing.assert_allclose(evaluate(spectrum, energy), reference(energy), rtol=1e-12)


def test_evaluate_of_line_is_zero_far_from_it(make_line):
    spectrum = make_line(flux="0.5 cm-2 s-1", energy="511 keV", sigma="3 keV")
    assert not evaluate(spectrum, [1.0, 486.9, 535.1, 1e6]).any()


def test_line_that_is_wide_for_its_energy_is_refused(make_line):
    make_line(flux="1 cm-2 s-1", energy="500 keV", sigma="100 keV")
    with pytest.raises(ValueError, match="sigma = 101 keV is more than a fifth of the energy"):
        make_line(flux="1 cm-2 s-1", energy="500 keV", sigma="101 keV")
