"""How often the containment region of a level holds the source."""

from typing import NamedTuple

import numpy as np
import pytest

LEVELS = (0.68, 0.9, 0.95)
N_TRIALS = 300


class Bursts(NamedTuple):
    """Bursts of one flux, their maps, and the coverage that many simulations have."""

    flux: float
    nside: int
    radius: float  # of the map around the source [deg]
    coverage: tuple[float, ...]
    credible: tuple[float, ...]


# Coverage of faint bursts, `benchmarks/coverage_table.py --simulations 4000`: errors below 0.008;
# of credible regions 1000 simulations, 0.014.
FAINT = Bursts(0.2, 16, 60.0, (0.64, 0.87, 0.93), (0.7, 0.91, 0.955))
BRIGHT = Bursts(1.0, 64, 12.0, LEVELS, LEVELS)


@pytest.fixture(scope="module", params=[FAINT, BRIGHT], ids=["faint", "bright"])
def case(toy, request):
    """Bursts and their localisations, each at a random direction within 60 deg of the axis."""
    bursts = request.param
    localisations = toy.localise_many(
        toy.Telescope(),
        bursts.flux,
        N_TRIALS,
        seed=4,
        nside=bursts.nside,
        radius=bursts.radius,
        levels=LEVELS,
    )
    return bursts, localisations


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(LEVELS)), ids=LEVELS)
def test_containment_region_covers_the_source_at_its_level(toy, case, index):
    """Bright bursts are covered at the level, faint ones 2 to 4 % less often.

    Faint bursts have a median TS of 35 and a 90 % region of 35 pixels, 470 deg2. The levels 68,
    90 and 95 % have a coverage of 64, 87 and 93 %, to 0.8, 0.5 and 0.4 %. Pixels are not the
    reason: at nside 32, and with the TS at the true direction, it is the same. Nor are few counts
    per bin (ten times as many at the same TS), the response grid (nside 16), or the size of the
    map (whole sky). The deficit goes with TS: TS_max less TS at the truth has a mean of about
    2 (1 + 4 / TS), by Wilks' theorem 2. The theorem holds for a parabola, and this region spans a
    good part of the response's ring, too much for a parabola.

    Bright bursts have a median TS of 500 and a 90 % region of 49 pixels, 41 deg2: coverage 90.0 %
    by the TS at the true direction and 89.3 % by the pixel that holds it, to 0.7 %. With N pixels
    in the region, the distance from truth to pixel centre costs about 0.28 / N for a parabola.
    """
    bursts, localisations = case
    measured = np.mean(localisations.is_covered[:, index])
    expected = bursts.coverage[index]
    # 3.3 standard errors of a fraction of as many trials: 6 % at the level of 90 %
    tolerance = 3.3 * toy.binomial_error(expected, N_TRIALS)
    assert measured == pytest.approx(expected, abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(len(LEVELS)), ids=LEVELS)
def test_credible_region_covers_the_source_at_its_level(toy, case, index):
    """Faint bursts too: where TS is no parabola, the posterior allows for it."""
    bursts, localisations = case
    measured = np.mean(localisations.is_credible[:, index])
    expected = bursts.credible[index]
    # 3.3 standard errors of a fraction of as many trials
    tolerance = 3.3 * toy.binomial_error(expected, N_TRIALS)
    assert measured == pytest.approx(expected, abs=tolerance)


@pytest.mark.slow
def test_containment_region_of_the_case_is_resolved(case):
    _, localisations = case
    # the pixel that holds the source is not its direction; with 10 pixels the difference in TS
    # is small against the threshold, see `skyquilt.maps.containment`
    assert np.median(localisations.n_pixels[:, LEVELS.index(0.9)]) > 10
