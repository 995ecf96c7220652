/* Integral of point spread functions over pixels, for sources at given directions.
 *
 * A point spread function depends on the angle from the source alone, so its integral over a
 * pixel is a line integral around it,
 *
 *     integral over the pixel of PSF dOmega = 1 / (2 pi) * integral over the border of C(theta) dphi
 *
 * (Green's theorem in polar coordinates around the source), with C(theta) the fraction of photons
 * within theta and phi the position angle. That holds with the source inside and outside, however
 * narrow the function is beside the pixel.
 *
 * Edges are arcs of great circles, cut where the source is near. On a piece, C - C(nearest point)
 * is integrated by a Gauss rule, C(nearest point) with the exact difference of phi: so nothing
 * singular is left where the source lies on the edge, and a constant C adds up to 0 or 2 pi.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "interface.h"
#include "nearby.h"

#define PI 3.14159265358979323846

/* Point spread functions by component, and how far they reach. */
typedef struct {
    int64_t n_component, n_column;
    double step;             /* of the root of the chord, between columns */
    double core;             /* scale of the narrowest of them [rad] */
    const double *contained; /* fraction within the chord: n_column rows of n_component values */
    const double *density;   /* [sr-1], same shape */
    const double *reach;     /* angle beyond which a component has nothing [rad] */
    double far;              /* in pixel radii: beyond it a pixel holds density times solid angle */
    int64_t n_wanted;        /* components to integrate, others are left alone */
    const int64_t *wanted;
} spread;

static spread spread_of(const spread_tables *of, int64_t n_wanted, const int64_t *wanted)
{
    return (spread){of->n_component, of->n_column, of->step,  of->core, of->contained,
                    of->density,     of->reach,    of->far, n_wanted, wanted};
}

/* An edge as seen from the source, in coordinates of its great circle. */
typedef struct {
    double start, stop; /* along the circle, from the point nearest to the source [rad] */
    double height;      /* sine of the circle's distance; above 0 on the left, inside a pixel */
} edge;

static void cross(const double a[3], const double b[3], double c[3])
{
    c[0] = a[1] * b[2] - a[2] * b[1];
    c[1] = a[2] * b[0] - a[0] * b[2];
    c[2] = a[0] * b[1] - a[1] * b[0];
}

static double dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/* Angles are small here, and then a few terms of their series are good to 1e-14. */
#define SMALL 0.25

static double sine_of(double x)
{
    double x2 = x * x;
    if (fabs(x) > SMALL)
        return sin(x);
    return x * (1 - x2 / 6 * (1 - x2 / 20 * (1 - x2 / 42 * (1 - x2 / 72 * (1 - x2 / 110)))));
}

static double cosine_of(double x)
{
    double x2 = x * x;
    if (fabs(x) > SMALL)
        return cos(x);
    return 1 - x2 / 2 * (1 - x2 / 12 * (1 - x2 / 30 * (1 - x2 / 56 * (1 - x2 / 90))));
}

static double angle_of(double y, double x)
{
    if (fabs(y) > SMALL * x)
        return atan2(y, x);
    double t = y / x, t2 = t * t;
    double high = t2 * (1. / 13 - t2 * (1. / 15 - t2 * (1. / 17 - t2 / 19)));
    return t * (1 - t2 * (1. / 3 - t2 * (1. / 5 - t2 * (1. / 7 - t2 * (1. / 9 - t2 * (1. / 11 - high))))));
}

/* Returns 0 for an edge without length. */
static int see_edge(const double source[3], const double a[3], const double b[3], edge *seen)
{
    double difference[3] = {b[0] - a[0], b[1] - a[1], b[2] - a[2]}, normal[3], along[3];
    cross(a, difference, normal);
    double sine = sqrt(dot(normal, normal));
    if (!(sine > 0))
        return 0;
    for (int k = 0; k < 3; k++)
        normal[k] /= sine;
    cross(normal, a, along);
    /* from the differences to a, which keep their digits near the source */
    double from_a[3] = {source[0] - a[0], source[1] - a[1], source[2] - a[2]};
    double at_a = angle_of(dot(from_a, along), dot(source, a));
    seen->height = dot(from_a, normal);
    seen->start = -at_a;
    seen->stop = angle_of(sine, dot(a, b)) - at_a;
    return 1;
}

static double smaller(double x, double y)
{
    return x < y ? x : y;
}

static double larger(double x, double y)
{
    return x > y ? x : y;
}

static double squared(double x)
{
    return x * x;
}

