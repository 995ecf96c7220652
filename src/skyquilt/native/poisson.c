/* Best flux of a source over a known background, see skyquilt/likelihood/poisson.py.
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

#include "lanes.h"
#include "poisson.h"

/* A step below it, in standard errors, is the last but one: it leaves at most its fourth power, in
 * practice a hundredth of that. The next sums get the logarithms, which the last step needs. */
#define NEAR 0.5

typedef struct {
    double s1, s2, s3, s4, log;
} moments;

/* ln(1 + t), as Sun's fdlibm takes it apart: 1 + t = 2^k m with m in [sqrt(1/2), sqrt(2)), z = m - 1
 * with the rounding of 1 + t added back, s = z / (2 + z), ln m = 2 atanh(s). `inverse` receives
 * 1 / (1 + t), from the same division. */
static inline lanes log_1p(lanes t, lanes *inverse)
{
    const int64_t root_half = 0x3fe6a09e667f3bcd;
    lanes u = 1 + t;
    lanes_int k = ((lanes_int)u - root_half) >> 52;
    lanes shrink = (lanes)((1023 - k) << 52), m = (lanes)((lanes_int)u - (k << 52));
    lanes z = (m - 1) + (t - (u - 1)) * shrink;
    lanes p = 1 / (u * (2 + z));
    *inverse = p * (2 + z);
    lanes s = z * (p * u), w = s * s;
    lanes w2 = w * w;
    lanes low = (w * 0.3999999999940942 + 0.6666666666666735) +
                (w * 0.22222198432149784 + 0.2857142874366239) * w2;
    lanes high = (w * 0.15313837699209373 + 0.1818357216161805) + w2 * 0.14798198605116586;
    lanes sum = high * (w2 * w2) + low;
    /* a whole number as a double: its bits, added to those of 1.5 x 2^52 */
    lanes k_double = (lanes)(k + 0x4338000000000000) - 6755399441055744.0;
    return k_double * 0.6931471805599453 + (2 * s + s * w * sum);
}

/* Partial sums, for each vector of a block. */
typedef struct {
    lanes s1[PARTS], s2[PARTS], s3[PARTS], s4[PARTS], log[PARTS];
} partial_sums;

static inline void add_powers(partial_sums *sums, int part, lanes d, lanes r)
{
    d *= r, sums->s1[part] += d;
    d *= r, sums->s2[part] += d;
    d *= r, sums->s3[part] += d;
    d *= r, sums->s4[part] += d;
}

static inline moments add_up(const partial_sums *sums)
{
    return (moments){block_sum(sums->s1), block_sum(sums->s2), block_sum(sums->s3),
                     block_sum(sums->s4), block_sum(sums->log)};
}

static inline moments sum_up(int64_t n, const double *counts, const double *x, double f,
                             int with_log)
{
    partial_sums sums = {0};
    for (int64_t i = 0; i < n; i += BLOCK)
#pragma GCC unroll 4
        for (int part = 0; part < PARTS; part++) {
            int64_t at = i + part * WIDTH;
            lanes d = load(counts + at), r = load(x + at), t = f * r, inverse;
            if (with_log)
                sums.log[part] += d * log_1p(t, &inverse);
            else
                inverse = 1 / (1 + t);
            add_powers(&sums, part, d, r * inverse);
        }
    return add_up(&sums);
}

/* Moments at zero flux; fills x. `is_good` tells that no value of e is below zero. */
static moments start(int64_t n, const double *counts, const double *inverse_background,
                     const double *e, double *x, int *is_good)
{
    partial_sums sums = {0};
    lanes_int is_negative = {0};
    for (int64_t i = 0; i < n; i += BLOCK)
#pragma GCC unroll 4
        for (int part = 0; part < PARTS; part++) {
            int64_t at = i + part * WIDTH;
            lanes unit = load(e + at), r = unit * load(inverse_background + at);
            is_negative |= unit < 0;
            store(x + at, r);
            add_powers(&sums, part, load(counts + at), r);
        }
    *is_good = 1;
    for (int k = 0; k < WIDTH; k++)
        *is_good &= !is_negative[k];
    return add_up(&sums);
}

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

static double steepest(int64_t n, const double *counts, const double *x)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        if (counts[i] > 0 && x[i] > most)
            most = x[i];
    return most;
}

/* Status of a pixel that needs no iteration, GOOD for the others. */
static uint8_t status_at_zero(moments m, double E, int is_good, int allow_negative)
{
    double slope = m.s1 - E;
    if (!isfinite(slope) || !isfinite(m.s2) || !is_good || E < 0)
        return NOT_FINITE;
    if (E == 0)
        return NO_EXPOSURE;
    /* without curvature no hit bin sees the source: -f E has no maximum below zero either */
    if (slope <= 0 && (m.s2 == 0 || !allow_negative))
        return AT_BOUND;
    return GOOD;
}

typedef struct {
    double ts, flux, curvature;
    int32_t n_iter;
    uint8_t status;
} best;

/* The last step is below `tolerance` standard errors, so that the fourth order of the series in
 * it is all that TS and curvature need. */
