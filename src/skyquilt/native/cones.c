/* Images of Compton cones, see skyquilt/instruments/compton/simulator/cones.py. */
#include <math.h>
#include <stdint.h>

#include "interface.h"

/* Add row `node` + `weight` of a table, linear between its rows, to an image. */
static void add_row(int64_t n_column, const float *low, float weight, float *image)
{
    const float *high = low + n_column;
    for (int64_t column = 0; column < n_column; column++)
        image[column] += low[column] + weight * (high[column] - low[column]);
}

void add_cones(int64_t n_pixel, int64_t n_part, const double *directions, const double *source,
               int64_t n_angle, int64_t n_column, const float *table, float *image)
{
    for (int64_t part = 0; part < n_pixel * n_part; part++) {
        const double *v = directions + 3 * part;
        double cosine = v[0] * source[0] + v[1] * source[1] + v[2] * source[2];
        double inside = cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
        double position = acos(inside) * ((double)(n_angle - 1) / 3.14159265358979323846);
        int64_t node = position < (double)(n_angle - 2) ? (int64_t)position : n_angle - 2;
        add_row(n_column, table + node * n_column, (float)(position - (double)node),
                image + part / n_part * n_column);
    }
}