/* Squared chord from the source to a position on the edge. */
static double chord2_at(const edge *seen, double s)
{
    double root = sqrt(1 - squared(seen->height)), half = sine_of(0.5 * s);
    return 2 * (squared(seen->height) / (1 + root) + 2 * root * squared(half));
}

/* Row of the tables below a squared chord, and the fraction of the next one. */
static int64_t position_of(const spread *psf, double chord2, double *fraction)
{
    double position = sqrt(sqrt(chord2)) / psf->step;
    int64_t row = (int64_t)position, last = psf->n_column - 2;
    row = row < last ? row : last;
    *fraction = smaller(position - (double)row, 1);
    return row;
}

static void read_row(const spread *psf, const double *table, double chord2, double *values)
{
    double fraction;
    const double *below = table + position_of(psf, chord2, &fraction) * psf->n_component;
    const double *above = below + psf->n_component;
    for (int64_t k = 0; k < psf->n_wanted; k++) {
        int64_t c = psf->wanted[k];
        values[c] = (1 - fraction) * below[c] + fraction * above[c];
    }
}

/* Add a multiple of the wanted values. */
static void add_values(const spread *psf, double factor, const double *values, double *sum)
{
    for (int64_t k = 0; k < psf->n_wanted; k++)
        sum[psf->wanted[k]] += factor * values[psf->wanted[k]];
}

/* Difference in position angle between two directions on a circle of height h. */
static double turn(double h, double from, double to)
{
    double across = h * sine_of(to - from), aside = sine_of(from) * sine_of(to);
    return angle_of(across, h * h * cosine_of(from) * cosine_of(to) + aside);
}

/* Gauss-Legendre rules of three and four points on [-1, 1]: where the source is far beside the
 * length of a piece, three are enough. */
static const double nodes[2][4] = {
    {-0.7745966692414834, 0, 0.7745966692414834},
    {-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526}};
static const double node_weights[2][4] = {
    {5. / 9, 8. / 9, 5. / 9},
    {0.34785484513745385, 0.6521451548625461, 0.6521451548625461, 0.34785484513745385}};

/* Add the integral of C dphi over [from, to]; `values` is room for n_component numbers. */
static void add_piece(const spread *psf, const edge *seen, double from, double to, double *values,
                      double *sum)
{
    double nearest = from > 0 ? from : to < 0 ? to : 0, h = seen->height;
    double middle = 0.5 * (to + from), half = 0.5 * (to - from);
    double nearest2 = chord2_at(seen, nearest), constant = turn(h, from, to);
    int is_near = nearest2 < 4 * squared(half);
    for (int k = 0; k < 3 + is_near; k++) {
        double chord2 = chord2_at(seen, middle + half * nodes[is_near][k]);
        if (chord2 == 0)
            continue;
        /* dphi = height ds / sin^2 theta */
        double weight = half * node_weights[is_near][k] * h / (chord2 * (1 - 0.25 * chord2));
        constant -= weight;
        read_row(psf, psf->contained, chord2, values);
        add_values(psf, weight, values, sum);
    }
    read_row(psf, psf->contained, nearest2, values);
    add_values(psf, constant, values, sum);
}

/* Add the integral of C dphi along an edge, cut into pieces as long as the source is far. */
static void add_edge(const spread *psf, const double source[3], const double a[3],
                     const double b[3], double *values, double *sum)
{
    edge seen;
    if (!see_edge(source, a, b, &seen) || seen.height == 0)
        return;
    double nearest = seen.start > 0 ? seen.start : seen.stop < 0 ? seen.stop : 0;
    for (int side = -1; side <= 1; side += 2) {
        double end = side < 0 ? seen.start : seen.stop, s = nearest;
        while (s != end) {
            double length = larger(sqrt(squared(seen.height) + squared(s)), psf->core);
            double next = fabs(end - s) <= 1.5 * length ? end : s + side * length;
            if (side < 0)
                add_piece(psf, &seen, next, s, values, sum);
            else
                add_piece(psf, &seen, s, next, values, sum);
            s = next;
        }
    }
}

/* Row of a pixel: centre, solid angle [sr], radius [rad], and how much larger it is than with
 * straight edges between its four corners. */
enum { AREA = 3, RADIUS = 4, BULGE = 5, SHAPE = 6 };

#define ROUNDING 1e-14 /* of sums of position angles */