static best finish(moments m, double f, double E, double step, int32_t n_iter)
{
    double s = step, curvature = m.s2 - s * (2 * m.s3 - s * 3 * m.s4);
    double more = s * ((m.s1 - E) - s * (m.s2 / 2 - s * (m.s3 / 3 - s * m.s4 / 4)));
    double ts = 2 * ((m.log - f * E) + more);
    uint8_t status = isfinite(curvature) && curvature > 0 ? GOOD : NOT_CONVERGED;
    /* TS at the maximum is not below TS(0) = 0; rounding can be */
    return (best){ts > 0 ? ts : 0, f + step, curvature, n_iter, status};
}

static best climb(const fit_bins *bins, moments m, double E, const fit_options *options)
{
    int64_t n = bins->n;
    const double *counts = bins->counts, *x = bins->x;
    double f = 0, bound = m.s1 < E ? -1 / steepest(n, counts, x) : -INFINITY;
    int has_log = 1; /* of 1 + 0 */
    int32_t max_iter = (int32_t)options->max_iter;
    for (int32_t n_iter = 1; n_iter <= max_iter; n_iter++) {
        double step = step_of(m, E), size = fabs(step) * sqrt(m.s2);
        if (!isfinite(step))
            break;
        if (size < options->tolerance && has_log)
            return finish(m, f, E, step, n_iter);
        /* a step from the right can pass the bound; half the way to it stays in the domain */
        f = f + step > bound ? f + step : 0.5 * (f + bound);
        has_log = size < NEAR;
        m = has_log ? sum_up(n, counts, x, f, 1) : sum_up(n, counts, x, f, 0);
    }
    return (best){.status = NOT_CONVERGED, .n_iter = max_iter};
}

fit_bins skyquilt_place_bins(int64_t n, double *room)
{
    int64_t size = (n + BLOCK - 1) / BLOCK * BLOCK;
    double *first = (double *)(((uintptr_t)room + 63) & ~(uintptr_t)63);
    memset(first, 0, (size_t)(4 * size) * sizeof *first);
    return (fit_bins){size, first, first + size, first + 2 * size, first + 3 * size};
}

void skyquilt_fill_bins(fit_bins *bins, int64_t n, const double *counts, const double *background)
{
    for (int64_t i = 0; i < n; i++) {
        bins->counts[i] = counts[i];
        bins->inverse_background[i] = 1 / background[i];
    }
}

void skyquilt_fit_pixel(const fit_bins *bins, double E, const fit_options *options, int64_t i,
                        const fit_output *to)
{
    double *results = to->results + i;
    int64_t n = to->n;
    int is_good;
    if (to->status[i] != GOOD)
        return;
    moments m = start(bins->n, bins->counts, bins->inverse_background, bins->e, bins->x, &is_good);
    to->status[i] = status_at_zero(m, E, is_good, (int)options->allow_negative);
    if (to->status[i] == AT_BOUND) {
        double slope = m.s1 - E;
        results[TS * n] = results[FLUX * n] = results[NPRED * n] = 0;
        /* where 2 slope f - curvature f^2 = -1, in a form without cancellation */
        results[FLUX_ERR * n] = 1 / (sqrt(slope * slope + m.s2) - slope);
    }
    if (to->status[i] != GOOD)
        return;
    best fit = climb(bins, m, E, options);
    to->n_iter[i] = fit.n_iter;
    to->status[i] = fit.status;
    if (fit.status != GOOD)
        return;
    results[TS * n] = fit.ts;
    results[FLUX * n] = fit.flux;
    results[FLUX_ERR * n] = 1 / sqrt(fit.curvature);
    results[NPRED * n] = fit.flux * E;
}

/* Fit the pixels that are GOOD so far, from expected counts in all hit bins; `results`, `n_iter` and
 * `status` are filled. `room` has FIT_ROOM(n_hit) values. */
void fit_block(int64_t n_hit, const double *counts, const double *background, int64_t n,
               const double *unit_counts, const double *total, const fit_options *options,
               double *room, double *results, int32_t *n_iter, uint8_t *status)
{
    fit_output to = {n, results, n_iter, status};
    fit_bins bins = skyquilt_place_bins(n_hit, room);
    skyquilt_fill_bins(&bins, n_hit, counts, background);
    unsigned mode = begin_flush();
    for (int64_t i = 0; i < n; i++) {
        memcpy(bins.e, unit_counts + i * n_hit, (size_t)n_hit * sizeof *bins.e);
        skyquilt_fit_pixel(&bins, total[i], options, i, &to);
    }
    end_flush(mode);
}

/* The same from the bins that have entries; entries of pixel i end at stop[i], those of `bin` are
 * hit bins. `room` has FIT_ROOM(entries of a pixel, at most) values. */
void fit_sparse(const double *counts, const double *background, int64_t n, const int64_t *stop,
                const int64_t *bin, const double *unit_counts, const double *total,
                const fit_options *options, double *room, double *results, int32_t *n_iter,
                uint8_t *status)
{
    fit_output to = {n, results, n_iter, status};
    unsigned mode = begin_flush();
    for (int64_t i = 0, first = 0; i < n; first = stop[i++]) {
        int64_t n_entry = stop[i] - first;
        fit_bins bins = skyquilt_place_bins(n_entry, room);
        for (int64_t k = 0; k < n_entry; k++) {
            bins.counts[k] = counts[bin[first + k]];
            bins.inverse_background[k] = 1 / background[bin[first + k]];
            bins.e[k] = unit_counts[first + k];
        }
        skyquilt_fit_pixel(&bins, total[i], options, i, &to);
    }
    end_flush(mode);
}
