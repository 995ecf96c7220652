"""Numbers of simulated skies: global p-value, flux, detection, localisation."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.stats import binom, binomtest

from skyquilt.calibration.skies import DataFit, InjectedSkies, NullSkies
from skyquilt.calibration.trials import TailFit, fit_tail, has_tail
from skyquilt.maps.containment import containment_threshold

_COUNTED = 10  # skies above the observed TS from which on they are counted, not extrapolated
_TESTED = 0.9  # quantile up to which maxima are used to test the extrapolation
_TAIL = 0.99  # quantile beyond which it is tested
_P_VALUES = (0.05, 2.7e-3, 6.3e-5, 5.7e-7)  # 5 %, and 3, 4 and 5 standard deviations, two-sided
_MIN_DETECTED = 10  # below it, neither pulls nor regions of a flux are given
_CURVE_POINTS = 60
_NO_TAIL = dict.fromkeys(
    ("extrapolated_p_value", "extrapolated_p_value_68", "ts_thresholds", "tail_test", "curve")
)


def summarise_null(skies: NullSkies, data: DataFit, seed: int) -> dict[str, Any]:
    """Largest TS without a source, and how rare the observed one is.

    Parameters
    ----------
    skies : NullSkies
        Simulated skies of background alone.
    data : DataFit
        The observed sky on the same grid.
    seed : int
        Seed of the resampling.

    Returns
    -------
    dict
        `p_value` is counted where enough skies lie above, else extrapolated (`p_value_from`);
        `tail_test` compares the extrapolation with the skies beyond those it was fitted to. Where
        half of the skies have no TS above 0, as of data with hardly any counts, there is nothing
        to extrapolate: `p_value` is counted, or the limit of 95 % where no sky lies above.
    """
    n = skies.ts_max.size
    n_above = int(np.sum(skies.ts_max >= data.ts_max))
    limits = binomtest(n_above, n).proportion_ci(0.95)
    tail = _summarise_tail(skies, data, seed) if has_tail(skies.ts_max) else _NO_TAIL
    is_counted = n_above >= _COUNTED or (tail is _NO_TAIL and n_above > 0)
    p_value, source = tail["extrapolated_p_value"], "extrapolation"
    if is_counted:
        p_value, source = n_above / n, "skies"
    elif tail is _NO_TAIL:
        p_value, source = float(limits.high), "limit"
    return {
        "n_skies": n,
        "ts_max_quantiles": {
            f"{level:g}": float(np.quantile(skies.ts_max, level)) for level in (0.5, 0.9, 0.99)
        },
        "observed_ts_max": data.ts_max,
        "n_above": n_above,
        "counted_p_value": n_above / n,
        "counted_p_value_err": _binomial_err(n_above / n, n),
        "counted_p_value_95": [float(limits.low), float(limits.high)],
        "p_value": p_value,
        "p_value_from": source,
        **tail,
    }


def _summarise_tail(skies: NullSkies, data: DataFit, seed: int) -> dict[str, Any]:
    """What the extrapolation of the largest TS says; the keys of `_NO_TAIL`."""
    tail = fit_tail(skies.ts_max, seed)
    return {
        "extrapolated_p_value": float(tail.model.probability(data.ts_max)),
        "extrapolated_p_value_68": tail.interval(data.ts_max).tolist(),
        "ts_thresholds": {f"{p:g}": tail.model.threshold(p) for p in _P_VALUES},
        "tail_test": _test_tail(skies.ts_max, seed),
        "curve": _tail_curve(tail, skies.ts_max, data.ts_max),
    }


def summarise_injected(
    skies: InjectedSkies, detection_ts: float, levels: Iterable[float]
) -> dict[str, Any]:
    """Flux, detection and localisation of injected sources, per flux and of all together.

    Parameters
    ----------
    skies : InjectedSkies
        Simulated skies with a source.
    detection_ts : float
        TS from which on a source is detected.
    levels : iterable of float
        Containment levels.

    Returns
    -------
    dict
        Errors are binomial or standard ones. Offsets and regions are those of detected sources.
    """
    fluxes = np.unique(skies.flux)
    parts = {flux: skies.flux == flux for flux in fluxes}
    levels = tuple(levels)
    return {
        "detection_ts": detection_ts,
        "by_flux": [
            {"flux": float(flux)} | _summarise(skies, is_in, detection_ts, levels)
            for flux, is_in in parts.items()
        ],
        "all": _summarise(skies, np.ones(skies.flux.size, dtype=bool), detection_ts, levels),
    }


def _summarise(
    skies: InjectedSkies, is_in: np.ndarray, detection_ts: float, levels: tuple[float, ...]
) -> dict[str, Any]:
    skies = InjectedSkies(*(values[is_in] for values in skies))
    n = skies.flux.size
    is_detected = skies.ts_max >= detection_ts
    n_detected, efficiency = int(is_detected.sum()), float(is_detected.mean())
    pull = (skies.flux_truth - skies.flux) / skies.flux_err_truth
    pull = pull[np.isfinite(pull)]
    ratio = skies.flux_truth / skies.flux
    summary: dict[str, Any] = {
        "n_skies": n,
        "median_ts": float(np.median(skies.ts_max)),
        "n_detected": n_detected,
        "efficiency": efficiency,
        "efficiency_err": _binomial_err(efficiency, n),
        "flux_ratio": float(np.nanmean(ratio)),
        "flux_ratio_err": float(np.nanstd(ratio) / np.sqrt(n)),
        "pull_mean": float(pull.mean()),
        "pull_mean_err": float(pull.std() / np.sqrt(pull.size)),
        "pull_width": float(pull.std()),
        "pull_width_err": float(pull.std() / np.sqrt(2 * pull.size)),
        "offset_deg": None,
        "regions": [],
    }
    if n_detected >= _MIN_DETECTED:
        offset, drop = (
            values[is_detected] for values in (skies.offset, skies.ts_max - skies.ts_truth)
        )
        summary["offset_deg"] = {
            f"{level:g}": float(np.quantile(offset, level)) for level in (0.5, 0.68, 0.9)
        }
        summary["regions"] = [_region(drop, level) for level in levels]
    return summary


def _region(drop: np.ndarray, level: float) -> dict[str, Any]:
    """Coverage of a region of nominal drop, and the drop that has the asked coverage."""
    nominal, n = containment_threshold(level), drop.size
    coverage = float(np.mean(drop <= nominal))
    low, high = binom.ppf([0.16, 0.84], n, level).astype(int)
    ordered = np.sort(drop)
    return {
        "level": level,
        "threshold": nominal,
        "coverage": coverage,
        "coverage_err": _binomial_err(coverage, n),
        "corrected_threshold": float(np.quantile(drop, level)),
        "corrected_threshold_68": [float(ordered[min(index, n - 1)]) for index in (low, high)],
    }


def _test_tail(ts_max: np.ndarray, seed: int) -> dict[str, Any]:
    """Predict how many maxima lie beyond a quantile from those far below it."""
    threshold = float(np.quantile(ts_max, _TAIL))
    tail = fit_tail(ts_max, seed, highest=_TESTED)
    observed = int(np.sum(ts_max > threshold))
    predicted = float(tail.model.probability(threshold))
    low, high = tail.interval(threshold) * ts_max.size
    return {
        "ts": threshold,
        "n_observed": observed,
        "n_predicted": predicted * ts_max.size,
        "n_predicted_68": [float(low), float(high)],
        "p_value": float(binomtest(observed, ts_max.size, predicted).pvalue),
    }


def _tail_curve(tail: TailFit, ts_max: np.ndarray, observed: float) -> dict[str, list]:
    """Extrapolation for plots, from the median to beyond what was observed, where that is near."""
    highest = 1.15 * max(ts_max.max(), min(observed, 2 * ts_max.max()))
    ts = np.linspace(np.median(ts_max), highest, _CURVE_POINTS)
    return {
        "ts": ts.tolist(),
        "p_value": tail.model.probability(ts).tolist(),
        "p_value_68": tail.interval(ts).tolist(),
    }


def _binomial_err(fraction: float, n: int) -> float:
    return float(np.sqrt(fraction * (1 - fraction) / n))
