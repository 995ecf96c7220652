/* Expected density of events at the places where events are, for sources at given directions. */
#include <math.h>
#include <stdint.h>

#include "interface.h"
#include "nearby.h"

/* Value between two rows of a table. */
static double between(const double *values, int64_t n_column, int64_t column, double place)
{
    int64_t below = (int64_t)place;
    double share = place - (double)below;
    const double *at = values + below * n_column + column;
    return share > 0 ? (1 - share) * at[0] + share * at[n_column] : at[0];
}

/* Density of photons [sr-1] at a squared chord; columns are equal steps of the chord's root. */
static double density(const double *psf, int64_t n_column, double step, double node, double chord2)
{
    double place = sqrt(sqrt(chord2)) / step;
    int64_t column = (int64_t)place;
    if (column >= n_column - 1)
        return 0;
    double share = place - (double)column;
    return (1 - share) * between(psf, n_column, column, node) +
           share * between(psf, n_column, column + 1, node);
}

/* Whether a squared chord is within the reach of either of the profiles beside a node. */
static int is_within(const double *reach2, double node, double chord2)
{
    int64_t below = (int64_t)node;
    return chord2 < reach2[below] || (node > (double)below && chord2 < reach2[below + 1]);
}

int64_t event_counts(int64_t n, const double *directions, const int64_t *group,
                     const int64_t *range_stop, const int64_t *ranges, const double *places,
                     const double *flux_density, const double *psf_node,
                     const double *exposure_node, int64_t n_energy, const double *exposure,
                     int64_t n_column, double step, const double *psf, const double *reach2,
                     double most2, int64_t *stop, int64_t *bin, double *unit_counts)
{
    int64_t end = 0;
    for (int64_t i = 0; i < n; i++) {
        const double *source = directions + 3 * i, *own = exposure + i * n_energy;
        for (int64_t k = first_range(range_stop, group[i]); k < range_stop[group[i]]; k++)
            for (int64_t event = ranges[2 * k]; event < ranges[2 * k + 1]; event++) {
                double chord2 = squared_chord(source, places + 3 * event);
                if (chord2 >= most2 || !is_within(reach2, psf_node[event], chord2))
                    continue;
                double seen = between(own, 1, 0, exposure_node[event]);
                double spread = density(psf, n_column, step, psf_node[event], chord2);
                bin[end] = event;
                unit_counts[end] = flux_density[event] * seen * spread;
                end += unit_counts[end] > 0;
            }
        stop[i] = end;
    }
    return end;
}
