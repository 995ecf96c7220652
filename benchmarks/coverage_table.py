"""Bias, null distribution and coverage of the fit, as Markdown tables.

    python benchmarks/coverage_table.py --simulations 2000

Errors are one standard error of as many simulations. The telescope is `skyquilt.testing.toy`.
"""

import argparse

import numpy as np
from scipy.stats import chi2, kstest

from skyquilt.maps.containment import containment_threshold
from skyquilt.testing.toy import Telescope, binomial_error, fit_many, localise_many

LEVELS = (0.5, 0.68, 0.9, 0.95)
PULL_FLUXES = (0.2, 0.5, 2.0)
LIMIT_FLUXES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 2.0)
LIMIT_LEVELS = (0.9, 0.95)
# background counts, and whether a factor on them is fitted
LIMIT_BACKGROUNDS = ((400.0, False), (400.0, True), (10.0, False))
# flux and background of the bursts, nside and radius [deg] of their maps: smaller pixels and
# radii for brighter bursts
BURSTS = (
    (0.1, 400.0, 16, 60.0),
    (0.2, 400.0, 16, 60.0),
    (0.2, 400.0, 32, 60.0),
    (0.63, 4000.0, 16, 60.0),
    (0.3, 400.0, 32, 40.0),
    (1.0, 400.0, 64, 12.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print_pulls(options.simulations, options.seed)
    print_null(options.simulations, options.seed)
    print_limits(options.simulations, options.seed)
    print_coverage(options.simulations, options.seed)


def print_pulls(n_trials: int, seed: int) -> None:
    telescope = Telescope()
    direction = telescope.random_direction(np.random.default_rng(seed))
    mean_err, width_err = n_trials**-0.5, (2 * n_trials) ** -0.5
    print("| flux | median TS | mean flux / true | pull mean | pull width |\n|---|---|---|---|---|")
    for flux in PULL_FLUXES:
        fit = fit_many(telescope, direction, flux, n_trials, seed, allow_negative=True)
        pull = (fit.flux - flux) / fit.flux_err
        ratio, ratio_err = fit.flux.mean() / flux, fit.flux.std() / flux * mean_err
        print(
            f"| {flux} | {np.median(fit.ts):.0f} | {ratio:.4f} ± {ratio_err:.4f} "
            f"| {pull.mean():.3f} ± {mean_err:.3f} | {pull.std():.3f} ± {width_err:.3f} |",
            flush=True,
        )


def print_null(n_trials: int, seed: int) -> None:
    telescope = Telescope()
    direction = telescope.random_direction(np.random.default_rng(seed))
    ts = fit_many(telescope, direction, 0.0, n_trials, seed).ts
    p_value = kstest(ts[ts > 0], chi2(1).cdf).pvalue
    print("\n| no source: fraction with TS = 0 | KS p of the others against chi2_1 |\n|---|---|")
    print(f"| {np.mean(ts == 0):.3f} ± {binomial_error(0.5, n_trials):.3f} | {p_value:.3f} |")


def print_limits(n_trials: int, seed: int) -> None:
    header = ["background", "flux", "median TS", "within errors"]
    header += [f"below limit of {level:.0%}" for level in LIMIT_LEVELS]
    print(f"\n| {' | '.join(header)} |\n{'|---' * len(header)}|")
    for background, is_free in LIMIT_BACKGROUNDS:
        telescope = Telescope(background_counts=background)
        direction = telescope.random_direction(np.random.default_rng(seed))
        for flux in LIMIT_FLUXES:
            covered = limit_coverage(telescope, direction, flux, n_trials, seed, is_free)
            name = f"{background:.0f}, {'free' if is_free else 'fixed'}"
            cells = [name, f"{flux}", f"{covered.pop('ts'):.1f}"]
            for fraction in covered.values():
                cells.append(f"{fraction:.3f} ± {binomial_error(fraction, n_trials):.3f}")
            print(f"| {' | '.join(cells)} |", flush=True)


def limit_coverage(
    telescope: Telescope,
    direction: np.ndarray,
    flux: float,
    n_trials: int,
    seed: int,
    is_free: bool,
    levels: tuple[float, ...] = LIMIT_LEVELS,
) -> dict[str, float]:
    """Fractions of trials in which the true flux is within the errors, and below the limits."""
    options = {"free_background": is_free}
    fits = {
        level: fit_many(
            telescope, direction, flux, n_trials, seed, confidence_level=level, **options
        )
        for level in levels
    }
    fit = fits[levels[0]]
    is_within = (fit.flux - fit.flux_err_lo <= flux) & (flux <= fit.flux + fit.flux_err_hi)
    found = {"ts": float(np.median(fit.ts)), "errors": float(is_within.mean())}
    return found | {f"{level}": float((flux <= fit.flux_ul).mean()) for level, fit in fits.items()}


def print_coverage(n_trials: int, seed: int) -> None:
    """Coverage of containment regions, then of credible regions for a flat prior."""
    credible = []
    header = ["flux", "background", "nside", "median TS", "mean drop / 2"]
    header += [f"coverage of {level:.0%}" for level in LEVELS]
    header += ["90% by TS at truth", "pixels in 90%"]
    print(f"\n| {' | '.join(header)} |\n{'|---' * len(header)}|")
    for flux, background, nside, radius in BURSTS:
        telescope = Telescope(background_counts=background)
        bursts = localise_many(
            telescope, flux, n_trials, seed, nside=nside, radius=radius, levels=LEVELS
        )
        cells = [f"{flux}", f"{background:.0f}", f"{nside}", f"{np.median(bursts.ts_max):.0f}"]
        half = bursts.drop / 2
        cells.append(f"{half.mean():.3f} ± {half.std() * n_trials**-0.5:.3f}")
        is_near = bursts.drop <= containment_threshold(0.9)
        for fraction in (*bursts.is_covered.mean(axis=0), is_near.mean()):
            cells.append(f"{fraction:.3f} ± {binomial_error(fraction, n_trials):.3f}")
        cells.append(f"{np.median(bursts.n_pixels[:, LEVELS.index(0.9)]):.0f}")
        print(f"| {' | '.join(cells)} |", flush=True)
        ratio = bursts.n_credible[:, LEVELS.index(0.9)] / bursts.n_pixels[:, LEVELS.index(0.9)]
        covered = [
            f"{fraction:.3f} ± {binomial_error(fraction, n_trials):.3f}"
            for fraction in bursts.is_credible.mean(axis=0)
        ]
        credible.append([*cells[:4], *covered, f"{np.median(ratio):.2f}"])
    header = ["flux", "background", "nside", "median TS"]
    header += [f"credible {level:.0%}" for level in LEVELS]
    header += ["area of 90% / containment"]
    print(f"\n| {' | '.join(header)} |\n{'|---' * len(header)}|")
    for cells in credible:
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
