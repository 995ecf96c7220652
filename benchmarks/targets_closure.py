"""Errors and limits of targets on simulated skies: tables of docs/targets.md.

    python benchmarks/targets_closure.py

A target of some expected counts, in pixels of half the width of the point spread, over a background
of one count per pixel that is known to 20 %; alone, or one width beside a source 50 times brighter
whose flux is free, too. Each sky has a background of another factor, as the error says.
"""

import numpy as np

from skyquilt.likelihood.concave import Counts
from skyquilt.likelihood.source_profile import ScanOptions, fit_source

N_SKIES, ERROR, WIDTH = 1000, 0.2, 2.0  # skies; of the factor; of the point spread [pixel]
SIDE = np.arange(-12, 13.0)


def spread(x, y=0.0):
    """Fractions of the photons of a source in each pixel."""
    east, north = np.meshgrid(SIDE, SIDE)
    shape = np.exp(-((east - x) ** 2 + (north - y) ** 2) / (2 * WIDTH**2))
    return (shape / shape.sum()).ravel()


def run(n_counts, beside, rng):
    """Fits of one scene: flux, errors and limits over the true flux; TS without a target."""
    columns = [spread(0.0)] + [spread(beside)] * (beside > 0) + [np.ones(SIDE.size**2)]
    columns = np.array(columns)
    true = np.array([n_counts] + [50.0 * max(n_counts, 10)] * (beside > 0) + [1.0])
    weight = np.zeros(len(true))
    weight[-1] = 1 / ERROR**2
    rows = []
    for _ in range(N_SKIES):
        truth = true.copy()
        truth[-1] = max(1 + ERROR * rng.standard_normal(), 0.05)
        observed = rng.poisson(truth @ columns).astype(float)
        hit = observed > 0
        counts = Counts(
            *(observed[hit], np.zeros(hit.sum()), columns[:, hit], columns.sum(axis=1)),
            *(np.ones(len(true)), weight),
        )
        fit = fit_source(counts, np.append(true[1:-1], 1.0), ScanOptions())
        low, high = fit.flux - fit.flux_err_lo, fit.flux + fit.flux_err_hi
        rows.append(
            (
                fit.flux,
                low <= n_counts <= high,
                fit.flux_ul >= n_counts,
                fit.flux_ul_profile >= n_counts,
                fit.ts,
            )
        )
    return np.array(rows, float).T


def binomial(fraction):
    return np.sqrt(max(fraction * (1 - fraction), 1 / N_SKIES) / N_SKIES)


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    print("| target | mean flux / true | in 68 % errors | below limit | below profile limit |")
    print("|---|---|---|---|---|")
    for name, beside in (("alone", 0.0), ("beside a bright source", WIDTH)):
        for n_counts in (3, 10, 30):
            flux, *inside, _ = run(n_counts, beside, rng)
            cells = [f"{flux.mean() / n_counts:.3f} +- {flux.std() / n_counts / N_SKIES**0.5:.3f}"]
            cells += [f"{one.mean():.3f} +- {binomial(one.mean()):.3f}" for one in inside]
            print(f"| {n_counts} counts, {name} | {' | '.join(cells)} |")
    ts = run(0, 0.0, rng)[-1]
    print("\n| TS of skies without a target above | fraction | half chi2 |\n|---|---|---|")
    for least, half in ((1, 0.1587), (2.71, 0.0499), (4, 0.0228), (9, 0.00135)):
        above = np.mean(ts > least)
        print(f"| {least} | {above:.4f} +- {binomial(above):.4f} | {half:.4f} |")
