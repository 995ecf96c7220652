/* Eight numbers at a time: the compiler maps them to whatever vector registers there are.
 *
 * Lanes never mix except in `lane_sum`, always in the same order, and products are not contracted
 * with sums (-ffp-contract=off). So every variant of the library, and any cut of the work, gives
 * the same bits.
 */
#ifndef SKYQUILT_LANES_H
#define SKYQUILT_LANES_H

#include <stdint.h>
#include <string.h>

#define LANES 8

typedef double lanes __attribute__((vector_size(8 * LANES)));
typedef int64_t lanes_int __attribute__((vector_size(8 * LANES)));
typedef float lanes_float __attribute__((vector_size(4 * LANES)));

static inline lanes load(const double *from)
{
    lanes values;
    memcpy(&values, from, sizeof values);
    return values;
}

static inline void store(double *to, lanes values)
{
    memcpy(to, &values, sizeof values);
}

static inline lanes load_float(const float *from)
{
    lanes_float values;
    memcpy(&values, from, sizeof values);
    return __builtin_convertvector(values, lanes);
}

static inline double lane_sum(lanes v)
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* `yes` where the mask is set, `no` elsewhere. */
static inline lanes pick(lanes_int mask, lanes yes, lanes no)
{
    return (lanes)((mask & (lanes_int)yes) | (~mask & (lanes_int)no));
}

static inline lanes absolute(lanes x)
{
    return (lanes)((lanes_int)x & INT64_MAX);
}

#endif
