"""The fit problem: all that the right-hand side of skyquilt knows of a measurement."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from skyquilt.problem.backgrounds import BackgroundComponent, check_components
from skyquilt.problem.bands import Bands, one_band
from skyquilt.problem.expectation import Expectation


class CountsSpectrum(NamedTuple):
    """Counts per measured energy, all channels, for plots and checks.

    Attributes
    ----------
    edges : ndarray of float64, shape (n_channel + 1,)
        Measured energy [keV].
    is_selected : ndarray of bool, shape (n_channel,)
        Channels that enter the likelihood.
    counts : dict of str to ndarray of float64, shape (n_channel,)
        "data", "background model", each term of the data under its label, and of several
        components of the background each as "background model: NAME".
    """

    edges: np.ndarray
    is_selected: np.ndarray
    counts: dict[str, np.ndarray]


class Description(NamedTuple):
    """What people want to know of a problem; no influence on the fit.

    Attributes
    ----------
    instrument : str
        Kind of instrument.
    spectrum : str
        Reference spectrum in one line.
    energy_range_keV : tuple of float
        Lowest and highest selected measured energy [keV].
    flux_range_keV : tuple of float or None
        Energies in which photon fluxes are told [keV]; None for the selected measured ones.
    background_scale : float
        Factor applied to the background; 1 where components have their own.
    background_scale_from : str
        Where that factor comes from.
    n_bins : int
        Bins in the likelihood, with and without counts.
    n_masked_bins, n_masked_counts : int, float
        Bins left out because they have no background, and the counts in them.
    time_span : tuple of float or None
        Start and end of the observation [UNIX s]; None where it is not known.
    response_pixel_deg : float
        Side of the pixels between which the response is interpolated [deg]; 0 for none.
    sharpness_deg : float
        Radius of 68 % of the point spread function of an imaging instrument, or the side of its
        pixels where that is larger [deg]; 0 for others.
    shape : str
        Shape of the source in one line.
    datasets : dict of str to dict
        The data sets of a joint problem by name, each with its counts and what is said above of
        the whole; empty for one data set.
    templates : dict of str to str
        Spectra of which each pixel takes the best, by name; empty for one spectrum.
    backgrounds : dict of str to dict
        Components of the background by name, each with its expected "counts", its "scale" and
        where that comes from, "scale_from"; empty for a background without named components.
    """

    instrument: str
    spectrum: str
    energy_range_keV: tuple[float, float]
    background_scale: float = 1.0
    background_scale_from: str = "configuration"
    n_bins: int = 0
    n_masked_bins: int = 0
    n_masked_counts: float = 0.0
    time_span: tuple[float, float] | None = None
    response_pixel_deg: float = 0.0
    sharpness_deg: float = 0.0
    shape: str = "point"
    flux_range_keV: tuple[float, float] | None = None
    datasets: Mapping[str, Mapping[str, Any]] = {}
    templates: Mapping[str, str] = {}
    backgrounds: Mapping[str, Mapping[str, Any]] = {}


@dataclass(frozen=True)
class FitProblem:
    """Hit bins with counts and background, and the expected counts for any direction.

    Attributes
    ----------
    counts : ndarray of float64, shape (n_hit,)
        Observed counts, all above zero.
    background : ndarray of float64, shape (n_hit,)
        Expected background counts, all above zero: the sum of all components, and of what else is
        taken for known.
    expectation : Expectation
        Expected counts for unit flux in the hit bins, and their total over all bins.
    frame : {"galactic", "icrs"}
        Frame of the directions handed to `expectation`.
    photon_flux : float
        Integral of the reference spectrum over the energies in which photon fluxes are told, the
        selected ones unless others are asked for [ph cm-2 s-1].
    description : Description
        Numbers and texts for people.
    counts_spectra : dict of str to CountsSpectrum
        Counts per measured energy, by the name of the data set, which is "" if there is only one.
    background_total : float or None
        Expected background counts in all bins, with and without counts; None where not known.
    identity : str
        Digest of everything that influences the fit; "" before the problem was written.
    known_bands : Bands or None
        Bands of measured energy, and the band of each hit bin, where they are known; see `bands`.
    known_backgrounds : tuple of BackgroundComponent
        Components of the background, where they are known; see `backgrounds`.

    Raises
    ------
    ValueError
        If bands or components are of other bins.
    """

    counts: np.ndarray
    background: np.ndarray
    expectation: Expectation
    frame: str
    photon_flux: float
    description: Description
    counts_spectra: Mapping[str, CountsSpectrum] = field(default_factory=dict)
    background_total: float | None = None
    identity: str = field(default="")
    known_bands: Bands | None = None
    known_backgrounds: tuple[BackgroundComponent, ...] = ()

    def __post_init__(self):
        n_hit, bands = len(self.background), self.known_bands
        if bands is not None and len(bands.of_hit) != n_hit:
            raise ValueError(f"bands: of {len(bands.of_hit)} hit bins; there are {n_hit}.")
        if self.known_backgrounds:
            check_components(self.known_backgrounds, n_hit, self.bands.n_band)

    @cached_property
    def bands(self) -> Bands:
        """Bands of measured energy, and the band of each hit bin; one of all, if none are known."""
        if self.known_bands is not None:
            return self.known_bands
        about = self.description
        is_known = about.flux_range_keV in (None, about.energy_range_keV)
        photon_flux = self.photon_flux if is_known else np.nan
        return one_band(about.energy_range_keV, photon_flux, len(self.background))

    @cached_property
    def backgrounds(self) -> tuple[BackgroundComponent, ...]:
        """Components of the background; one without a name, if none are known."""
        if self.known_backgrounds:
            return self.known_backgrounds
        totals = np.full(self.bands.n_band, np.nan)
        if self.bands.n_band == 1 and self.background_total is not None:
            totals[0] = self.background_total
        factor = self.description.background_scale
        return (BackgroundComponent("", "", 0, self.background, totals, factor),)

    def band_totals(self, directions: np.ndarray) -> np.ndarray:
        """Expected counts for unit flux over all bins of each band, with and without counts.

        Parameters
        ----------
        directions : ndarray of float64, shape (n, 3)
            Unit vectors in the frame of the problem.

        Returns
        -------
        ndarray of float64, shape (n, n_band)
            Their sum over the bands is the total of the expectation's block.
        """
        return self.bands.sum_totals(self.expectation.band_totals(directions))

    def select_bins(self, bins: np.ndarray) -> "FitProblem":
        """The same with some of the hit bins; totals stay those of all bins.

        Parameters
        ----------
        bins : ndarray of int64, shape (n,)
            Numbers of the hit bins to keep, ascending.
        """
        bands = self.known_bands
        return replace(
            self,
            counts=self.counts[bins],
            background=self.background[bins],
            expectation=self.expectation.select_bins(bins),
            known_bands=None if bands is None else bands.select_bins(bins),
            known_backgrounds=tuple(one.select_bins(bins) for one in self.known_backgrounds),
        )
