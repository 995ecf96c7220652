"""One problem of several data sets: their bins, bands and backgrounds side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from skyquilt.problem.backgrounds import BackgroundComponent
from skyquilt.problem.bands import Bands, join_bands
from skyquilt.problem.joint import Joint, Part
from skyquilt.problem.problem import Description, FitProblem


def join(problems: Mapping[str, FitProblem], photon_flux: float) -> FitProblem:
    """Make one problem of several that share their spectrum.

    Parameters
    ----------
    problems : dict of str to FitProblem
        The problems by the name of their data set; each has one counts spectrum or none.
    photon_flux : float
        Integral of the spectrum from the lowest to the highest energy of all [ph cm-2 s-1].

    Returns
    -------
    FitProblem
        Bins of all problems, in their order; the frame is that of the first.
    """
    first = next(iter(problems.values()))
    parts = tuple(Part(problem.expectation, problem.frame) for problem in problems.values())
    spectra = {
        name: spectrum
        for name, problem in problems.items()
        for spectrum in problem.counts_spectra.values()
    }
    return FitProblem(
        counts=np.concatenate([problem.counts for problem in problems.values()]),
        background=np.concatenate([problem.background for problem in problems.values()]),
        expectation=Joint(parts, first.frame),
        frame=first.frame,
        photon_flux=photon_flux,
        description=_description(problems),
        counts_spectra=spectra,
        background_total=_background_total(problems),
        known_bands=_bands(problems),
        known_backgrounds=_components(problems),
    )


def _bands(problems: Mapping[str, FitProblem]) -> Bands | None:
    """Bands of all data sets, if all know theirs."""
    known = [(name, problem.known_bands) for name, problem in problems.items()]
    bands = [(name, one) for name, one in known if one is not None]
    return join_bands(bands) if len(bands) == len(known) else None


def _components(problems: Mapping[str, FitProblem]) -> tuple[BackgroundComponent, ...]:
    """Components of the background of all data sets, if all know their bands."""
    if any(problem.known_bands is None for problem in problems.values()):
        return ()
    n_band = sum(problem.bands.n_band for problem in problems.values())
    components, first_bin, first_band = [], 0, 0
    for name, problem in problems.items():
        bands = slice(first_band, first_band + problem.bands.n_band)
        components += [one.beside(name, first_bin, bands, n_band) for one in problem.backgrounds]
        first_bin, first_band = first_bin + len(problem.background), bands.stop
    return tuple(components)


def _background_total(problems: Mapping[str, FitProblem]) -> float | None:
    """Expected background in all bins of all data sets, if all know theirs."""
    totals = [problem.background_total for problem in problems.values()]
    known = [total for total in totals if total is not None]
    return sum(known) if len(known) == len(totals) else None


def energy_range(problems: Mapping[str, FitProblem]) -> tuple[float, float]:
    """Lowest and highest measured energy of several problems [keV]."""
    ranges = [problem.description.energy_range_keV for problem in problems.values()]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _description(problems: Mapping[str, FitProblem]) -> Description:
    each = [problem.description for problem in problems.values()]
    return Description(
        instrument=", ".join(dict.fromkeys(one.instrument for one in each)),
        spectrum=each[0].spectrum,
        energy_range_keV=energy_range(problems),
        background_scale_from="each data set has its own",
        n_bins=sum(one.n_bins for one in each),
        n_masked_bins=sum(one.n_masked_bins for one in each),
        n_masked_counts=sum(one.n_masked_counts for one in each),
        time_span=_time_span(each),
        response_pixel_deg=max(one.response_pixel_deg for one in each),
        sharpness_deg=min((one.sharpness_deg for one in each if one.sharpness_deg), default=0.0),
        shape=each[0].shape,
        datasets={name: _dataset(problem) for name, problem in problems.items()},
    )


def _time_span(each: list[Description]) -> tuple[float, float] | None:
    """Earliest start and latest end of the data sets that know their times."""
    spans = [one.time_span for one in each if one.time_span is not None]
    return (min(start for start, _ in spans), max(end for _, end in spans)) if spans else None


def _dataset(problem: FitProblem) -> dict[str, Any]:
    """What people want to know of one data set."""
    about = problem.description._asdict()
    for shared in ("spectrum", "datasets"):
        del about[shared]
    counts = {"counts": float(problem.counts.sum()), "background": problem.background_total}
    return counts | about
