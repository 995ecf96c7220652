/* Largest value of a concave log-likelihood of fluxes and factors, see likelihood/concave.py.
 *
 * Projected Newton steps (Bertsekas 1982, SIAM J. Control Optim. 20, 221), damped where L would not
 * grow (Levenberg 1944, Q. Appl. Math. 2, 164). Bins are filled up with 0 to whole blocks of eight. */
#include "interface.h"
#include "lanes.h"
#include "lanes_math.h"

#define MAX_ITER 200 /* a bright source over next to nothing takes a step for each factor of two */
#define TOLERANCE 1e-10 /* increase of L that a step still promises when a fit ends */
#define ENOUGH 1e-4     /* of the promised increase, for a step to be taken (Bertsekas's sigma) */
#define RIDGE 1e-12     /* of the curvature, so that two sources at one position still have a step */
#define DAMPING 1e-3    /* part of the curvature that is added to it when a step without it fails */
#define MORE 10.0
#define LESS 0.1
#define LEAST 1e-5
#define MOST 1e9

/* One problem on its way: `mu` is what is expected at `x`, `trial` at `there`. */
typedef struct {
    int64_t n, n_bin; /* parameters; bins in whole blocks */
    const double *totals, *center, *weight;
    const uint8_t *held;
    double *observed, *fixed, *columns, *mu, *trial, *ratio, *bend; /* of bins */
    double *curvature, *matrix, *step, *there, *size;
    double *x, *slope;
    int64_t n_moving;
    double *moving; /* numbers of the parameters that move */
} climb;

static double *take(double **room, int64_t n)
{
    double *from = *room;
    *room += n;
    return from;
}

static void fill(double *to, const double *from, int64_t n, int64_t n_bin, double rest)
{
    memcpy(to, from, (size_t)n * sizeof *to);
    for (int64_t i = n; i < n_bin; i++)
        to[i] = rest;
}

static climb begin(const concave_counts *counts, const uint8_t *held, double *room)
{
    int64_t n = counts->n, n_hit = counts->n_hit, n_bin = (n_hit + BLOCK - 1) / BLOCK * BLOCK;
    room = (double *)(((uintptr_t)room + 63) & ~(uintptr_t)63);
    climb way = {.n = n, .n_bin = n_bin, .held = held};
    way.totals = counts->totals, way.center = counts->center, way.weight = counts->weight;
    double **of_bins[] = {&way.observed, &way.fixed, &way.mu, &way.trial, &way.ratio, &way.bend};
    for (int k = 0; k < 6; k++)
        *of_bins[k] = take(&room, n_bin);
    way.columns = take(&room, n * n_bin);
    way.curvature = take(&room, n * n), way.matrix = take(&room, n * n);
    way.step = take(&room, n), way.there = take(&room, n), way.size = take(&room, n);
    way.moving = take(&room, n);
    fill(way.observed, counts->observed, n_hit, n_bin, 0);
    fill(way.fixed, counts->fixed, n_hit, n_bin, 1);
    for (int64_t k = 0; k < n; k++)
        fill(way.columns + k * n_bin, counts->columns + k * n_hit, n_hit, n_bin, 0);
    return way;
}

/* L at `x`, and what is expected there; minus infinity where the counts are impossible. */
static double log_likelihood(const climb *way, const double *x, double *mu)
{
    lanes sums[PARTS] = {{0}}, inverse, zero = {0};
    lanes_int is_impossible = {0};
    for (int64_t i = 0; i < way->n_bin; i += BLOCK)
        for (int part = 0; part < PARTS; part++) {
            int64_t at = i + part * WIDTH;
            lanes here = load(way->fixed + at), observed = load(way->observed + at);
            for (int64_t k = 0; k < way->n; k++)
                here += x[k] * load(way->columns + k * way->n_bin + at);
            store(mu + at, here);
            is_impossible |= here <= zero;
            sums[part] += observed * log_parts(here, zero, &inverse);
        }
    if (any(is_impossible))
        return -INFINITY;
    double loglike = block_sum(sums);
    for (int64_t k = 0; k < way->n; k++) {
        double apart = x[k] - way->center[k];
        loglike -= x[k] * way->totals[k] + 0.5 * way->weight[k] * apart * apart;
    }
    return loglike;
}

static double dot(int64_t n_bin, const double *a, const double *b)
{
    lanes sums[PARTS] = {{0}};
    for (int64_t i = 0; i < n_bin; i += BLOCK)
        for (int part = 0; part < PARTS; part++)
            sums[part] += load(a + i + part * WIDTH) * load(b + i + part * WIDTH);
    return block_sum(sums);
}