/* Add the density of each component times the area, from the four points of a Gauss rule. */
static void add_points(const spread *psf, const double source[3], const double *const corner[4],
                       double area, double *values, double *sum)
{
    const double low = 0.21132486540518713, high = 1 - low;
    double chord2[4], weight[4], all = 0;
    for (int k = 0; k < 4; k++) {
        double s = k & 1 ? high : low, t = k & 2 ? high : low, position[3], right[3], up[3], normal[3];
        for (int i = 0; i < 3; i++) {
            double bottom = corner[1][i] - corner[0][i], top = corner[2][i] - corner[3][i];
            double left = corner[3][i] - corner[0][i];
            right[i] = bottom + t * (top - bottom);
            up[i] = left + s * (top - bottom);
            position[i] = corner[0][i] + s * bottom + t * up[i];
        }
        cross(right, up, normal);
        double scale = 1 / sqrt(dot(position, position));
        for (int i = 0; i < 3; i++)
            position[i] *= scale;
        chord2[k] = squared_chord(source, position);
        weight[k] = sqrt(dot(normal, normal));
        all += weight[k];
    }
    for (int k = 0; k < 4; k++) {
        read_row(psf, psf->density, chord2[k], values);
        add_values(psf, weight[k] / all * area, values, sum);
    }
}

/* In units of a pixel's radius: farther pixels have straight edges between their four corners, and
 * still farther ones the density at four points (good to (size / distance)^4 / 10). */
#define FAR 3
#define FARTHER 5

/* Integral of the wanted components over a pixel; `values` is room for n_component numbers. */
static void integrate_pixel(const spread *psf, const double source[3], double distance,
                            int64_t n_vertex, const double *vertices, const double *shape,
                            double *values, double *integral)
{
    double radius = shape[RADIUS], factor = 1;
    for (int64_t k = 0; k < psf->n_wanted; k++)
        integral[psf->wanted[k]] = 0;
    if (distance > FARTHER * radius) {
        const double *corner[4];
        for (int k = 0; k < 4; k++)
            corner[k] = vertices + 3 * k * (n_vertex / 4);
        add_points(psf, source, corner, shape[AREA], values, integral);
    } else {
        int64_t stride = distance > FAR * radius ? n_vertex / 4 : 1;
        for (int64_t k = 0; k < n_vertex; k += stride)
            add_edge(psf, source, vertices + 3 * k, vertices + 3 * ((k + stride) % n_vertex),
                     values, integral);
        factor = (stride > 1 ? shape[BULGE] : 1) / (2 * PI);
    }
    for (int64_t k = 0; k < psf->n_wanted; k++) {
        int64_t c = psf->wanted[k];
        integral[c] *= factor;
        if (distance > psf->reach[c] + radius || !(integral[c] > ROUNDING))
            integral[c] = 0;
    }
}

/* List the components that contribute to any of some bands; `is_listed` is 0 before and after. */
static int64_t list_components(const band_weights *to_band, const int64_t *band, const int64_t *last,
                               int64_t *is_listed, int64_t *listed)
{
    int64_t n = 0;
    for (; band < last; band++)
        for (int64_t e = to_band->indptr[*band]; e < to_band->indptr[*band + 1]; e++) {
            int64_t c = to_band->component[e];
            listed[n] = c;
            n += !is_listed[c];
            is_listed[c] = 1;
        }
    for (int64_t k = 0; k < n; k++)
        is_listed[listed[k]] = 0;
    return n;
}

/* Expected counts in a band of a pixel, from the integral of each component over it. */
static double band_counts(const band_weights *to_band, int64_t band, const double *yield,
                          const double *integral)
{
    double sum = 0;
    for (int64_t e = to_band->indptr[band]; e < to_band->indptr[band + 1]; e++) {
        int64_t c = to_band->component[e];
        sum += to_band->weight[e] * yield[c] * integral[c];
    }
    return sum;
}

/* The same in a pixel far away, where the densities of the components lie in rows of a table. */
static double far_band_counts(const spread *psf, const band_weights *to_band, int64_t band,
                              const double *yield, const double *below, double fraction,
                              double distance, const double *shape)
{
    const double *above = below + psf->n_component;
    double sum = 0;
    for (int64_t e = to_band->indptr[band]; e < to_band->indptr[band + 1]; e++) {
        int64_t c = to_band->component[e];
        double part = ((1 - fraction) * below[c] + fraction * above[c]) * shape[AREA];
        if (distance <= psf->reach[c] + shape[RADIUS] && part > ROUNDING)
            sum += to_band->weight[e] * yield[c] * part;
    }
    return sum;
}

