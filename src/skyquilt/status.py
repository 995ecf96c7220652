"""How the fit of a pixel ended: values of the `status` map.

A pixel whose status is GOOD or AT_BOUND has a valid result; in all others the result is NaN.
"""

GOOD = 0
"""The best flux was found."""
AT_BOUND = 1
"""Under-fluctuation: the best flux is the least that is allowed: 0, where TS is 0, or, where fluxes
below zero are fitted, the one at which a bin expects nothing."""
NO_EXPOSURE = 2
"""A source in this direction gives no counts (less than 1e-8 of the most in any direction), or the
files do not say how many: it lies outside their exposure, or where that has no value. What is not
known is never taken as 0."""
OCCULTED = 3
"""Below the Earth's horizon for the whole observation."""
NOT_CONVERGED = 4
"""The iteration limit was reached."""
NOT_FINITE = 5
"""The expected counts are not finite, or below zero."""
NO_HITS = 6
"""Of a band of a target: no counts around it; the best flux is 0, and the limit exact."""

STATUS_NAMES = {
    GOOD: "good",
    AT_BOUND: "at_bound",
    NO_EXPOSURE: "no_exposure",
    OCCULTED: "occulted",
    NOT_CONVERGED: "not_converged",
    NOT_FINITE: "not_finite",
}
"""Names for logs and summaries."""

TARGET_STATUS_NAMES = STATUS_NAMES | {NO_HITS: "no_hits"}
"""Names of bands of targets."""
