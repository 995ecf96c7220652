/* Fit of one pixel: shared by dense blocks, sparse blocks, and whoever makes the expected counts of
 * a pixel just before they are fitted. See poisson.c. */
#ifndef SKYQUILT_POISSON_H
#define SKYQUILT_POISSON_H

#include <stdint.h>

#include "interface.h"

/* As in skyquilt/status.py. */
enum { GOOD = 0, AT_BOUND = 1, NO_EXPOSURE = 2, OCCULTED = 3, NOT_CONVERGED = 4, NOT_FINITE = 5 };

/* Counts of a block of eight bins: any; whole numbers up to 3; ones. The last block of a pixel may be
 * filled up with 0. */
enum { ANY_COUNTS, FEW_COUNTS, ONES };

/* Arrays of one value per bin of a pixel, filled up with 0 to whole blocks of eight; `kind` has one
 * per block. The caller writes `e`, expected counts for unit flux; `x` is scratch. */
typedef struct {
    int64_t n;
    double *counts, *inverse_background;
    uint8_t *kind;
    double *e, *x;
    double most; /* largest e / b of bins that have no counts and are not here; 0 if there are none */
} fit_bins;

/* Quantities of a pixel, in the order of the rows of `results`. */
enum { TS, FLUX, FLUX_ERR, FLUX_ERR_LO, FLUX_ERR_HI, FLUX_UL, NPRED, BACKGROUND_NORM, N_RESULTS };

/* Where the fits of n pixels go: rows of n values. */
typedef struct {
    int64_t n;
    double *results;
    int32_t *n_iter;
    uint8_t *status;
} fit_output;

/* Values that `room` of the next function needs for up to `n` bins. */
#define FIT_ROOM(n) (5 * ((n) + 8) + 8)

/* Bins in `room`, each array at the start of a cache line: vectors that lie across two lines cost
 * twice as much. */
fit_bins skyquilt_place_bins(int64_t n, double *room);

/* Set the first `n` of the bins to these counts and backgrounds. */
void skyquilt_fill_bins(fit_bins *bins, int64_t n, const double *counts, const double *background);

/* Fit what is in `bins` and put it at position `i`; E is the sum over all bins, with and without counts.
 * A pixel that is not GOOD before is left as it is. Call it between `begin_flush` and `end_flush`. */
void skyquilt_fit_pixel(const fit_bins *bins, double E, const kernel_options *options, int64_t i,
                        const fit_output *to);

#endif
