/* Passes over the bins of a pixel. */
#include "lanes_math.h"
#include "moments.h"

/* Partial sums, for each vector of a block. */
typedef struct {
    lanes s1[PARTS], s2[PARTS], s3[PARTS], s4[PARTS], log[PARTS];
} partial_sums;

/* Products of 1 + p x, once for each count: value times 2^exponent, the value from 1 to 2. The sum of
 * their logarithms is that of the product, which needs one; each factor adds a rounding of it, 1e-16,
 * to the sum. */
typedef struct {
    lanes value[PARTS];
    lanes_int exponent[PARTS]; /* with the bias of each factor, 1023 */
    lanes sum[PARTS];          /* of 1 + p x: below LARGEST none is above */
    int64_t n_block;
} products;

#define FRACTION_BITS 0x000fffffffffffff
#define BITS_OF_1 0x3ff0000000000000
#define LARGEST 0x1p300 /* its cube is finite */

static inline void multiply(products *all, int part, lanes factor)
{
    lanes_int bits = (lanes_int)(all->value[part] * factor);
    all->exponent[part] += bits >> 52;
    all->value[part] = (lanes)((bits & FRACTION_BITS) | BITS_OF_1);
}

/* Adds a vector of bins; the result is 1 + p x. */
static inline lanes add_factors(products *all, int part, int kind, lanes d, lanes t)
{
    lanes u = 1 + t, one = {0}, factor = u;
    one += 1;
    if (kind == FEW_COUNTS)
        factor = pick(d > 0, u, one) * pick(d > 1, u, one) * pick(d > 2, u, one);
    multiply(all, part, factor);
    all->sum[part] += u;
    return u;
}

static inline lanes log_of(const products *all, int part)
{
    lanes unused;
    lanes exponent = whole_to_double(all->exponent[part] - 1023 * all->n_block);
    return log_1p(all->value[part] - 1, &unused) + exponent * LN2;
}

static int are_finite(const products *all)
{
    for (int part = 0; part < PARTS; part++)
        for (int k = 0; k < WIDTH; k++)
            if (!(all->sum[part][k] < LARGEST))
                return 0;
    return 1;
}

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

enum { NO_LOG, LOG, LOG_OF_PRODUCTS };

static inline void add_part(partial_sums *sums, products *all, int part, const fit_bins *bins,
                            int64_t block, double p, int kind, int log)
{
    int64_t at = block + part * WIDTH;
    lanes d = load(bins->counts + at), r = load(bins->x + at), t = p * r, inverse;
    if (log == NO_LOG)
        inverse = 1 / (1 + t);
    else if (log == LOG_OF_PRODUCTS && kind != ANY_COUNTS)
        inverse = 1 / add_factors(all, part, kind, d, t);
    else
        sums->log[part] += d * log_1p(t, &inverse);
    add_powers(sums, part, d, r * inverse);
}

/* `is_finite` tells whether the products are. */
static inline moments sum_up(const fit_bins *bins, double p, int log, int *is_finite)
{
    partial_sums sums = {0};
    products all = {0};
    for (int part = 0; part < PARTS; part++)
        all.value[part] += 1;
    for (int64_t i = 0; i < bins->n; i += BLOCK) {
        int kind = bins->kind[i / BLOCK];
        all.n_block += kind != ANY_COUNTS;
#pragma GCC unroll 4
        for (int part = 0; part < PARTS; part++)
            add_part(&sums, &all, part, bins, i, p, kind, log);
    }
    if (log == LOG_OF_PRODUCTS)
        for (int part = 0; part < PARTS; part++)
            sums.log[part] += log_of(&all, part);
    *is_finite = are_finite(&all);
    return add_up(&sums);
}

moments skyquilt_moments(const fit_bins *bins, double p)
{
    int is_finite;
    moments fast = sum_up(bins, p, LOG_OF_PRODUCTS, &is_finite);
    return is_finite ? fast : sum_up(bins, p, LOG, &is_finite);
}

moments skyquilt_powers(const fit_bins *bins, double p)
{
    int is_finite;
    return sum_up(bins, p, NO_LOG, &is_finite);
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
