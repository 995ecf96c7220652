"""What the steps of targets have in common: the section, its rosters, how targets are fitted."""

from typing import Any

import numpy as np

from skyquilt.config import Config, get_analysis
from skyquilt.config.analysis import Analysis
from skyquilt.config.sources import Catalogue
from skyquilt.config.target import Target
from skyquilt.config.targets import TargetOptions
from skyquilt.errors import ConfigError
from skyquilt.likelihood.source_profile import ScanOptions
from skyquilt.problem.circle import Circle, background_totals, bins_inside, has_image, spread_radii
from skyquilt.problem.problem import FitProblem
from skyquilt.sources.catalogue.file import first_table
from skyquilt.sources.catalogue.objects import read_catalogue
from skyquilt.targets.drawn import named_fits
from skyquilt.targets.listing import list_targets
from skyquilt.targets.rosters import YAML, check_roster_file, read_yaml_roster, table_roster
from skyquilt.targets.scene import Around

_WIDE, _LEAST_RADIUS = 3.0, 1.0  # of a region: times the 95 % radius, and [deg]
_NOT_FITTED = {"rosters", "profiles", "aliases", "spectra", "plots", "targets_per_job"}


def options_of(config: Config, name: str) -> tuple[Analysis, TargetOptions]:
    """An analysis and its section `targets`.

    Raises
    ------
    ConfigError
        If there is no such section.
    """
    analysis = get_analysis(config, name)
    if analysis.targets is None:
        raise ConfigError(f"analyses.{name}: has no section `targets`: add one.")
    return analysis, analysis.targets


def fit_settings(analysis: Analysis, options: TargetOptions) -> dict[str, Any]:
    """Settings that numbers of fits depend on."""
    chosen = options.model_dump(mode="json", exclude=_NOT_FITTED)
    return chosen | {"confidence_level": level_of(analysis, options)}


def level_of(analysis: Analysis, options: TargetOptions) -> float:
    """Confidence level of limits."""
    return analysis.fit.confidence_level if options.limits is None else options.limits


def neighbours_of(analysis: Analysis, options: TargetOptions) -> Catalogue | str:
    """Where neighbours come from: a catalogue, "sources" or "none"."""
    if options.neighbours is not None:
        return options.neighbours
    return "none" if analysis.sources is None else "sources"


def describe_rosters(name: str, analysis: Analysis) -> list[str]:
    """Targets of an analysis in one line, and the table of its neighbours; none without them.

    Raises
    ------
    InputError
        If rosters or the table cannot be read, or contradict each other.
    """
    options = analysis.targets
    if options is None:
        return []
    targets = list_targets(options, read_rosters(options))
    if not isinstance(options.plots.castro, int):
        named_fits(options.plots.castro, targets)
    n_target, n_fit = len({one.name for one in targets.fits}), len(targets.fits)
    lines = [f"{name}: {n_target} targets on {len(options.rosters)} rosters, {n_fit} fits"]
    if isinstance(options.neighbours, Catalogue):
        known = read_catalogue(options.neighbours)
        lines.append(f"{name}: {known.name.size} neighbours in {options.neighbours.path}")
    return lines


def read_rosters(options: TargetOptions) -> dict[str, dict[str, Target]]:
    """Targets of all rosters.

    Raises
    ------
    InputError
        If a file of a roster cannot be read, or has a target that is not possible.
    """
    return {name: _read(name, roster) for name, roster in options.rosters.items()}


def _read(name: str, roster: dict[str, Target] | str) -> dict[str, Target]:
    if not isinstance(roster, str):
        return dict(roster)
    check_roster_file(name, roster)
    if roster.endswith(YAML):
        return read_yaml_roster(roster, name)
    return first_table(roster, None, lambda table, _: table_roster(roster, table))


def around_of(analysis: Analysis, options: TargetOptions, problem: FitProblem) -> Around:
    """How each target is fitted.

    Raises
    ------
    ConfigError
        If a factor on a background is free whose counts in a region are not known.
    """
    narrow, wide = spread_radii(problem)
    radius = np.pi
    if has_image(problem.expectation):
        radius = max(_WIDE * wide, np.radians(_LEAST_RADIUS))
        if options.region is not None:
            radius = np.radians(options.region)
    elif options.region is not None:
        raise ConfigError(
            f"targets.region: {options.region:g}: this instrument makes no images, all bins enter: "
            "remove it."
        )
    own = narrow if options.own_radius is None else np.radians(options.own_radius)
    if not np.isfinite(own):
        own = np.radians(max(problem.description.response_pixel_deg, 1.0))
    around = Around(
        radius=float(radius),
        own_radius=float(own),
        free_above=options.free_above,
        errors=tuple(_error(options, one.name) for one in problem.backgrounds),
        scan=ScanOptions(options.scan.points, options.scan.depth, level_of(analysis, options)),
    )
    _check_backgrounds(problem, around)
    return around


def _error(options: TargetOptions, component: str) -> float:
    factor = options.factor_of(component)
    if factor.factor == "fixed":
        return 0.0
    return np.inf if factor.error is None else factor.error


def _check_backgrounds(problem: FitProblem, around: Around) -> None:
    """Refuse a free factor on a background of which the counts in a region are not known."""
    circle = Circle(np.array([0.0, 0.0, 1.0]), around.radius)
    bins = bins_inside(problem.expectation, circle)
    totals = background_totals(problem, bins, circle)
    for one, total, error in zip(problem.backgrounds, totals, around.errors, strict=True):
        if error > 0 and np.any(np.isnan(total)):
            name = one.name or "the background"
            raise ConfigError(
                f"targets.background: the expected counts of {name} in a region are not known, so "
                "its factor cannot be fitted: give `background: {factor: fixed}`, or data in "
                "pixels as `counts`."
            )
