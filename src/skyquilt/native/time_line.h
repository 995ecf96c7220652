/* A line through times along the axis of an image that a few wrong ones do not turn. */
#ifndef SKYQUILT_TIME_LINE
#define SKYQUILT_TIME_LINE

#include <stdint.h>

/* Least trimmed squares: of all lines the one whose 85 % smallest squares have the least sum. Writes
 * its value at 0, the root mean square of all points around it, and its slope; NaN of fewer than 4
 * points, for which any pair fits. `room` has space for 3 n values. */
void fit_time_line(int64_t n, const double *x, const double *time, int64_t n_start, uint64_t seed,
                   double *room, double *line);

#endif
