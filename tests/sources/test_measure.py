import numpy as np
import pytest
from scipy.sparse import csr_array

from skyquilt.fit.pixels import fit_pixels
from skyquilt.fit.position import Positions
from skyquilt.likelihood.groups import connected
from skyquilt.likelihood.options import FluxOptions
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sources.measure import measure_together
from skyquilt.sources.model import source_counts_at, with_sources

FAR = [(20.0, 10.0, 3.0), (100.0, -40.0, 1.0), (250.0, 60.0, 0.5)]
CLOSE = [(50.0, 0.0, 3.0), (58.0, 0.0, 1.5)]


def known(direction):
    """Positions that are known, without errors."""
    n = len(direction)
    is_fitted = np.zeros(n, dtype=bool)
    return Positions(direction, np.zeros(n), np.full((n, 2, 2), np.nan), is_fitted)


def test_sources_far_apart_are_measured_as_each_alone(search):
    problem, _, found = search(*FAR)
    _, together, _ = measure_together(problem, known(found.position.direction), np.zeros(3), 0.95)
    alone = fit_pixels(problem, found.position.direction, FluxOptions(confidence_level=0.95))
    for name in ("ts", "flux", "flux_err", "flux_err_lo", "flux_err_hi", "flux_ul", "npred"):
        # both fits end within 1e-4 standard errors; no source shares a bin with another
        np.testing.assert_allclose(getattr(together, name), getattr(alone, name), rtol=1e-4)


def test_errors_of_close_sources_are_those_of_the_profile_likelihood(search):
    problem, _, _ = search((50.0, 0.0, 3.0), (55.0, 0.0, 1.5))
    direction = lonlat_to_vec(np.array([50.0, 55.0]), np.zeros(2))
    _, measured, _ = measure_together(problem, known(direction), np.zeros(2), None)
    counts = source_counts_at(problem, direction)

    def log_likelihood(flux):
        expected = with_sources(problem, counts, flux).background
        return problem.counts @ np.log(expected) - flux @ counts.total

    # the other flux fitted again for each flux of the first, on a grid
    best = log_likelihood(measured.flux)
    first = measured.flux[0] + measured.flux_err[0] * np.array([-1.0, 1.0])
    others = measured.flux[1] + measured.flux_err[1] * np.linspace(-2, 2, 401)
    drop = [2 * (best - max(log_likelihood(np.array([f, o])) for o in others)) for f in first]
    # 1 for a parabola; 300 counts have a skewness of 1 / sqrt(300) on either side
    np.testing.assert_allclose(np.mean(drop), 1, rtol=0.02)
    fixed = fit_pixels(with_sources(problem, counts, measured.flux, but=0), direction[:1])
    assert measured.flux_err[0] > 1.05 * fixed.flux_err[0]


def test_limits_and_errors_are_in_order(search):
    _, _, found = search(*FAR, *CLOSE)
    measured = found.measured
    assert np.all(measured.flux_ul > measured.flux + measured.flux_err_hi)
    assert np.all((measured.flux_err_lo > 0) & (measured.flux_err_lo < measured.flux_err_hi))
    mean = (measured.flux_err_lo + measured.flux_err_hi) / 2
    np.testing.assert_allclose(mean, measured.flux_err, rtol=0.02)


def test_fluxes_that_do_not_converge_are_a_warning(search, monkeypatch, caplog):
    problem, _, found = search(*FAR)
    monkeypatch.setattr("skyquilt.sources.joint.MAX_ITER", 1)
    measure_together(problem, known(found.position.direction), np.zeros(3), None)
    assert "fluxes of 3 sources have not converged" in caplog.text


@pytest.mark.parametrize("method", ["iterative", "peaks"])
def test_without_a_level_there_are_no_limits(search, method):
    _, _, found = search(*FAR, level=None, options={"method": method})
    assert np.all(np.isnan(found.measured.flux_ul))
    assert np.all(np.isnan(found.measured.flux_err_lo))
    assert np.all(np.isfinite(found.measured.flux_err))


def test_groups_are_linked_through_others():
    correlation = np.eye(5)
    for one, other in ((0, 3), (3, 4), (1, 2)):
        correlation[one, other] = correlation[other, one] = 0.1
    assert [group.tolist() for group in connected(csr_array(correlation))] == [[0, 3, 4], [1, 2]]


def test_no_sources_are_no_connected():
    assert connected(csr_array((0, 0))) == []
