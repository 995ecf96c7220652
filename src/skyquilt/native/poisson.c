/* Fit of pixels, see skyquilt/likelihood/poisson.py. */
#include "climb.h"
#include "interface.h"
#include "lanes.h"
#include "limits.h"

fit_bins skyquilt_place_bins(int64_t n, double *room)
{
    int64_t size = (n + BLOCK - 1) / BLOCK * BLOCK;
    double *first = (double *)(((uintptr_t)room + 63) & ~(uintptr_t)63);
    memset(first, 0, (size_t)(5 * size) * sizeof *first);
    return (fit_bins){size,
                      first,
                      first + size,
                      (uint8_t *)(first + 2 * size),
                      first + 3 * size,
                      first + 4 * size};
}

/* Kind of each block of the first `n` bins. */
static void find_kinds(fit_bins *bins, int64_t n)
{
    for (int64_t i = 0; i < n; i += BLOCK) {
        int are_few = 1, are_ones = 1;
        for (int64_t k = i; k < i + BLOCK; k++) {
            double d = bins->counts[k];
            are_few &= d == 0 || d == 1 || d == 2 || d == 3;
            are_ones &= d == 1 || k >= n;
        }
        bins->kind[i / BLOCK] = are_ones ? ONES : are_few ? FEW_COUNTS : ANY_COUNTS;
    }
}

void skyquilt_fill_bins(fit_bins *bins, int64_t n, const double *counts, const double *background)
{
    for (int64_t i = 0; i < n; i++) {
        bins->counts[i] = counts[i];
        bins->inverse_background[i] = 1 / background[i];
    }
    find_kinds(bins, n);
}

static void put(const fitted *pixel, const limits *found, const kernel_options *options,
                double *results, int64_t n)
{
    results[TS * n] = 2 * pixel->llr;
    results[FLUX * n] = pixel->flux;
    results[FLUX_ERR * n] = pixel->flux_err;
    results[NPRED * n] = pixel->flux * pixel->curve.E;
    if (options->is_free) /* without any counts the best background is none */
        results[BACKGROUND_NORM * n] = pixel->curve.is_free ? pixel->norm : 0;
    if (!options->has_limits)
        return;
    results[FLUX_ERR_LO * n] = found->err_lo;
    results[FLUX_ERR_HI * n] = found->err_hi;
    results[FLUX_UL * n] = found->ul;
}

/* Status of a pixel that needs no iteration, GOOD for the others. */
static uint8_t status_at_zero(moments m, double E, double slope, int is_good, domain within)
{
    if (!isfinite(slope) || !isfinite(m.s2) || !is_good || E < 0)
        return NOT_FINITE;
    if (E == 0)
        return NO_EXPOSURE;
    /* without curvature no hit bin sees the source: -f E has no maximum below zero either, unless
     * other bins bound it */
    if (slope <= 0 && (within.lowest == 0 || (m.s2 == 0 && isinf(within.lowest))))
        return AT_BOUND;
    return GOOD;
}

/* Distance from a bound to where 2 slope f - curvature f^2 = -1, in a form without cancellation. */
static double error_at_bound(double slope, double curvature)
{
    curvature = curvature > 0 ? curvature : 0;
    return 1 / (sqrt(slope * slope + curvature) - slope);
}

/* The pixel at zero flux, which is the best that is allowed. */
static fitted stay(const fit_bins *bins, const profile *curve, moments m, position zero)
{
    double flux_err = error_at_bound(zero.slope, zero.curvature);
    return (fitted){bins, *curve, .start = m, .at = m, .flux_err = flux_err, .norm = zero.norm};
}

/* The pixel at its best flux. */
static fitted go(const fit_bins *bins, const profile *curve, moments m, const best *fit,
                 domain within)
{
    double flux_err = fit->status == AT_BOUND ? error_at_bound(fit->pass.s1 - curve->E, fit->pass.s2)
                                              : 1 / sqrt(fit->curvature);
    fitted pixel = {bins, *curve, .lowest = within.lowest, .start = m, .p = fit->p_pass,
                    .at = fit->pass, .top = fit->p, .flux = fit->flux, .llr = 0.5 * fit->ts,
                    .flux_err = flux_err, .norm = fit->norm};
    if (within.pole < within.lowest)
        pixel.llr_lowest = skyquilt_moments(bins, within.lowest).log - within.lowest * curve->E;
    else if (within.pole < 0)
        pixel.llr_lowest = -INFINITY;
    return pixel;
}

