import numpy as np
import pytest

from skyquilt.inference.arrow import Arrow


@pytest.fixture(params=[(0, 3, 2), (2, 4, 1), (3, 5, 3)])
def arrow(request):
    n_shared, n_group, n_own = request.param
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(200, n_shared + n_group * n_own))
    group = rng.integers(n_group, size=200)
    for number in range(n_group):
        own = slice(n_shared + number * n_own, n_shared + (number + 1) * n_own)
        rows[group != number, own] = 0
    dense = rows.T @ rows
    own = dense[n_shared:, n_shared:].reshape(n_group, n_own, n_group, n_own)
    return Arrow(
        dense[:n_shared, :n_shared],
        dense[n_shared:, :n_shared].reshape(n_group, n_own, n_shared),
        np.einsum("ijik->ijk", own),
    )


def test_arrow_does_what_the_full_matrix_does(arrow):
    dense, vector = arrow.to_dense(), np.random.default_rng(2).normal(size=arrow.size)
    np.testing.assert_array_equal(arrow.diagonal(), np.diag(dense))
    np.testing.assert_allclose(arrow.times(vector), dense @ vector, rtol=1e-12)
    np.testing.assert_allclose(arrow.solve(vector), np.linalg.solve(dense, vector), rtol=1e-9)
    np.testing.assert_allclose(
        arrow.scaled(vector).to_dense(), dense * np.outer(vector, vector), rtol=1e-12
    )
    np.testing.assert_allclose(
        arrow.plus_diagonal(vector).to_dense(), dense + np.diag(vector), rtol=1e-12
    )


def test_singular_block_is_an_error():
    singular = Arrow(np.eye(1), np.zeros((2, 1, 1)), np.zeros((2, 1, 1)))
    with pytest.raises(np.linalg.LinAlgError):
        singular.solve(np.ones(3))
