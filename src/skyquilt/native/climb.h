/* The way to the maximum of a pixel's likelihood. */
#ifndef SKYQUILT_CLIMB_H
#define SKYQUILT_CLIMB_H

#include "profile.h"

typedef struct {
    double ts, p, flux, norm, curvature; /* at the top; p as in profile.h */
    double p_pass;                       /* of the last pass, less than the tolerance away */
    moments pass;                        /* there */
    int32_t n_iter;
    uint8_t status;
} best;

/* From the pass at p = 0, where the likelihood must ascend, or descend to a maximum below. */
best skyquilt_climb(const fit_bins *bins, moments start, const profile *curve,
                    const fit_options *options);

/* p at which the model is 0 in a bin that has counts. */
double skyquilt_lowest(const fit_bins *bins);

#endif
