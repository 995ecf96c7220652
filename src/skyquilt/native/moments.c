/* Passes over the bins of a pixel. */
#include "lanes_math.h"
#include "moments.h"

/* Partial sums, for each vector of a block. */
typedef struct {
    lanes s1[PARTS], s2[PARTS], s3[PARTS], s4[PARTS], log[PARTS];
} partial_sums;

static inline void add_powers(partial_sums *sums, int part, lanes d, lanes r)
{
    d *= r, sums->s1[part] += d;
    d *= r, sums->s2[part] += d;
    d *= r, sums->s3[part] += d;
    d *= r, sums->s4[part] += d;
}

static inline moments add_up(const partial_sums *sums)
{
    return (moments){block_sum(sums->s1), block_sum(sums->s2), block_sum(sums->s3),
                     block_sum(sums->s4), block_sum(sums->log)};
}

static inline moments sum_up(int64_t n, const double *counts, const double *x, double f,
                             int with_log)
{
    partial_sums sums = {0};
    for (int64_t i = 0; i < n; i += BLOCK)
#pragma GCC unroll 4
        for (int part = 0; part < PARTS; part++) {
            int64_t at = i + part * WIDTH;
            lanes d = load(counts + at), r = load(x + at), t = f * r, inverse;
            if (with_log)
                sums.log[part] += d * log_1p(t, &inverse);
            else
                inverse = 1 / (1 + t);
            add_powers(&sums, part, d, r * inverse);
        }
    return add_up(&sums);
}

moments skyquilt_moments(const fit_bins *bins, double p)
{
    return sum_up(bins->n, bins->counts, bins->x, p, 1);
}

moments skyquilt_powers(const fit_bins *bins, double p)
{
    return sum_up(bins->n, bins->counts, bins->x, p, 0);
}

moments skyquilt_start(const fit_bins *bins, int *is_good)
{
    const double *counts = bins->counts, *inverse_background = bins->inverse_background;
    const double *e = bins->e;
    double *x = bins->x;
    partial_sums sums = {0};
    lanes_int is_negative = {0};
    for (int64_t i = 0; i < bins->n; i += BLOCK)
#pragma GCC unroll 4
        for (int part = 0; part < PARTS; part++) {
            int64_t at = i + part * WIDTH;
            lanes unit = load(e + at), r = unit * load(inverse_background + at);
            is_negative |= unit < 0;
            store(x + at, r);
            add_powers(&sums, part, load(counts + at), r);
        }
    *is_good = 1;
    for (int k = 0; k < WIDTH; k++)
        *is_good &= !is_negative[k];
    return add_up(&sums);
}
