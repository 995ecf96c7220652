/* Errors to both sides and upper limit of a pixel, see limits.c. */
#ifndef SKYQUILT_LIMITS_H
#define SKYQUILT_LIMITS_H

#include "profile.h"

/* A pixel after its fit. */
typedef struct {
    const fit_bins *bins;
    profile curve;
    double lowest, llr_lowest; /* p at which the domain ends, and LLR there */
    moments start; /* at p = 0 */
    double p;      /* of the last pass, close to the top */
    moments at;    /* there */
    double top, flux, llr, flux_err, norm; /* p, flux, LLR, error and background of the best position */
} fitted;

typedef struct {
    double err_lo, err_hi, ul;
} limits;

limits skyquilt_limits(const fitted *pixel, double confidence_level);

#endif
