/* Least trimmed squares by concentration steps: Rousseeuw and Van Driessen (2006), Data Mining and
 * Knowledge Discovery 12, 29. */
#include "time_line.h"

#include <math.h>

enum { FIRST_STEPS = 2, MOST_STEPS = 50, MOST_KEPT = 10 };

typedef struct {
    double slope, intercept, sum; /* sum: of the squares that count */
} line;

typedef struct {
    int64_t n, n_used;
    const double *x, *time;
    double *squares, *sorted;
} points;

/* Next of a chain of random numbers (splitmix64). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The k-th smallest of n values, counted from 0; they change places. */
static double smallest(int64_t n, double *values, int64_t k)
{
    int64_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = values[(low + high) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i <= j) {
                double value = values[i];
                values[i++] = values[j];
                values[j--] = value;
            }
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            return values[k];
    }
    return values[k];
}

/* The least-squares line of the points that a line fits best; of equal ones the first. */
static line concentrate(const points *of, line from)
{
    for (int64_t i = 0; i < of->n; i++) {
        double residual = of->time[i] - (of->x[i] * from.slope + from.intercept);
        of->squares[i] = of->sorted[i] = residual * residual;
    }
    double limit = smallest(of->n, of->sorted, of->n_used - 1);
    int64_t n_equal = of->n_used;
    for (int64_t i = 0; i < of->n; i++)
        n_equal -= of->squares[i] < limit;
    double x = 0, time = 0;
    for (int64_t i = 0; i < of->n; i++) {
        int is_used = of->squares[i] < limit || (of->squares[i] == limit && n_equal-- > 0);
        of->sorted[i] = is_used;
        x += is_used ? of->x[i] : 0;
        time += is_used ? of->time[i] : 0;
    }
    x /= (double)of->n_used;
    time /= (double)of->n_used;
    double xx = 0, xt = 0, tt = 0;
    for (int64_t i = 0; i < of->n; i++) {
        double dx = of->x[i] - x, dt = of->time[i] - time, used = of->sorted[i];
        xx += used * dx * dx;
        xt += used * dx * dt;
        tt += used * dt * dt;
    }
    if (!(xx > 0))
        return (line){NAN, NAN, INFINITY};
    double slope = xt / xx, sum = tt - xt * slope;
    return (line){slope, time - slope * x, sum > 0 ? sum : 0};
}

/* Put a line among the best ones, which ascend; returns how many there are. */
static int64_t keep(int64_t n_kept, line *best, line found)
{
    int64_t position = n_kept;
    while (position > 0 && found.sum < best[position - 1].sum)
        position--;
    if (position == MOST_KEPT || !(found.sum < INFINITY) ||
        (position > 0 && best[position - 1].slope == found.slope &&
         best[position - 1].intercept == found.intercept))
        return n_kept;
    int64_t last = n_kept < MOST_KEPT ? n_kept : MOST_KEPT - 1;
    for (int64_t i = last; i > position; i--)
        best[i] = best[i - 1];
    best[position] = found;
    return last + 1;
}

/* Line through two points, after a few steps. */
static line from_pair(const points *of, int64_t i, int64_t j)
{
    double distance = of->x[j] - of->x[i];
    line found = {NAN, NAN, INFINITY};
    if (distance == 0)
        return found;
    found.slope = (of->time[j] - of->time[i]) / distance;
    found.intercept = of->time[i] - found.slope * of->x[i];
    for (int step = 0; step < FIRST_STEPS && !isnan(found.slope); step++)
        found = concentrate(of, found);
    return found;
}

static line converge(const points *of, line from)
{
    for (int step = 0; step < MOST_STEPS; step++) {
        line next = concentrate(of, from);
        if (!(next.sum < from.sum))
            return from;
        from = next;
    }
    return from;
}

void fit_time_line(int64_t n, const double *x, const double *time, int64_t n_start, uint64_t seed,
                   double *room, double *line_)
{
    points of = {n, (int64_t)(0.85 * (double)n), x, time, room, room + n};
    line best[MOST_KEPT];
    int64_t n_kept = 0, n_pair = n * (n - 1) / 2;
    if (n < 4)
        return;
    if (n_pair <= n_start) {
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = i + 1; j < n; j++)
                n_kept = keep(n_kept, best, from_pair(&of, i, j));
    } else {
        for (int64_t start = 0; start < n_start; start++) {
            int64_t i = (int64_t)(next_random(&seed) % (uint64_t)n);
            int64_t j = (int64_t)(next_random(&seed) % (uint64_t)(n - 1));
            n_kept = keep(n_kept, best, from_pair(&of, i, j + (j >= i)));
        }
    }
    if (!n_kept)
        return;
    line found = converge(&of, best[0]);
    for (int64_t i = 1; i < n_kept; i++) {
        line other = converge(&of, best[i]);
        found = other.sum < found.sum ? other : found;
    }
    double squares = 0;
    for (int64_t i = 0; i < n; i++) {
        double residual = time[i] - (x[i] * found.slope + found.intercept);
        squares += residual * residual;
    }
    line_[0] = found.intercept;
    line_[1] = sqrt(squares / (double)n);
    line_[2] = found.slope;
}
