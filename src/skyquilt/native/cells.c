/* Counts of sources in the cells of a data set, and derivatives of their likelihood. */
#include "healpix.h"
#include "interface.h"
#include "lanes.h"

void cell_weights(int64_t nside, const double *ring_theta, int64_t n_sample,
                  const double *directions, const double *seconds, const int64_t *group,
                  const int64_t *column, int64_t n_column, double *weight)
{
    for (int64_t first = 0; first < n_sample; first += BLOCK) {
        double x[BLOCK], y[BLOCK], z[BLOCK], fraction[4][BLOCK];
        int64_t row[4][BLOCK];
        int n = n_sample - first < BLOCK ? (int)(n_sample - first) : BLOCK;
        for (int k = 0; k < BLOCK; k++) {
            const double *from = directions + 3 * (first + (k < n ? k : 0));
            x[k] = from[0], y[k] = from[1], z[k] = from[2];
        }
        skyquilt_neighbours(nside, ring_theta, x, y, z, row, fraction);
        for (int k = 0; k < n; k++)
            for (int neighbour = 0; neighbour < 4; neighbour++) {
                double own = fraction[neighbour][k] * seconds[first + k];
                if (own > 0) /* bilinear weights of 0 can round below */
                    weight[group[first + k] * n_column + column[row[neighbour][k]]] += own;
            }
    }
}

/* Sums of at most eight hits. */
static void add_few(int64_t n, int64_t n_row, const double *weight, const double *rows,
                    int64_t n_hit, double *sums)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t row = 0; row < n_row; row++)
            sum += weight[row] * rows[row * n_hit + i];
        sums[i] = sum;
    }
}

void cell_sums(int64_t n_view, int64_t n_cell, const int64_t *indptr, int64_t n_row,
               const double *weight, const double *rows, double *sums)
{
    int64_t n_hit = indptr[n_cell];
    unsigned mode = begin_flush();
    for (int64_t cell = 0; cell < n_cell; cell++)
        for (int64_t view = 0; view < n_view; view++) {
            const double *own = weight + (view * n_cell + cell) * n_row;
            double *to = sums + view * n_hit;
            int64_t i = indptr[cell], end = indptr[cell + 1];
            for (; i + BLOCK <= end; i += BLOCK) {
                lanes part[PARTS] = {{0}};
                for (int64_t row = 0; row < n_row; row++)
                    for (int k = 0; k < PARTS; k++)
                        part[k] += own[row] * load(rows + row * n_hit + i + k * WIDTH);
                for (int k = 0; k < PARTS; k++)
                    store(to + i + k * WIDTH, part[k]);
            }
            add_few(end - i, n_row, own, rows + i, n_hit, to + i);
        }
    end_flush(mode);
}

/* Sum of the products of three, eight partial sums whatever the level. */
static double dot(int64_t n, const double *a, const double *b, const double *c)
{
    lanes sums[PARTS] = {{0}};
    double rest[3][BLOCK] = {{0}};
    int64_t whole = n - n % BLOCK;
    size_t size = (size_t)(n - whole) * sizeof *a;
    for (int64_t i = 0; i < whole; i += BLOCK)
        for (int k = 0; k < PARTS; k++) {
            int64_t at = i + k * WIDTH;
            sums[k] += load(a + at) * load(b + at) * load(c + at);
        }
    memcpy(rest[0], a + whole, size);
    memcpy(rest[1], b + whole, size);
    memcpy(rest[2], c + whole, size);
    for (int k = 0; k < PARTS; k++)
        sums[k] += load(rest[0] + k * WIDTH) * load(rest[1] + k * WIDTH) * load(rest[2] + k * WIDTH);
    return block_sum(sums);
}

void cell_slopes(int64_t n_cell, const int64_t *indptr, const double *counts, const double *mu,
                 int64_t n_name, const double *slopes, double *room, double *gradient,
                 double *curvature)
{
    int64_t n_hit = indptr[n_cell];
    double *bend = room + n_hit;
    for (int64_t i = 0; i < n_hit; i++) {
        room[i] = 1 / mu[i];
        bend[i] = counts[i] * room[i] * room[i];
    }
    for (int64_t cell = 0; cell < n_cell; cell++)
        for (int64_t name = 0; name < n_name; name++) {
            int64_t first = indptr[cell], n = indptr[cell + 1] - first;
            const double *own = slopes + name * n_hit + first;
            double *to = curvature + cell * n_name * n_name;
            gradient[cell * n_name + name] = dot(n, own, counts + first, room + first);
            for (int64_t other = 0; other <= name; other++) {
                double product = dot(n, own, slopes + other * n_hit + first, bend + first);
                to[name * n_name + other] = to[other * n_name + name] = product;
            }
        }
}
