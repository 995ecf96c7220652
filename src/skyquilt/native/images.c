/* What an image of a shower looks like: its ellipse, how much of it is at the edge or in the middle,
 * its islands, its time line. The formulas are in docs/showers.md. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "interface.h"
#include "time_line.h"

/* Parameters of an image, as skyquilt.showers.images names them. */
enum {
    INTENSITY, SKEWNESS, KURTOSIS, LON, LAT, R, PHI, LENGTH, LENGTH_ERROR, WIDTH, WIDTH_ERROR,
    PSI, PSI_ERROR, TRANSVERSE_ERROR,
    INTERCEPT, DEVIATION, SLOPE,
    EDGE_PIXELS_1, EDGE_PIXELS_2, EDGE_INTENSITY_1, EDGE_INTENSITY_2,
    IN_CENTRE, IN_ELLIPSE, IN_PIXEL,
    N_PIXEL, N_ISLAND, N_SMALL, N_MEDIUM, N_LARGE,
    CHARGES, /* 6 statistics each */
    TIMES = CHARGES + 6,
    N_PARAMETER = TIMES + 6
};

enum { SMALL_ISLAND = 2, LARGE_ISLAND = 50 }; /* at most, more than so many pixels */

#define DEGREES 57.29577951308232 /* of a radian */
#define HALF_PI 1.5707963267948966

/* The pixels that are kept, one after the other. */
typedef struct {
    int64_t n;
    const int64_t *pixel;
    double *charge, *time, *x, *y; /* x, y: from the centroid; then along and across the ellipse */
    double *area, *room;
} kept_pixels;

static double sum_of(int64_t n, const double *values)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

static double mean_of(const kept_pixels *kept, double sum, const double *values)
{
    double weighted = 0;
    for (int64_t i = 0; i < kept->n; i++)
        weighted += kept->charge[i] * values[i];
    return weighted / sum;
}

/* Largest, smallest, mean, standard deviation, skewness, kurtosis (0 of a Gaussian). */
static void describe(int64_t n, const double *values, double *statistics)
{
    double mean = sum_of(n, values) / (double)n, most = values[0], least = values[0];
    double second = 0, third = 0, fourth = 0;
    for (int64_t i = 0; i < n; i++) {
        double distance = values[i] - mean, square = distance * distance;
        most = values[i] > most ? values[i] : most;
        least = values[i] < least ? values[i] : least;
        second += square;
        third += square * distance;
        fourth += square * square;
    }
    double variance = second / (double)n, deviation = sqrt(variance);
    statistics[0] = most;
    statistics[1] = least;
    statistics[2] = mean;
    statistics[3] = deviation;
    statistics[4] = third / (double)n / (variance * deviation);
    statistics[5] = fourth / (double)n / (variance * variance) - 3;
}

/* Errors of length and width, from the fourth moments. */
static void size_errors(const kept_pixels *kept, double sum, const double *covariance, double psi,
                        double *row)
{
    double a = (1 + cos(2 * psi)) / 2, b = (1 - cos(2 * psi)) / 2, c = sin(2 * psi);
    double length = 0, width = 0;
    for (int64_t i = 0; i < kept->n; i++) {
        double xx = (kept->x[i] * kept->x[i] - covariance[0]) / sum;
        double yy = (kept->y[i] * kept->y[i] - covariance[1]) / sum;
        double xy = (kept->x[i] * kept->y[i] - covariance[2]) / sum;
        double along = a * xx + b * yy + c * xy, across = b * xx + a * yy - c * xy;
        length += along * along * kept->charge[i];
        width += across * across * kept->charge[i];
    }
    row[LENGTH_ERROR] = row[LENGTH] > 0 ? sqrt(length) / (2 * row[LENGTH]) : NAN;
    row[WIDTH_ERROR] = row[WIDTH] > 0 ? sqrt(width) / (2 * row[WIDTH]) : NAN;
}

/* Errors of the angle and across the axis: a line through the charges, in the frame of the
 * ellipse. */
