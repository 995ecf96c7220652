/* Expected density of events at the directions where events are, for sources at given directions. */
#include <math.h>
#include <stdint.h>

#include "interface.h"
#include "nearby.h"

/* Value between two rows of a table. */
static double between(const double *values, int64_t n_column, int64_t column, double position)
{
    int64_t below = (int64_t)position;
    double fraction = position - (double)below;
    const double *at = values + below * n_column + column;
    return fraction > 0 ? (1 - fraction) * at[0] + fraction * at[n_column] : at[0];
}

/* Density of photons [sr-1] at a squared chord; columns are equal steps of the chord's root. */
static double density(const double *psf, int64_t n_column, double step, double node, double chord2)
{
    double position = sqrt(sqrt(chord2)) / step;
    int64_t column = (int64_t)position;
    if (column >= n_column - 1)
        return 0;
    double fraction = position - (double)column;
    return (1 - fraction) * between(psf, n_column, column, node) +
           fraction * between(psf, n_column, column + 1, node);
}

/* Whether a squared chord is within the reach of either of the profiles beside a node. */
static int is_within(const double *reach2, double node, double chord2)
{
    int64_t below = (int64_t)node;
    return chord2 < reach2[below] || (node > (double)below && chord2 < reach2[below + 1]);
}

int64_t event_counts(int64_t n, const double *directions, const nearby_items *near,
                     const hit_events *events, const event_spread *psf, int64_t n_energy,
                     const double *exposure, const entry_lists *to)
{
    int64_t end = 0;
    for (int64_t i = 0; i < n; i++) {
        const double *source = directions + 3 * i, *own = exposure + i * n_energy;
        int64_t group = near->group[i];
        for (int64_t k = near->indptr[group]; k < near->indptr[group + 1]; k++)
            for (int64_t event = near->ranges[2 * k]; event < near->ranges[2 * k + 1]; event++) {
                double chord2 = squared_chord(source, events->directions + 3 * event);
                double node = events->psf_node[event];
                if (chord2 >= psf->most2 || !is_within(psf->reach2, node, chord2))
                    continue;
                double seen = between(own, 1, 0, events->exposure_node[event]);
                double spread = density(psf->density, psf->n_column, psf->step, node, chord2);
                to->column[end] = event;
                to->value[end] = events->flux_density[event] * seen * spread;
                end += to->value[end] > 0;
            }
        to->indptr[i + 1] = end;
    }
    return end;
}
