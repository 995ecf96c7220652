/* Expected density of events at the places where events are, for sources at given directions. */
#include <math.h>
#include <stdint.h>

#include "nearby.h"

/* Row of an event: place, squared chord of its reach, flux density, and places in the tables of
 * point spread function and exposure: node below, plus the share of the next one. */
enum { REACH = 3, FLUX = 4, PSF_NODE = 5, EXPOSURE_NODE = 6, ROW = 7 };

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

/* Entries of n directions; returns their number.
 *
 * Direction i looks at the events in `ranges` of its group. `exposure` holds n rows of n_energy
 * values. `bin` and `unit_counts` have room for all events that are looked at.
 */
int64_t event_counts(int64_t n, const double *directions, const int64_t *group,
                     const int64_t *range_stop, const int64_t *ranges, const double *events,
                     int64_t n_energy, const double *exposure, int64_t n_column, double step,
                     const double *psf, int64_t *stop, int64_t *bin, double *unit_counts)
{
    int64_t end = 0;
    for (int64_t i = 0; i < n; i++) {
        const double *source = directions + 3 * i, *own = exposure + i * n_energy;
        for (int64_t k = first_range(range_stop, group[i]); k < range_stop[group[i]]; k++)
            for (int64_t event = ranges[2 * k]; event < ranges[2 * k + 1]; event++) {
                const double *row = events + event * ROW;
                double chord2 = squared_chord(source, row);
                if (chord2 >= row[REACH])
                    continue;
                double seen = between(own, 1, 0, row[EXPOSURE_NODE]);
                bin[end] = event;
                unit_counts[end] =
                    row[FLUX] * seen * density(psf, n_column, step, row[PSF_NODE], chord2);
                end += unit_counts[end] > 0;
            }
        stop[i] = end;
    }
    return end;
}
