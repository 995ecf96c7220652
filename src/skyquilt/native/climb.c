/* Best flux of a source, see skyquilt/likelihood/poisson.py. Over a known background:
 *
 * With x = e / b, the slope of the log-likelihood ratio at flux f + s is
 *
 *     h(s) - E,   h(s) = sum_i d_i r_i / (1 + s r_i),   r_i = x_i / (1 + f x_i),
 *
 * and h is a Stieltjes function: its moments S_k = sum_i d_i r_i^k, k = 1 to 4, fix the first four
 * levels of a continued fraction that never exceeds h (Baker and Graves-Morris 1996, Pade
 * Approximants, section 5.2). The root of fraction - E is therefore never right of the maximum,
 * and the error of a step is of fourth order, where Newton's is of second.
 */
#include <math.h>

#include "climb.h"

/* A step below it, in standard errors, is the last but one: it leaves at most its fourth power, in
 * practice a hundredth of that. The next sums get the logarithms, which the last step needs. */
#define NEAR 0.5

/* So that rounding leaves no bin below zero. */
#define WITHIN (1 - 1e-15)

/* e / b of a bin without background, whose b stands for 0: no flux below zero is left. */
#define BEYOND 1e90

/* Step to the root of S1 / (1 + a s / (1 + b s / (1 + c s))) = E, or of its first two levels where
 * the bins are too much alike, or too different, for more. */
static double step_of(moments m, double E)
{
    double excess = (m.s1 - E) / E;
    double ratio1 = m.s2 / m.s1, ratio2 = m.s3 / m.s2, ratio3 = m.s4 / m.s3;
    double a = ratio1, b = ratio2 - ratio1, c = ratio2 * (ratio3 - ratio2) / b;
    double square = a * c, linear = a - excess * (b + c);
    double root = sqrt(linear * linear + 4 * square * excess);
    double step = linear > 0 ? 2 * excess / (linear + root) : (root - linear) / (2 * square);
    return b > 0 && c >= 0 && isfinite(step) ? step : excess / a;
}

domain skyquilt_domain(const fit_bins *bins)
{
    double most = bins->most, most_hit = 0;
    for (int64_t i = 0; i < bins->n; i++) {
        double *largest = bins->counts[i] > 0 ? &most_hit : &most;
        if (bins->x[i] > *largest)
            *largest = bins->x[i];
        if (largest == &most)
            bins->x[i] = 0;
    }
    double pole = -1 / most_hit;
    return (domain){most > BEYOND ? 0 : fmax(-WITHIN / most, pole), pole};
}

/* The last step is below `tolerance` standard errors, so that the fourth order of the series in
 * it is all that TS and curvature need. */
static best finish(moments m, double f, double E, double step, int32_t n_iter)
{
    double s = step, curvature = m.s2 - s * (2 * m.s3 - s * 3 * m.s4);
    double more = s * ((m.s1 - E) - s * (m.s2 / 2 - s * (m.s3 / 3 - s * m.s4 / 4)));
    double ts = 2 * ((m.log - f * E) + more);
    uint8_t status = isfinite(curvature) && curvature > 0 ? GOOD : NOT_CONVERGED;
    /* TS at the maximum is not below TS(0) = 0; rounding can be */
    return (best){ts > 0 ? ts : 0, f + step, f + step, 1, curvature, f, m, n_iter, status};
}

/* At a bound f, which the likelihood still ascends to. */
static best stop_at(moments m, double f, double E, int32_t n_iter)
{
    return (best){2 * (m.log - f * E), f, f, 1, m.s2, f, m, n_iter, AT_BOUND};
}