void skyquilt_fit_pixel(const fit_bins *bins, double E, const kernel_options *options, int64_t i,
                        const fit_output *to)
{
    int is_good;
    int is_free = options->is_free && options->counts_total > 0;
    profile curve = {E, options->counts_total, options->background_total, is_free};
    if (to->status[i] != GOOD)
        return;
    moments m = skyquilt_start(bins, &is_good);
    domain within = options->allow_negative ? skyquilt_domain(bins) : ABOVE_ZERO;
    position zero = position_of(&curve, 0, 0, m.s1, m.s2);
    uint8_t status = status_at_zero(m, E, zero.slope, is_good, within);
    fitted pixel;
    if (status == AT_BOUND)
        pixel = stay(bins, &curve, m, zero);
    if (status == GOOD) {
        best fit = skyquilt_climb(bins, m, &curve, within, options);
        to->n_iter[i] = fit.n_iter;
        status = fit.status;
        pixel = go(bins, &curve, m, &fit, within);
    }
    limits found = {0};
    /* where the background is free and no bin tells the source from it, nothing bounds the flux */
    if ((status == GOOD || status == AT_BOUND) && !isfinite(pixel.flux_err))
        status = NOT_CONVERGED;
    if (options->has_limits && (status == GOOD || status == AT_BOUND)) {
        found = skyquilt_limits(&pixel, options->confidence_level);
        if (!isfinite(found.err_lo + found.err_hi + found.ul))
            status = NOT_CONVERGED;
    }
    to->status[i] = status;
    if (status == GOOD || status == AT_BOUND)
        put(&pixel, &found, options, to->results + i, to->n);
}

void fit_block(int64_t n_hit, const double *counts, const double *background, int64_t n,
               const double *unit_counts, const double *total, const kernel_options *options,
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

/* Bins with counts come first; of the others stays what bounds the flux. Number of the first. */
static int64_t leave_out_empty(fit_bins *bins, int64_t n)
{
    int64_t n_hit = 0;
    for (int64_t k = 0; k < n; k++) {
        double d = bins->counts[k], inverse_background = bins->inverse_background[k], e = bins->e[k];
        bins->counts[k] = bins->inverse_background[k] = bins->e[k] = 0;
        if (d == 0) {
            bins->most = fmax(bins->most, e * inverse_background);
            continue;
        }
        bins->counts[n_hit] = d;
        bins->inverse_background[n_hit] = inverse_background;
        bins->e[n_hit++] = e;
    }
    bins->n = (n_hit + BLOCK - 1) / BLOCK * BLOCK;
    return n_hit;
}

void fit_sparse(const double *counts, const double *background, int64_t n, const int64_t *indptr,
                const int64_t *bin, const double *unit_counts, const double *total,
                const double *most, const kernel_options *options, double *room, double *results,
                int32_t *n_iter, uint8_t *status)
{
    fit_output to = {n, results, n_iter, status};
    unsigned mode = begin_flush();
    for (int64_t i = 0; i < n; i++) {
        int64_t first = indptr[i], n_entry = indptr[i + 1] - first;
        fit_bins bins = skyquilt_place_bins(n_entry, room);
        bins.most = most[i];
        for (int64_t k = 0; k < n_entry; k++) {
            bins.counts[k] = counts[bin[first + k]];
            bins.inverse_background[k] = 1 / background[bin[first + k]];
            bins.e[k] = unit_counts[first + k];
        }
        if (options->allow_negative)
            n_entry = leave_out_empty(&bins, n_entry);
        find_kinds(&bins, n_entry);
        skyquilt_fit_pixel(&bins, total[i], options, i, &to);
    }
    end_flush(mode);
}
