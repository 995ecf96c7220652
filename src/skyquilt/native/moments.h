/* What a pass over the bins of a pixel gives. */
#ifndef SKYQUILT_MOMENTS_H
#define SKYQUILT_MOMENTS_H

#include "poisson.h"

/* With x = e / b and r = x / (1 + p x): sums of d r^k, k = 1 to 4, and of d ln(1 + p x). */
typedef struct {
    double s1, s2, s3, s4, log;
} moments;

/* Pass at p = 0, which fills x. `is_good` tells that no value of e is below zero. */
moments skyquilt_start(const fit_bins *bins, int *is_good);

moments skyquilt_moments(const fit_bins *bins, double p);

/* The same without the logarithm, in a third of the time. */
moments skyquilt_powers(const fit_bins *bins, double p);

#endif