static best climb_fixed(const fit_bins *bins, moments m, double E, domain within,
                        const kernel_options *options)
{
    double f = 0, bound = m.s1 < E ? within.lowest : -INFINITY;
    int has_log = 1; /* of 1 + 0 */
    int32_t max_iter = (int32_t)options->max_iter;
    for (int32_t n_iter = 1; n_iter <= max_iter; n_iter++) {
        double step = m.s2 > 0 ? step_of(m, E) : -INFINITY, size = fabs(step) * sqrt(m.s2);
        if (isnan(step) || (isinf(step) && bound == -INFINITY))
            break;
        if (size < options->tolerance && has_log && f + step >= bound)
            return finish(m, f, E, step, n_iter);
        /* a step from the right can pass the bound, which may be best itself */
        if (f + step <= bound && bound > within.pole) {
            f = bound, bound = -INFINITY, has_log = 1;
            m = skyquilt_moments(bins, f);
            if (m.s1 <= E)
                return stop_at(m, f, E, n_iter);
            continue;
        }
        /* half the way to it stays in the domain */
        f = f + step > bound ? f + step : 0.5 * (f + bound);
        has_log = size < NEAR;
        m = has_log ? skyquilt_moments(bins, f) : skyquilt_powers(bins, f);
    }
    return (best){.status = NOT_CONVERGED, .n_iter = max_iter};
}

/* The same root with (1 + e s) S1 / (1 + ...) = D e, where the background follows the source: the
 * one nearest to s = 0, or infinity if there is none. */
static double free_step(moments m, double D, double e)
{
    double a = m.s2 / m.s1, ratio2 = m.s3 / m.s2, ratio3 = m.s4 / m.s3;
    double b = (ratio2 - a) / a, c = ratio2 * (ratio3 - ratio2) / (b * a * a);
    if (!(b > 0 && c >= 0 && isfinite(c)))
        b = c = 0;
    /* divided by D e, with s in units of 1 / a */
    double ratio = m.s1 / (D * e), unit = e / a;
    double square = ratio * (b + c) * unit - c;
    double linear = ratio * (b + c + unit) - (1 + b + c), excess = ratio - 1;
    double root = sqrt(linear * linear - 4 * square * excess);
    double step = linear < 0 ? 2 * excess / (root - linear) : -(linear + root) / (2 * square);
    return step / a;
}

static best finish_free(const profile *curve, moments m, double p, double s, int32_t n_iter)
{
    double log = m.log + s * (m.s1 - s * (m.s2 / 2 - s * (m.s3 / 3 - s * m.s4 / 4)));
    double s1 = m.s1 - s * (m.s2 - s * (m.s3 - s * m.s4)), s2 = m.s2 - s * (2 * m.s3 - s * 3 * m.s4);
    position top = position_of(curve, p + s, log, s1, s2);
    double ts = 2 * top.llr, curvature = top.curvature;
    uint8_t status = isfinite(curvature) && curvature > 0 ? GOOD : NOT_CONVERGED;
    return (best){ts > 0 ? ts : 0, p + s, top.flux, top.norm, curvature, p, m, n_iter, status};
}

/* Between the fraction t = p E / (B + p E) of all counts that the source is known to have at least
 * and at most, for LLR has one maximum along p. */
static best climb_free(const fit_bins *bins, moments m, const profile *curve,
                       const kernel_options *options)
{
    double p = 0, low = 0, high = 1, e = curve->E / curve->B;
    int32_t max_iter = (int32_t)options->max_iter;
    for (int32_t n_iter = 1; n_iter <= max_iter; n_iter++) {
        position here = position_of(curve, p, m.log, m.s1, m.s2);
        double step = here.on_floor ? step_of(m, curve->E * here.norm)
                                    : free_step(m, curve->D, e / (1 + p * e));
        if (fabs(step) * sqrt(m.s2) < options->tolerance)
            return finish_free(curve, m, p, step, n_iter);
        *(here.slope > 0 ? &low : &high) = p * e / (1 + p * e);
        double next = p + step, fraction = next * e / (1 + next * e);
        if (!(fraction > low && fraction < high)) {
            fraction = 0.5 * (low + high);
            next = fraction / (e * (1 - fraction));
        }
        p = next;
        m = skyquilt_moments(bins, p);
    }
    return (best){.status = NOT_CONVERGED, .n_iter = max_iter};
}

best skyquilt_climb(const fit_bins *bins, moments start, const profile *curve, domain within,
                    const kernel_options *options)
{
    return curve->is_free ? climb_free(bins, start, curve, options)
                          : climb_fixed(bins, start, curve->E, within, options);
}
