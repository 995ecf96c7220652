/* Items near a direction: directions of a group share the ranges of items to look at. */
#ifndef SKYQUILT_NEARBY_H
#define SKYQUILT_NEARBY_H

#include <stdint.h>

static inline int64_t first_range(const int64_t *range_stop, int64_t group)
{
    return group ? range_stop[group - 1] : 0;
}

/* Squared distance through the sphere, accurate at small angles. */
static inline double squared_chord(const double a[3], const double b[3])
{
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return x * x + y * y + z * z;
}

#endif
