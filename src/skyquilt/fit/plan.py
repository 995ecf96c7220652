"""Plan of a map: which pixels, cut into which chunks."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from skyquilt import RESULTS_VERSION
from skyquilt.errors import ConfigError, ProductError
from skyquilt.fit.pixels import fitted_columns
from skyquilt.io.digest import settings_digest
from skyquilt.io.schema import Schema
from skyquilt.likelihood.options import DEFAULT, FluxOptions
from skyquilt.problem.problem import FitProblem
from skyquilt.problem.templates import split_templates
from skyquilt.sky.chunks import (
    check_n_chunks,
    choose_n_chunks,
    chunk_files,
    chunk_range,
    intersect,
    occupied_chunks,
)
from skyquilt.sky.frames import rotate, rotation
from skyquilt.sky.healpix import nest_to_vec
from skyquilt.sky.pixels import nside_to_npix
from skyquilt.sky.regions import full_sky, ipix_from_ranges

logger = logging.getLogger(__name__)

# 1.0  first version
# 1.1  with seconds_per_pixel, confidence_level, free_background, n_templates
SCHEMA = Schema("skyquilt/plan", "1.1", "skyquilt plan")


@dataclass(frozen=True, eq=False)
class Plan:
    """Target pixels of a map and how they are cut.

    Attributes
    ----------
    problem_identity : str
        Identity of the problem that is fitted.
    nside : int
        Resolution of the map.
    ordering : {"nested", "ring"}
        Ordering of the written map; everything before it is nested.
    frame : {"galactic", "icrs"}
        Frame of the map.
    ranges : ndarray of int64, shape (n, 2)
        Nested pixel ranges [start, stop) of the target region, ascending.
    n_chunks : int
        Number of chunks of the whole sky; those without target pixels are not fitted.
    options : FluxOptions
        What is fitted in each pixel.
    n_templates : int
        Spectra of which each pixel takes the best.
    seconds_per_pixel : float
        Estimated time to fit a pixel on one core [s].
    """

    problem_identity: str
    nside: int
    ordering: str
    frame: str
    ranges: np.ndarray
    n_chunks: int
    options: FluxOptions = DEFAULT
    n_templates: int = 1
    seconds_per_pixel: float = 0.0

    @property
    def columns(self) -> list[str]:
        """Fields of `FluxFit` that chunks have."""
        return fitted_columns(self.options, self.n_templates)

    @property
    def chunks(self) -> list[int]:
        """Numbers of the chunks that hold target pixels."""
        return occupied_chunks(self.ranges, self.n_chunks, self.nside).tolist()

    @property
    def n_pixels(self) -> int:
        """Number of target pixels."""
        return int(np.sum(self.ranges[:, 1] - self.ranges[:, 0]))

    @cached_property
    def identity(self) -> str:
        """Digest of everything that the chunks depend on: neither ordering nor estimated time."""
        settings = self._settings()
        del settings["ordering"], settings["seconds_per_pixel"]
        return settings_digest(settings | {"results_version": RESULTS_VERSION})

    def chunk_ipix(self, index: int) -> np.ndarray:
        """Target pixels of a chunk, nested, ascending.

        Raises
        ------
        ValueError
            If there is no such chunk.
        """
        start, stop = chunk_range(index, self.n_chunks, self.nside)
        return ipix_from_ranges(intersect(self.ranges, start, stop))

    def chunk_files(self, folder: str | Path) -> dict[int, Path]:
        """Files of the chunks that hold target pixels, by their numbers; there or not."""
        return chunk_files(folder, self.n_chunks, self.chunks)

    def to_content(self) -> dict[str, Any]:
        """The plan as content of a JSON file."""
        return self._settings() | {"chunks": self.chunks}

    @classmethod
    def from_content(cls, content: Mapping[str, Any], source: str = "plan") -> "Plan":
        """Plan of the content of a JSON file.

        Parameters
        ----------
        content : dict
            What `to_content` gave.
        source : str
            File it came from, named in error messages.

        Raises
        ------
        ProductError
            If a key is missing, or its pixels or chunks are not possible.
        """
        try:
            plan = cls._from_settings(content)
            check_n_chunks(plan.n_chunks, plan.nside)
        except (KeyError, TypeError, ValueError) as error:
            raise ProductError(
                f"{source}: not a possible plan ({error}); {SCHEMA.again}."
            ) from error
        return plan

    def _settings(self) -> dict[str, Any]:
        """All fields; the options stand beside the others."""
        settings = asdict(self) | {"ranges": self.ranges.tolist()}
        return settings | settings.pop("options")

    @classmethod
    def _from_settings(cls, settings: Mapping[str, Any]) -> "Plan":
        """The same way back; other keys are left."""
        options = FluxOptions(**{field.name: settings[field.name] for field in fields(FluxOptions)})
        names = {field.name for field in fields(cls)} - {"options", "ranges"}
        ranges = _as_ranges(settings["ranges"], settings["nside"])
        return cls(ranges=ranges, options=options, **{name: settings[name] for name in names})


def make_plan(
    problem: FitProblem,
    *,
    nside: int,
    ordering: str,
    frame: str,
    ranges: np.ndarray,
    chunks: int | Literal["auto"] = "auto",
    options: FluxOptions = DEFAULT,
) -> Plan:
    """Plan the fit of a problem.

    Parameters
    ----------
    problem : FitProblem
        The problem, with its identity.
    nside, ordering, frame, ranges, options
        See `Plan`.
    chunks : int or "auto"
        Number of chunks of the whole sky; "auto" follows the estimated time, so that none costs
        less than its start-up.

    Returns
    -------
    Plan
        The plan.

    Raises
    ------
    ConfigError
        If the number of chunks does not divide the number of pixels, there are no pixels, or the
        background shall be free and its total is not known.
    """
    if options.free_background and problem.background_total is None:
        raise ConfigError(
            "fit.background: free needs the background's total over all bins, which this kind of "
            "data does not have: use `background: fixed`."
        )
    try:
        ranges = _as_ranges(ranges, nside)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if not ranges.size:
        raise ConfigError("no pixels to fit: the region is empty.")
    seconds = seconds_per_pixel(problem, options, nside=nside, frame=frame, ranges=ranges)
    if chunks == "auto":
        chunks = choose_n_chunks(seconds, ranges, nside)
    try:
        check_n_chunks(chunks, nside)
    except ValueError as error:
        raise ConfigError(f"fit.chunks: {error}") from error
    plan = Plan(
        *(problem.identity, nside, ordering, frame, ranges, chunks),
        *(options, len(split_templates(problem)), seconds),
    )
    logger.info(
        "%d pixels in %d %s, about %g s on one core",
        plan.n_pixels,
        len(plan.chunks),
        "chunk" if len(plan.chunks) == 1 else "chunks",
        float(f"{seconds * plan.n_pixels:.2g}"),
    )
    return plan


def empty_plan(problem: FitProblem) -> Plan:
    """Plan without pixels and chunks: nothing is left to fit."""
    nothing = np.empty((0, 2), np.int64)
    return Plan(problem.identity, 1, "nested", "icrs", nothing, 1)


def seconds_per_pixel(
    problem: FitProblem,
    options: FluxOptions = DEFAULT,
    *,
    nside: int = 64,
    frame: str | None = None,
    ranges: np.ndarray | None = None,
) -> float:
    """Estimated time to fit one pixel on one core [s], good to a factor of 2.

    Parameters
    ----------
    problem : FitProblem
        The problem.
    options : FluxOptions
        What is fitted.
    nside : int
        Resolution of the map.
    frame : {"galactic", "icrs"}, optional
        Frame of the map; that of the problem when left out.
    ranges : ndarray of int64, shape (n, 2), optional
        Nested pixel ranges of the map; the whole sky when left out.
    """
    # workers of a fit read plans and estimate nothing
    from skyquilt.fit.cost import N_SAMPLE, seconds_per_direction

    pixels = _sample(full_sky(nside) if ranges is None else ranges, N_SAMPLE)
    directions = nest_to_vec(nside, pixels)
    if frame is not None:
        directions = rotate(rotation(frame, problem.frame), directions)
    return seconds_per_direction(problem, directions, nside, options)


def _sample(ranges: np.ndarray, n_sample: int) -> np.ndarray:
    """Some pixels, spread evenly."""
    stop = np.cumsum(ranges[:, 1] - ranges[:, 0])
    number = np.unique(((np.arange(n_sample) + 0.5) / n_sample * stop[-1]).astype(np.int64))
    own = np.searchsorted(stop, number, side="right")
    return number - np.append(0, stop)[own] + ranges[own, 0]


def _as_ranges(ranges: Any, nside: int) -> np.ndarray:
    ranges = np.array(ranges, dtype=np.int64)
    if not ranges.size:
        return ranges.reshape(0, 2)
    if ranges.ndim != 2 or ranges.shape[1] != 2:
        raise ValueError(f"ranges of shape {ranges.shape}: allowed is (n, 2).")
    edges = ranges.ravel()
    if edges[0] < 0 or edges[-1] > nside_to_npix(nside) or np.any(np.diff(edges) <= 0):
        raise ValueError(
            f"ranges: allowed are ascending, separate [start, stop) within 0 to "
            f"{nside_to_npix(nside)} at nside {nside}."
        )
    return ranges
