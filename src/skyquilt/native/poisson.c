/* Fit of pixels, see skyquilt/likelihood/poisson.py. */
#include "climb.h"
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

static void put(const fitted *pixel, const limits *found, const fit_options *options,
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
static uint8_t status_at_zero(moments m, double E, double slope, int is_good, int allow_negative)
{
    if (!isfinite(slope) || !isfinite(m.s2) || !is_good || E < 0)
        return NOT_FINITE;
    if (E == 0)
        return NO_EXPOSURE;
    /* without curvature no hit bin sees the source: -f E has no maximum below zero either */
    if (slope <= 0 && (m.s2 == 0 || !allow_negative))
        return AT_BOUND;
    return GOOD;
}

/* The pixel at zero flux, which is the best that is allowed. */
static fitted stay(const fit_bins *bins, const profile *curve, moments m, place zero)
{
    /* where 2 slope f - curvature f^2 = -1, in a form without cancellation */
    double curvature = zero.curvature > 0 ? zero.curvature : 0;
    double flux_err = 1 / (sqrt(zero.slope * zero.slope + curvature) - zero.slope);
    return (fitted){bins, *curve, .start = m, .at = m, .flux_err = flux_err, .norm = zero.norm};
}

void skyquilt_fit_pixel(const fit_bins *bins, double E, const fit_options *options, int64_t i,
                        const fit_output *to)
{
    int is_good, allow_negative = (int)options->allow_negative;
    int is_free = options->is_free && options->counts_total > 0;
    profile curve = {E, options->counts_total, options->background_total, is_free};
    if (to->status[i] != GOOD)
        return;
    moments m = skyquilt_start(bins, &is_good);
    place zero = place_of(&curve, 0, 0, m.s1, m.s2);
    uint8_t status = status_at_zero(m, E, zero.slope, is_good, allow_negative);
    fitted pixel;
    if (status == AT_BOUND)
        pixel = stay(bins, &curve, m, zero);
    if (status == GOOD) {
        best fit = skyquilt_climb(bins, m, &curve, options);
        to->n_iter[i] = fit.n_iter;
        status = fit.status;
        pixel = (fitted){bins, curve, .start = m, .p = fit.p_pass, .at = fit.pass,
                         .top = fit.p, .flux = fit.flux, .llr = 0.5 * fit.ts,
                         .flux_err = 1 / sqrt(fit.curvature), .norm = fit.norm};
        if (allow_negative)
            pixel.lowest = skyquilt_lowest(bins);
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
        find_kinds(&bins, n_entry);
        skyquilt_fit_pixel(&bins, total[i], options, i, &to);
    }
    end_flush(mode);
}
