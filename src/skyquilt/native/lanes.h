/* Vectors as wide as this level's registers, in blocks of eight numbers.
 *
 * A sum has eight partial sums whatever the width, number k of each block in partial sum k, added
 * up in one order by `block_sum`; and products are not contracted with sums (-ffp-contract=off).
 * So all levels, and any cut of the work, give the same bits.
 */
#ifndef SKYQUILT_LANES_H
#define SKYQUILT_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#if defined(__AVX512F__)
#define WIDTH 8
#elif defined(__AVX__)
#define WIDTH 4
#else
#define WIDTH 2
#endif

#define BLOCK 8
#define PARTS (BLOCK / WIDTH) /* vectors per block */

typedef double lanes __attribute__((vector_size(8 * WIDTH)));
typedef int64_t lanes_int __attribute__((vector_size(8 * WIDTH)));
typedef float singles __attribute__((vector_size(8 * WIDTH))); /* twice as many, of float32 */

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

static inline void store_int(int64_t *to, lanes_int values)
{
    memcpy(to, &values, sizeof values);
}

static inline singles load_singles(const float *from)
{
    singles values;
    memcpy(&values, from, sizeof values);
    return values;
}

/* Half of the values, from number `first` on, in float64. One by one, as compilers make one
 * conversion of them, but two of __builtin_convertvector. */
static inline lanes widen(singles values, int first)
{
    lanes wide;
    for (int k = 0; k < WIDTH; k++)
        wide[k] = values[first + k];
    return wide;
}

static inline double block_sum(const lanes *parts)
{
    double v[BLOCK];
    memcpy(v, parts, sizeof v);
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* From here to `end_flush` numbers below the normal range, 1e-38 in a table, 1e-308 in sums, are
 * zero. Tails of a response are full of them, and processors of x86 take 100 cycles for each. */
static inline unsigned begin_flush(void)
{
#if defined(__x86_64__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* results (FTZ) and operands (DAZ) */
    return before;
#else
    return 0;
#endif
}

static inline void end_flush(unsigned before)
{
#if defined(__x86_64__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

/* `yes` where the mask is set, `no` elsewhere. */
static inline lanes pick(lanes_int mask, lanes yes, lanes no)
{
    return (lanes)((mask & (lanes_int)yes) | (~mask & (lanes_int)no));
}

static inline lanes smallest(lanes a, lanes b)
{
    return pick(a < b, a, b);
}

/* Whether a mask is set anywhere. */
static inline int any(lanes_int mask)
{
    int64_t set = 0;
    for (int k = 0; k < WIDTH; k++)
        set |= mask[k];
    return set != 0;
}

static inline lanes absolute(lanes x)
{
    return (lanes)((lanes_int)x & INT64_MAX);
}

static inline lanes square_root(lanes x)
{
    lanes root;
    for (int k = 0; k < WIDTH; k++)
        root[k] = sqrt(x[k]);
    return root;
}

/* Numbers from 0 to 2^51, rounded down. */
static inline lanes round_down(lanes x)
{
    lanes whole;
#if defined(__x86_64__) && !defined(__SSE4_1__) /* no instruction for it */
    lanes near = (x + 0x1p52) - 0x1p52, zero = {0};
    whole = near - pick(near > x, zero + 1, zero);
#else
    for (int k = 0; k < WIDTH; k++)
        whole[k] = floor(x[k]);
#endif
    return whole;
}

/* Whole doubles from 0 to 2^52 as integers: their bits, which are those of the number above 2^52. */
static inline lanes_int to_whole(lanes x)
{
    return (lanes_int)(x + 0x1p52) - 0x4330000000000000;
}

#endif
