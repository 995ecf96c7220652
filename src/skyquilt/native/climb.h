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

/* Where p may be. */
typedef struct {
    double lowest; /* the model is 0 in some bin, with counts or without, and negative below */
    double pole;   /* it is 0 in a bin that has counts, and the likelihood with it */
} domain;

/* All p from 0 on. */
#define ABOVE_ZERO ((domain){0, 0})

/* All p that leave the model positive. Bins without counts, which bound it and no more, have x of 0
 * from here on. */
domain skyquilt_domain(const fit_bins *bins);

/* From the pass at p = 0, where the likelihood must ascend, or descend to a maximum below: AT_BOUND
 * where that is the end of the domain. */
best skyquilt_climb(const fit_bins *bins, moments start, const profile *curve, domain within,
                    const kernel_options *options);

#endif