static void find_slope(climb *way)
{
    for (int64_t i = 0; i < way->n_bin; i += WIDTH)
        store(way->ratio + i, load(way->observed + i) / load(way->mu + i));
    for (int64_t k = 0; k < way->n; k++)
        way->slope[k] = dot(way->n_bin, way->ratio, way->columns + k * way->n_bin) -
                        way->totals[k] - way->weight[k] * (way->x[k] - way->center[k]);
}

/* Minus the second derivatives of what may move: not of what is held, nor at 0 and would go below.
 * What no count sees falls to 0 by its total alone. */
static void find_curvature(climb *way)
{
    way->n_moving = 0;
    for (int64_t k = 0; k < way->n; k++) {
        const double *own = way->columns + k * way->n_bin;
        way->step[k] = 0;
        if (way->held[k] || !(way->x[k] > 0 || way->slope[k] > 0))
            continue;
        for (int64_t i = 0; i < way->n_bin; i += WIDTH)
            store(way->bend + i, load(way->ratio + i) / load(way->mu + i) * load(own + i));
        double diagonal = dot(way->n_bin, way->bend, own) + way->weight[k];
        if (!(diagonal > 0)) {
            way->step[k] = way->slope[k] < 0 ? -way->x[k] : 0;
            continue;
        }
        int64_t row = way->n_moving++;
        way->moving[row] = (double)k, way->size[row] = sqrt(diagonal);
        for (int64_t column = 0; column < row; column++) {
            const double *other = way->columns + (int64_t)way->moving[column] * way->n_bin;
            way->curvature[row * way->n + column] =
                dot(way->n_bin, way->bend, other) / way->size[row] / way->size[column];
        }
    }
}

/* Damped step: LDL' of the curvature, scaled to 1 on the diagonal. */
static void find_step(climb *way, double damping)
{
    int64_t n = way->n, n_moving = way->n_moving;
    double *factor = way->matrix, *right = way->there;
    for (int64_t i = 0; i < n_moving; i++) {
        double *row = factor + i * n, pivot = 1 + RIDGE + damping;
        right[i] = way->slope[(int64_t)way->moving[i]] / way->size[i];
        for (int64_t j = 0; j < i; j++) {
            double value = way->curvature[i * n + j];
            for (int64_t k = 0; k < j; k++)
                value -= row[k] * factor[j * n + k] * factor[k * n + k];
            row[j] = value / factor[j * n + j];
        }
        for (int64_t j = 0; j < i; j++) {
            pivot -= row[j] * row[j] * factor[j * n + j];
            right[i] -= row[j] * right[j];
        }
        row[i] = pivot > 0.5 * RIDGE ? pivot : 0.5 * RIDGE;
    }
    for (int64_t i = n_moving - 1; i >= 0; i--) {
        right[i] /= factor[i * n + i];
        for (int64_t j = i + 1; j < n_moving; j++)
            right[i] -= factor[j * n + i] * right[j];
        way->step[(int64_t)way->moving[i]] = right[i] / way->size[i];
    }
}

static double find_top(climb *way, uint8_t *has_converged)
{
    double level = log_likelihood(way, way->x, way->mu), damping = 0;
    int is_new = 1;
    *has_converged = 0;
    for (int i = 0; i < MAX_ITER && damping < MOST && !*has_converged; i++) {
        if (is_new) {
            find_slope(way);
            find_curvature(way);
        }
        find_step(way, damping);
        double promise = 0, least = 0;
        for (int64_t k = 0; k < way->n; k++) {
            way->there[k] = way->x[k] + way->step[k] > 0 ? way->x[k] + way->step[k] : 0;
            promise += way->slope[k] * way->step[k];
            least += ENOUGH * way->slope[k] * (way->there[k] - way->x[k]);
        }
        double reached = log_likelihood(way, way->there, way->trial);
        is_new = least > 0 && reached - level >= least - 1e-15 * fabs(level);
        if (is_new) {
            double *mu = way->mu;
            memcpy(way->x, way->there, (size_t)way->n * sizeof *way->x);
            way->mu = way->trial, way->trial = mu, level = reached;
        }
        *has_converged = promise <= TOLERANCE && damping == 0;
        if (is_new || promise <= TOLERANCE)
            damping = LESS * damping < LEAST ? 0 : LESS * damping;
        else
            damping = MORE * damping > DAMPING ? MORE * damping : DAMPING;
    }
    if (is_new)
        find_slope(way);
    return level;
}

void maximise_concave(const concave_counts *counts, int64_t m, const uint8_t *held, double *values,
                      double *loglike, double *slope, uint8_t *has_converged, double *room)
{
    unsigned mode = begin_flush();
    climb way = begin(counts, held, room);
    for (int64_t i = 0; i < m; i++) {
        way.x = values + i * counts->n, way.slope = slope + i * counts->n;
        loglike[i] = find_top(&way, has_converged + i);
    }
    end_flush(mode);
}