static void axis_errors(const kept_pixels *kept, double *row)
{
    double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
    for (int64_t i = 0; i < kept->n; i++) {
        double weight = kept->charge[i] / kept->area[i];
        w += weight;
        wx += weight * kept->x[i];
        wxx += weight * kept->x[i] * kept->x[i];
        wy += weight * kept->y[i];
        wxy += weight * kept->x[i] * kept->y[i];
    }
    double determinant = w * wxx - wx * wx;
    double slope = (w * wxy - wx * wy) / determinant;
    double roundness = tan(row[WIDTH] / row[LENGTH] * HALF_PI);
    row[PSI_ERROR] =
        DEGREES * sqrt(w / determinant + slope * slope) * (1 + roundness * roundness);
    row[TRANSVERSE_ERROR] = sqrt(wxx / determinant * (1 + sin(slope) * sin(slope)));
}

/* The ellipse of second moments. Leaves pixels in its frame; returns psi [rad]. */
static double fit_ellipse(const kept_pixels *kept, double sum, double *row)
{
    row[INTENSITY] = sum;
    row[LON] = mean_of(kept, sum, kept->x);
    row[LAT] = mean_of(kept, sum, kept->y);
    row[R] = hypot(row[LON], row[LAT]);
    row[PHI] = DEGREES * atan2(row[LAT], row[LON]);
    double xx = 0, yy = 0, xy = 0;
    for (int64_t i = 0; i < kept->n; i++) {
        double x = kept->x[i] -= row[LON], y = kept->y[i] -= row[LAT];
        xx += kept->charge[i] * x * x;
        yy += kept->charge[i] * y * y;
        xy += kept->charge[i] * x * y;
    }
    double covariance[3] = {xx / sum, yy / sum, xy / sum};
    double half = (covariance[0] - covariance[1]) / 2;
    double first = (covariance[0] + covariance[1]) / 2 + hypot(half, covariance[2]);
    /* det / first has no cancellation of two sums; squares below the rounding of 1 deg2 are 0 */
    double second = (covariance[0] * covariance[1] - covariance[2] * covariance[2]) / first;
    row[LENGTH] = first > DBL_EPSILON ? sqrt(first) : 0;
    row[WIDTH] = second > DBL_EPSILON ? sqrt(second) : 0;
    double psi = atan2(covariance[2], half) / 2;
    psi = row[LENGTH] > 0 ? psi > -HALF_PI ? psi : HALF_PI : NAN;
    row[PSI] = DEGREES * psi;
    size_errors(kept, sum, covariance, psi, row);
    double third = 0, fourth = 0;
    for (int64_t i = 0; i < kept->n; i++) {
        double along = kept->x[i] * cos(psi) + kept->y[i] * sin(psi);
        kept->y[i] = kept->y[i] * cos(psi) - kept->x[i] * sin(psi);
        kept->x[i] = along;
        third += kept->charge[i] * along * along * along;
        fourth += kept->charge[i] * along * along * along * along;
    }
    row[SKEWNESS] = third / sum / (first * row[LENGTH]);
    row[KURTOSIS] = fourth / sum / (first * first);
    axis_errors(kept, row);
    return psi;
}

/* Fractions of pixels and charge in the rings at the edge, and of charge in the middle. */
static void fractions(const camera_pixels *camera, const kept_pixels *kept, double *row)
{
    double n_edge[2] = {0}, edge[2] = {0}, centre = 0, ellipse = 0, most = kept->charge[0];
    double length2 = row[LENGTH] * row[LENGTH], width2 = row[WIDTH] * row[WIDTH];
    for (int64_t i = 0; i < kept->n; i++) {
        uint8_t ring = camera->ring[kept->pixel[i]];
        double charge = kept->charge[i], diameter = camera->diameter[kept->pixel[i]];
        double x2 = kept->x[i] * kept->x[i], y2 = kept->y[i] * kept->y[i];
        for (int two = 0; two < 2; two++) {
            n_edge[two] += ring == 1 || (two && ring == 2);
            edge[two] += ring == 1 || (two && ring == 2) ? charge : 0;
        }
        centre += x2 + y2 < diameter * diameter ? charge : 0;
        ellipse += width2 > 0 && x2 / length2 + y2 / width2 <= 1 ? charge : 0;
        most = charge > most ? charge : most;
    }
    row[EDGE_PIXELS_1] = n_edge[0] / (double)kept->n;
    row[EDGE_PIXELS_2] = n_edge[1] / (double)kept->n;
    row[EDGE_INTENSITY_1] = edge[0] / row[INTENSITY];
    row[EDGE_INTENSITY_2] = edge[1] / row[INTENSITY];
    row[IN_CENTRE] = centre / row[INTENSITY];
    row[IN_ELLIPSE] = ellipse / row[INTENSITY];
    row[IN_PIXEL] = most / row[INTENSITY];
}

