import numpy as np

from skyquilt.instruments.compton.simulator.telescope import areas
from skyquilt.sky.healpix import ring_to_vec


def test_row_sums_to_the_effective_area(instrument):
    row = instrument.row(2, 7, factor=0.5)
    assert row.dtype == np.float32
    # float32 rounding of each bin
    np.testing.assert_allclose(
        row.sum(axis=(1, 2, 3), dtype=float), 0.5 * areas(instrument.edges), rtol=1e-6
    )


def test_expect_equals_photons_times_row(instrument):
    photons = np.array([2.0, 3.0])
    image = instrument.images.draw(ring_to_vec(2, np.array([7]))[0])
    expected = np.tensordot(photons, instrument.row(2, 7, factor=10.0), axes=(0, 0))
    # the row is rounded to float32
    np.testing.assert_allclose(instrument.expect(10 * image, photons), expected, rtol=1e-5)


def test_shape_is_that_of_the_resolution(instrument):
    assert instrument.shape == (2, 2, 6, 48)
    np.testing.assert_allclose(instrument.phi_edges, [0, 30, 60, 90, 120, 150, 180])