int64_t pixel_counts(int64_t n, const double *directions, const nearby_items *near,
                     const image_pixels *image, const spread_tables *tables,
                     const band_weights *to_band, const double *yields, double *room, int64_t *lists,
                     const entry_lists *to)
{
    int64_t n_component = tables->n_component, end = 0, *wanted = lists + n_component;
    spread psf = spread_of(tables, 0, wanted);
    const int64_t *bin_stop = image->bin_stop, *bin_band = image->bin_band;
    double *integral = room + n_component, most = 0;
    for (int64_t c = 0; c < n_component; c++)
        most = larger(most, psf.reach[c]);
    for (int64_t i = 0; i < n; i++) {
        const double *source = directions + 3 * i, *yield = yields + i * n_component;
        int64_t group = near->group[i];
        for (int64_t k = near->indptr[group]; k < near->indptr[group + 1]; k++)
            for (int64_t pixel = near->ranges[2 * k]; pixel < near->ranges[2 * k + 1]; pixel++) {
                const double *own = image->shapes + SHAPE * pixel;
                double chord2 = squared_chord(source, own);
                if (chord2 > squared(most + own[RADIUS]))
                    continue;
                int64_t b = pixel ? bin_stop[pixel - 1] : 0;
                double distance = sqrt(chord2), fraction = 0;
                int is_far = distance > psf.far * own[RADIUS];
                const double *below = psf.density;
                if (is_far) {
                    below += position_of(&psf, chord2, &fraction) * n_component;
                } else {
                    psf.n_wanted = list_components(to_band, bin_band + b,
                                                   bin_band + bin_stop[pixel], lists, wanted);
                    integrate_pixel(&psf, source, distance, image->n_vertex,
                                    image->vertices + pixel * image->n_vertex * 3, own, room,
                                    integral);
                }
                for (; b < bin_stop[pixel]; b++) {
                    double sum = is_far ? far_band_counts(&psf, to_band, bin_band[b], yield, below,
                                                          fraction, distance, own)
                                        : band_counts(to_band, bin_band[b], yield, integral);
                    to->column[end] = b;
                    to->value[end] = sum;
                    end += sum > 0;
                }
            }
        to->indptr[i + 1] = end;
    }
    return end;
}

/* Whether the arc from `from` to `to`, with normal vector `normal`, crosses the one from a to b. */
static int crosses(const double from[3], const double to[3], const double normal[3],
                   const double a[3], const double b[3])
{
    double side[3];
    if ((dot(normal, a) >= 0) == (dot(normal, b) >= 0))
        return 0;
    cross(a, b, side);
    if ((dot(side, from) >= 0) == (dot(side, to) >= 0))
        return 0;
    /* of the two points in which the circles meet, one lies on both arcs, or none */
    double meeting[3];
    cross(normal, side, meeting);
    double sign = dot(meeting, a) + dot(meeting, b);
    return (dot(meeting, from) + dot(meeting, to) >= 0) == (sign >= 0);
}

void border_containment(int64_t n, const double *directions, int64_t n_edge, const double *edges,
                        const double *inside, const spread_tables *tables, const int64_t *every,
                        double *room, double *contained_part)
{
    int64_t n_component = tables->n_component;
    spread psf = spread_of(tables, n_component, every);
    const double *all = psf.contained + (psf.n_column - 1) * n_component;
    double most = 0, length2 = 0;
    for (int64_t c = 0; c < n_component; c++)
        most = larger(most, psf.reach[c]);
    for (int64_t k = 0; k < n_edge; k++)
        length2 = larger(length2, squared_chord(edges + 6 * k, edges + 6 * k + 3));
    double near2 = squared(most + 2 * sqrt(length2));
    for (int64_t i = 0; i < n; i++) {
        const double *source = directions + 3 * i;
        double *part = contained_part + i * n_component, *sum = room + n_component, normal[3];
        double around = 0;
        int is_inside = 1;
        memset(sum, 0, (size_t)n_component * sizeof *sum);
        cross(inside, source, normal);
        for (int64_t k = 0; k < n_edge; k++) {
            const double *a = edges + 6 * k, *b = a + 3;
            is_inside ^= crosses(inside, source, normal, a, b);
            if (squared_chord(source, a) > near2)
                continue;
            edge seen;
            add_edge(&psf, source, a, b, room, sum);
            if (see_edge(source, a, b, &seen))
                around += turn(seen.height, seen.start, seen.stop);
        }
        /* what lies beyond the border is 1 - C, which is 0 far away */
        for (int64_t c = 0; c < n_component; c++) {
            part[c] = is_inside - (around - sum[c] / all[c]) / (2 * PI);
            /* on the border itself the two sides are told apart by rounding */
            part[c] += part[c] < -0.25 ? 1 : part[c] > 1.25 ? -1 : 0;
        }
    }
}
