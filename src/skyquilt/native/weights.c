/* Which rows of a table make up a direction, and with which weight. */
#include "healpix.h"
#include "interface.h"
#include "lanes.h"
#include "poisson.h"

/* Rows of the attitude array: one column per sample. */
enum { ROTATION = 0, SECONDS = 9, ZENITH = 10, HORIZON_COS = 13 };

/* Weights of one direction while they grow: one per row of the table, and the rows in use. */
typedef struct {
    double *dense;
    int64_t *rows, n;
} growing;

static void add_weight(growing *sums, int64_t row, double weight)
{
    if (weight <= 0) /* bilinear weights of 0 can round below */
        return;
    if (sums->dense[row] == 0)
        sums->rows[sums->n++] = row;
    sums->dense[row] += weight;
}

/* Move the weights to where `weight` points, next to their rows; `dense` is 0 again. */
static int64_t take_weights(growing *sums, double *weight)
{
    int64_t n = sums->n;
    for (int64_t k = 0; k < n; k++) {
        weight[k] = sums->dense[sums->rows[k]];
        sums->dense[sums->rows[k]] = 0;
    }
    sums->rows += n;
    sums->n = 0;
    return n;
}

/* Scalar products of a direction with eight others, the columns of three rows of n_t. */
static void dot(const double s[3], const double *with, int64_t n_t, double product[BLOCK])
{
    for (int k = 0; k < BLOCK; k++)
        product[k] = s[0] * with[k] + s[1] * with[k + n_t] + s[2] * with[k + 2 * n_t];
}

/* Weights of the same four rows, over samples that follow one another. */
typedef struct {
    int64_t row[4];
    double weight[4];
} run;

static void end_run(run *same, growing *sums)
{
    for (int k = 0; k < 4; k++) {
        add_weight(sums, same->row[k], same->weight[k]);
        same->weight[k] = 0;
    }
}

/* Bilinear weights of eight attitude samples; returns how many of them see the source. */
static int add_samples(int64_t nside, const double *ring_theta, const double source[3],
                       const double *attitude, int64_t n_t, int has_horizon, run *same,
                       growing *sums)
{
    double x[BLOCK], y[BLOCK], z[BLOCK], height[BLOCK], seconds[BLOCK], weight[4][BLOCK];
    int64_t row[4][BLOCK];
    const double *horizon = attitude + HORIZON_COS * n_t;
    int n_seen = 0;
    dot(source, attitude, n_t, x);
    dot(source, attitude + 3 * n_t, n_t, y);
    dot(source, attitude + 6 * n_t, n_t, z);
    skyquilt_neighbours(nside, ring_theta, x, y, z, row, weight);
    memcpy(seconds, attitude + SECONDS * n_t, sizeof seconds);
    if (has_horizon) {
        dot(source, attitude + ZENITH * n_t, n_t, height);
        for (int t = 0; t < BLOCK; t++)
            seconds[t] = height[t] <= horizon[t] ? 0 : seconds[t];
    }
    for (int k = 0; k < 4; k++)
        for (int t = 0; t < BLOCK; t++)
            weight[k][t] *= seconds[t];
    for (int t = 0; t < BLOCK; t++) {
        n_seen += seconds[t] > 0;
        if (row[0][t] != same->row[0] || row[2][t] != same->row[2]) {
            end_run(same, sums);
            for (int k = 0; k < 4; k++)
                same->row[k] = row[k][t];
        }
        for (int k = 0; k < 4; k++)
            same->weight[k] += weight[k][t];
    }
    return n_seen;
}

int64_t local_weights(int64_t nside, const double *ring_theta, int64_t n, const double *directions,
                      int64_t n_t, const double *attitude, int64_t has_horizon, double *dense,
                      const entry_lists *to, uint8_t *status)
{
    growing sums = {dense, to->column, 0};
    run same = {{0}, {0}};
    int64_t end = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t n_seen = 0;
        for (int64_t t = 0; t < n_t; t += BLOCK)
            n_seen += add_samples(nside, ring_theta, directions + 3 * i, attitude + t, n_t,
                                  (int)has_horizon, &same, &sums);
        end_run(&same, &sums);
        end += take_weights(&sums, to->value + end);
        to->indptr[i + 1] = end;
        status[i] = n_t > 0 && n_seen == 0 && has_horizon ? OCCULTED : GOOD;
    }
    return end;
}

int64_t merge_weights(int64_t n, int64_t n_neighbours, const int64_t *ipix, const double *fraction,
                      double *dense, const entry_lists *to)
{
    growing sums = {dense, to->column, 0};
    int64_t end = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = i * n_neighbours; k < (i + 1) * n_neighbours; k++)
            add_weight(&sums, ipix[k], fraction[k]);
        end += take_weights(&sums, to->value + end);
        to->indptr[i + 1] = end;
    }
    return end;
}
