/* Weighted sums of the rows of a table, and the fit of such sums. */
#include "interface.h"
#include "lanes.h"
#include "poisson.h"

/* Columns that are added up before the next ones: so many values of 100 rows (the neighbours of
 * one pixel over a short observation) stay in a level 2 cache of 1 MiB while the pixels of a
 * block, which share most of their rows, use them. */
#define TILE 2048

/* Entries that are added up in float32, whose sums are added up in float64. The rows are float32:
 * such sums err by no more than their own rounding does, 6e-8 of the largest, at random. */
#define RUN 16

#define VECTORS 4 /* of float32, which stay in registers while rows are added */
#define SINGLES (2 * WIDTH)

static inline void store_sums(singles values, int is_first, double *sums)
{
    for (int half = 0; half < SINGLES; half += WIDTH) {
        lanes wide = widen(values, half);
        store(sums + half, is_first ? wide : load(sums + half) + wide);
    }
}

/* Sums of `n_vector` vectors of columns. */
static inline void add_vectors(int n_vector, const float *rows, int64_t n_hit, int64_t n_entry,
                               const int64_t *row, const double *weight, double *sums)
{
    for (int64_t begin = 0; begin < n_entry || begin == 0; begin += RUN) {
        int64_t end = begin + RUN < n_entry ? begin + RUN : n_entry;
        singles run[VECTORS] = {{0}};
        for (int64_t k = begin; k < end; k++)
#pragma GCC unroll 4
            for (int v = 0; v < n_vector; v++)
                run[v] += (float)weight[k] * load_singles(rows + row[k] * n_hit + v * SINGLES);
#pragma GCC unroll 4
        for (int v = 0; v < n_vector; v++)
            store_sums(run[v], begin == 0, sums + v * SINGLES);
    }
}

/* Sums of fewer columns than a vector has. */
static void add_few(int64_t n_column, const float *rows, int64_t n_hit, int64_t n_entry,
                    const int64_t *row, const double *weight, double *sums)
{
    for (int64_t i = 0; i < n_column; i++) {
        sums[i] = 0;
        for (int64_t begin = 0; begin < n_entry; begin += RUN) {
            int64_t end = begin + RUN < n_entry ? begin + RUN : n_entry;
            float run = 0;
            for (int64_t k = begin; k < end; k++)
                run += (float)weight[k] * rows[row[k] * n_hit + i];
            sums[i] += run;
        }
    }
}

/* Sums of `n_column` columns. The last vector goes back over columns that have their sums, which are
 * the same again. */
static void add_tile(const float *rows, int64_t n_hit, int64_t n_column, int64_t n_entry,
                     const int64_t *row, const double *weight, double *sums)
{
    int64_t i = 0;
    if (n_column < SINGLES) {
        add_few(n_column, rows, n_hit, n_entry, row, weight, sums);
        return;
    }
    for (; i + VECTORS * SINGLES <= n_column; i += VECTORS * SINGLES)
        add_vectors(VECTORS, rows + i, n_hit, n_entry, row, weight, sums + i);
    for (; i < n_column; i += SINGLES) {
        i = i + SINGLES <= n_column ? i : n_column - SINGLES;
        add_vectors(1, rows + i, n_hit, n_entry, row, weight, sums + i);
    }
}

/* A table, and the rows that make up each of some pixels: entries of pixel i are from
 * indptr[i] to indptr[i + 1]. */
typedef struct {
    int64_t n_hit;
    const float *rows;
    const double *totals;
    const int64_t *indptr, *row;
    const double *weight;
} pixel_rows;

/* Sums of pixels from `begin` to `end`, to arrays that are `stride` values apart. */
static void add_rows_of(const pixel_rows *of, int64_t begin, int64_t end, double *sums,
                        int64_t stride)
{
    for (int64_t column = 0; column < of->n_hit; column += TILE) {
        int64_t left = of->n_hit - column, n_column = left < TILE ? left : TILE;
        for (int64_t i = begin; i < end; i++) {
            int64_t k = of->indptr[i];
            add_tile(of->rows + column, of->n_hit, n_column, of->indptr[i + 1] - k, of->row + k,
                     of->weight + k, sums + (i - begin) * stride + column);
        }
    }
}

/* With the weights of `add_rows_of`, which are rounded to float32, so that both have the same flux. */
static double total_of(const pixel_rows *of, int64_t i)
{
    double total = 0;
    for (int64_t k = of->indptr[i]; k < of->indptr[i + 1]; k++)
        total += (float)of->weight[k] * of->totals[of->row[k]];
    return total;
}

void add_rows(int64_t n_hit, const float *rows, const double *totals, int64_t n,
              const int64_t *indptr, const int64_t *row, const double *weight, double *unit_counts,
              double *total)
{
    pixel_rows of = {n_hit, rows, totals, indptr, row, weight};
    unsigned mode = begin_flush();
    add_rows_of(&of, 0, n, unit_counts, n_hit);
    for (int64_t i = 0; i < n; i++)
        total[i] = total_of(&of, i);
    end_flush(mode);
}

/* Pixels whose rows are added up together, where rows have several tiles: a tile of a row is then
 * read from far away once for so many. */
#define GROUP 16

void fit_rows(int64_t n_hit, const double *counts, const double *background, const float *rows,
              const double *totals, int64_t n, const int64_t *indptr, const int64_t *row,
              const double *weight, const kernel_options *options, double *room, double *results,
              int32_t *n_iter, uint8_t *status)
{
    pixel_rows of = {n_hit, rows, totals, indptr, row, weight};
    fit_output to = {n, results, n_iter, status};
    fit_bins bins = skyquilt_place_bins(n_hit, room);
    int64_t stride = bins.n, group = n_hit <= TILE ? 1 : GROUP;
    double *sums = bins.x + stride;
    skyquilt_fill_bins(&bins, n_hit, counts, background);
    memset(sums, 0, (size_t)(group * stride) * sizeof *sums);
    unsigned mode = begin_flush();
    for (int64_t begin = 0; begin < n; begin += group) {
        int64_t end = begin + group < n ? begin + group : n;
        add_rows_of(&of, begin, end, sums, stride);
        for (int64_t i = begin; i < end; i++) {
            bins.e = sums + (i - begin) * stride;
            skyquilt_fit_pixel(&bins, total_of(&of, i), options, i, &to);
        }
    }
    end_flush(mode);
}