/* Islands of kept pixels: `todo` is a stack of them, `seen` marks those that had their turn. */
static void count_islands(const camera_pixels *camera, const kept_pixels *kept,
                          const uint8_t *mask, int64_t *todo, int64_t *seen, double *row)
{
    for (int64_t i = 0; i < kept->n; i++)
        seen[kept->pixel[i]] = 0;
    double n_of[3] = {0};
    for (int64_t i = 0; i < kept->n; i++) {
        if (seen[kept->pixel[i]])
            continue;
        int64_t size = 0, n_todo = 1;
        todo[0] = kept->pixel[i];
        seen[todo[0]] = 1;
        while (n_todo) {
            int64_t pixel = todo[--n_todo];
            size++;
            for (int64_t k = camera->indptr[pixel]; k < camera->indptr[pixel + 1]; k++) {
                int64_t neighbour = camera->neighbour[k];
                if (mask[neighbour] && !seen[neighbour]) {
                    seen[neighbour] = 1;
                    todo[n_todo++] = neighbour;
                }
            }
        }
        n_of[size <= SMALL_ISLAND ? 0 : size <= LARGE_ISLAND ? 1 : 2]++;
    }
    row[N_PIXEL] = (double)kept->n;
    row[N_ISLAND] = n_of[0] + n_of[1] + n_of[2];
    memcpy(row + N_SMALL, n_of, sizeof n_of);
}

static void describe_image(const camera_pixels *camera, int64_t min_pixels, int64_t n_start,
                           int64_t seed, const float *charge, const float *time,
                           const uint8_t *mask, double *room, int64_t *lists, double *row)
{
    int64_t n_pixel = camera->n_pixel, n = 0;
    for (int64_t i = 0; i < N_PARAMETER; i++)
        row[i] = NAN;
    for (int64_t pixel = 0; pixel < n_pixel; pixel++)
        if (mask[pixel])
            lists[n++] = pixel;
    kept_pixels kept = {n,
                        lists,
                        room,
                        room + n_pixel,
                        room + 2 * n_pixel,
                        room + 3 * n_pixel,
                        room + 4 * n_pixel,
                        room + 5 * n_pixel};
    for (int64_t i = 0; i < n; i++) {
        kept.charge[i] = charge[lists[i]];
        kept.x[i] = camera->x[lists[i]];
        kept.y[i] = camera->y[lists[i]];
        kept.area[i] = camera->area[lists[i]];
    }
    double sum = sum_of(n, kept.charge);
    if (n < min_pixels || !(sum > 0))
        return;
    fit_ellipse(&kept, sum, row);
    fractions(camera, &kept, row);
    count_islands(camera, &kept, mask, lists + n_pixel, (int64_t *)kept.room, row);
    describe(n, kept.charge, row + CHARGES);
    if (!n_start)
        return;
    for (int64_t i = 0; i < n; i++)
        kept.time[i] = time[lists[i]];
    describe(n, kept.time, row + TIMES);
    fit_time_line(n, kept.x, kept.time, n_start, (uint64_t)seed, kept.room, row + INTERCEPT);
}

void image_parameters(int64_t n, const camera_pixels *camera, int64_t min_pixels, int64_t n_start,
                      const int64_t *seed, const float *charge, const float *time,
                      const uint8_t *mask, double *room, int64_t *lists, double *parameters)
{
    for (int64_t image = 0; image < n; image++) {
        int64_t first = image * camera->n_pixel;
        describe_image(camera, min_pixels, n_start, seed[image], charge + first, time + first,
                       mask + first, room, lists, parameters + image * N_PARAMETER);
    }
}
