/* Counts of sources in the cells of a data set, and derivatives of their likelihood. */
#include "interface.h"
#include "lanes.h"

void cell_sums(int64_t n_view, int64_t n_cell, const int64_t *indptr, int64_t n_row,
               const double *weight, const double *rows, double *sums)
{
    int64_t n_hit = indptr[n_cell];
    memset(sums, 0, (size_t)(n_view * n_hit) * sizeof *sums);
    unsigned mode = begin_flush();
    for (int64_t cell = 0; cell < n_cell; cell++)
        for (int64_t row = 0; row < n_row; row++)
            for (int64_t view = 0; view < n_view; view++) {
                double share = weight[(view * n_cell + cell) * n_row + row];
                const double *from = rows + row * n_hit;
                double *to = sums + view * n_hit;
                if (share == 0)
                    continue;
                for (int64_t i = indptr[cell]; i < indptr[cell + 1]; i++)
                    to[i] += share * from[i];
            }
    end_flush(mode);
}

/* Sum of products, eight partial sums whatever the level. */
static double dot(int64_t n, const double *a, const double *b)
{
    lanes sums[PARTS] = {{0}};
    double rest_a[BLOCK] = {0}, rest_b[BLOCK] = {0};
    int64_t whole = n - n % BLOCK;
    for (int64_t i = 0; i < whole; i += BLOCK)
        for (int k = 0; k < PARTS; k++)
            sums[k] += load(a + i + k * WIDTH) * load(b + i + k * WIDTH);
    memcpy(rest_a, a + whole, (size_t)(n - whole) * sizeof *a);
    memcpy(rest_b, b + whole, (size_t)(n - whole) * sizeof *b);
    for (int k = 0; k < PARTS; k++)
        sums[k] += load(rest_a + k * WIDTH) * load(rest_b + k * WIDTH);
    return block_sum(sums);
}

void cell_slopes(int64_t n_cell, const int64_t *indptr, const double *counts, const double *mu,
                 int64_t n_name, const double *slopes, double *room, double *gradient,
                 double *curvature)
{
    int64_t n_hit = indptr[n_cell];
    for (int64_t i = 0; i < n_hit; i++)
        room[i] = counts[i] / mu[i];
    for (int64_t cell = 0; cell < n_cell; cell++)
        for (int64_t name = 0; name < n_name; name++) {
            int64_t first = indptr[cell];
            gradient[cell * n_name + name] =
                dot(indptr[cell + 1] - first, slopes + name * n_hit + first, room + first);
        }
    for (int64_t name = 0; name < n_name; name++) {
        const double *own = slopes + name * n_hit;
        for (int64_t i = 0; i < n_hit; i++)
            room[i] = own[i] * counts[i] / (mu[i] * mu[i]);
        for (int64_t cell = 0; cell < n_cell; cell++)
            for (int64_t other = 0; other <= name; other++) {
                int64_t first = indptr[cell], n = indptr[cell + 1] - first;
                double product = dot(n, slopes + other * n_hit + first, room + first);
                curvature[(cell * n_name + name) * n_name + other] = product;
                curvature[(cell * n_name + other) * n_name + name] = product;
            }
    }
}
