"""A small problem with everything in it: good pixels, under-fluctuations, occultation."""

import numpy as np
import pytest

from skyquilt.problem.local import LocalTable
from skyquilt.problem.problem import Description, FitProblem

N_HIT = 30


def make_problem(seed=5, identity="f" * 64, frame="icrs"):
    rng = np.random.default_rng(seed)
    rows = rng.gamma(0.5, 1, (48, N_HIT)).astype(np.float32)
    zenith = np.array([[0.0, 0, 1], [0.0, 0.6, 0.8]])
    table = LocalTable(
        rows=rows,
        totals=3 * rows.sum(axis=1, dtype=float),
        nside=2,
        rotation=np.linalg.qr(rng.normal(size=(2, 3, 3)))[0],
        weight=np.array([0.5, 1.5]),
        zenith=zenith,
        horizon_cos=np.full(2, -0.4123),  # on no ring of pixels
    )
    counts = rng.poisson(1.0, N_HIT) + 1.0
    background = rng.gamma(1, 1, N_HIT) + 0.1
    description = Description("test", "none", (1.0, 2.0))
    return FitProblem(counts, background, table, frame, 1.0, description, identity=identity)


@pytest.fixture
def problem():
    return make_problem()
