"""A sky of events one by one, seen with a smooth response."""

import numpy as np

from skyquilt.problem import Description, FitProblem
from skyquilt.problem.band_density import BandDensity
from skyquilt.problem.buckets import Buckets
from skyquilt.problem.event_density import EventDensity, node_positions
from skyquilt.problem.event_wise import EventWise
from skyquilt.problem.profiles import linear_integral
from skyquilt.problem.sky_grid import HealpixGrid
from skyquilt.sky.healpix import ring_to_vec

SPAN = (20.0, 600.0)  # keV, within the bands
NODES = np.geomspace(10.0, 1000.0, 21)
EXPOSURE = 1e3  # cm2 s at 100 keV


def event_model(background=4000.0, circles=(), index=-2.0, tilt=0.5, sigma=2.0):
    """Events of a sky that is brighter towards a pole, of a telescope that changes with energy."""
    nside, edges = 8, np.array([10.0, 50.0, 200.0, 1000.0])
    height = ring_to_vec(nside, np.arange(12 * nside**2))[:, 2]
    bands = np.array([6.0, 3.0, 1.0]) * (1 + tilt * height)[:, np.newaxis]
    density = BandDensity(HealpixGrid(nside, background * bands / bands.sum()), edges, 1.0)
    theta = np.linspace(0, np.radians(30), 400)
    widths = np.radians(sigma) * (NODES / 100) ** -0.3
    profile = np.exp(-(theta**2) / (2 * widths[:, np.newaxis] ** 2))
    profile /= linear_integral(theta, profile)[:, np.newaxis]
    energy = np.geomspace(*SPAN, 2001)
    exposure = EXPOSURE * (1 + 0.4 * height)[:, np.newaxis] * (NODES / 100) ** 0.2
    spectrum = (energy / 100) ** index / 100
    step = np.diff(np.log(energy))
    fractions = np.maximum(0, 1 - np.abs(node_positions(NODES, energy)[:, None] - np.arange(21)))
    rate = fractions * (spectrum * energy)[:, None]
    wise = EventWise(
        direction=np.empty((0, 3)),
        flux_density=np.empty(0),
        psf_node=np.empty(0),
        exposure_node=np.empty(0),
        buckets=Buckets.sort(8, np.empty((0, 3)))[0],
        exposure=HealpixGrid(nside, exposure),
        total_weight=np.sum((rate[1:] + rate[:-1]) / 2 * step[:, None], axis=0),
        theta=theta,
        profile=profile,
        density=EventDensity(
            background=density,
            frame="galactic",
            background_frame="galactic",
            span=SPAN,
            energy=energy,
            spectrum=spectrum,
            psf_energy=NODES,
            exposure_energy=NODES,
            circles=np.reshape(circles, (-1, 4)),
        ),
    )
    none = np.empty(0)
    about = Description("toy", "power law", SPAN)
    return FitProblem(none, none, wise, "galactic", 1.0, about)
