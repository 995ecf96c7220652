/* Bilinear neighbours on the sphere: four pixels around a direction, and their weights.
 *
 * A value at a direction is linear in longitude between the two nearest centres on the ring above
 * it, and on the ring below, and linear in colatitude between the two. Rings are those of Gorski et
 * al. 2005, ApJ 622, 759, equations 4 to 9, counted as in healpix.c; 0 and 4 nside are the poles,
 * which have no pixels: the value there is the mean of the four around.
 */
#include <math.h>

#include "healpix.h"
#include "interface.h"
#include "lanes.h"

#define PI 3.14159265358979323846

/* (atan(t) / t - 1) / t^2 as a polynomial in t^2, for |t| up to tan(pi / 8): interpolated at the
 * Chebyshev points of that range, which leaves an error of 7e-18 of the angle. */
#define N_ATAN 11
static const double ATAN[N_ATAN] = {
    -0.3333333333333333,  0.1999999999999552,  -0.14285714284666542, 0.11111111015256361,
    -0.09090904578123903, 0.07692183190826087, -0.06664511447381948, 0.0585814891280221,
    -0.0508544973794026,  0.03923165829558719, -0.01917688711906226,
};

/* atan(y / x) for y >= 0 and any x, in [0, pi].
 *
 * The smaller of the two over the larger is at most 1; above tan(pi / 8) the angle is taken from
 * pi / 4.
 */
static inline lanes upper_angle(lanes y, lanes x)
{
    lanes zero = {0}, width = absolute(x);
    lanes_int is_steep = y > width;
    lanes small = pick(is_steep, width, y), large = pick(is_steep, y, width);
    lanes_int is_turned = small > 0.41421356237309503 * large;
    large = pick(large == 0, zero + 1, large); /* at the pole the longitude is 0 */
    lanes t = pick(is_turned, small - large, small) / pick(is_turned, small + large, large);
    lanes z = t * t, z2 = z * z; /* two chains of products, which wait for each other less */
    lanes even = zero + ATAN[N_ATAN - 1], odd = zero + ATAN[N_ATAN - 2];
    for (int k = N_ATAN - 3; k >= 0; k -= 2)
        even = even * z2 + ATAN[k];
    for (int k = N_ATAN - 4; k >= 0; k -= 2)
        odd = odd * z2 + ATAN[k];
    lanes angle = t + t * z * (odd * z + even);
    angle += pick(is_turned, zero + PI / 4, zero);
    angle = pick(is_steep, PI / 2 - angle, angle);
    return pick(x < 0, PI - angle, angle);
}

/* Longitudes in turns, 0 to 1, and colatitudes. */
static inline lanes angles(lanes x, lanes y, lanes z, lanes *theta)
{
    lanes phi = upper_angle(absolute(y), x);
    *theta = upper_angle(square_root(x * x + y * y), z);
    return pick(y < 0, 2 * PI - phi, phi) * (0.5 / PI);
}

/* Rings: number of pixels, and by how much of one the centre of the first pixel is off longitude 0.
 *
 * Whole numbers are doubles here, for few processors multiply others in vectors: pixels of nside
 * 8192 are far below 2^53. Rings 0 and 4 nside are the poles, without pixels. */
typedef struct {
    lanes size, shift;
} ring_lanes;

static inline ring_lanes layout_of_lanes(double nside, lanes ring)
{
    lanes zero = {0}, north = smallest(ring, 4 * nside - ring);
    lanes reach = smallest(north, zero + nside), half = 0.5 * (north - reach);
    return (ring_lanes){4 * reach, 0.5 - (half - round_down(half))};
}

/* First pixels of rings. */
static inline lanes start_of(double nside, lanes ring)
{
    lanes zero = {0}, opposite = 4 * nside - ring, north = smallest(ring, opposite);
    lanes reach = smallest(north, zero + nside);
    lanes before = 2 * reach * (reach - 1) + 4 * nside * (north - reach);
    return pick(ring > opposite, 12 * nside * nside - 4 * reach - before, before);
}

/* Last ring at or north of some heights z, of 0 to 4 nside - 1: the heights of rings (healpix.c)
 * solved for their number, which is nside sigma in the north and nside (2 - 3 z / 2) in the belt. */
static inline lanes ring_before(double nside, lanes z)
{
    lanes zero = {0}, height = absolute(z);
    lanes depth = pick(height < 1, 1 - height, zero); /* |z| can round above 1 */
    lanes_int is_cap = height > 2.0 / 3;
    lanes ring = round_down(nside * pick(is_cap, square_root(3 * depth), 2 - 1.5 * z));
    return pick(is_cap & (z <= 0), 4 * nside - 1 - ring, ring);
}

/* Pixels west and east of longitudes on rings, of which `start` are the first; the weights of the
 * eastern ones. Longitudes are in turns. */
static inline lanes along_ring(ring_lanes ring, lanes start, lanes turns, int64_t *west_pixel,
                               int64_t *east_pixel)
{
    lanes position = turns * ring.size - ring.shift, zero = {0};
    lanes west = pick(position < 0, zero - 1, round_down(position)), weight = position - west;
    west += pick(west < 0, ring.size, zero);
    west -= pick(west >= ring.size, ring.size, zero);
    lanes east = west + 1;
    store_int(west_pixel, to_whole(start + west));
    store_int(east_pixel, to_whole(start + pick(east < ring.size, east, zero)));
    return weight;
}

/* The pole's weight goes to the four pixels around it, a quarter each: the pair of the ring next to
 * it is `near`; the other two, half a turn away, take the places of the pair `far`, which the pole
 * has not. */
static void share_pole(int64_t first, int k, int near, int far, int64_t ipix[4][BLOCK],
                       double weight[4][BLOCK])
{
    double quarter = (weight[far][k] + weight[far + 1][k]) / 4;
    for (int side = 0; side < 2; side++) {
        ipix[far + side][k] = ((ipix[near + side][k] - first + 2) & 3) + first;
        weight[far + side][k] = quarter;
        weight[near + side][k] += quarter;
    }
}

void skyquilt_neighbours(int64_t nside, const double *ring_theta, const double x[BLOCK],
                         const double y[BLOCK], const double z[BLOCK], int64_t ipix[4][BLOCK],
                         double weight[4][BLOCK])
{
    double n = (double)nside, from[BLOCK], to[BLOCK];
    int64_t ring[BLOCK], last = 4 * nside - 1;
    lanes rings[PARTS];
    lanes_int is_polar = {0};
    for (int part = 0; part < PARTS; part++) {
        rings[part] = ring_before(n, load(z + part * WIDTH));
        is_polar |= (rings[part] == 0) | (rings[part] == 4 * n - 1);
        store_int(ring + part * WIDTH, to_whole(rings[part]));
    }
    for (int k = 0; k < BLOCK; k++) {
        from[k] = ring_theta[ring[k]];
        to[k] = ring_theta[ring[k] + 1];
    }
    for (int part = 0, k = 0; part < PARTS; part++, k += WIDTH) {
        lanes theta, turns = angles(load(x + k), load(y + k), load(z + k), &theta);
        lanes above = rings[part], start = start_of(n, above);
        ring_lanes first = layout_of_lanes(n, above), second = layout_of_lanes(n, above + 1);
        lanes v = along_ring(first, start, turns, ipix[0] + k, ipix[1] + k);
        lanes w = along_ring(second, start + first.size, turns, ipix[2] + k, ipix[3] + k);
        lanes down = (theta - load(from + k)) / (load(to + k) - load(from + k)), up = 1 - down;
        store(weight[0] + k, (1 - v) * up);
        store(weight[1] + k, v * up);
        store(weight[2] + k, (1 - w) * down);
        store(weight[3] + k, w * down);
    }
    if (!any(is_polar))
        return;
    for (int k = 0; k < BLOCK; k++) {
        if (ring[k] == 0)
            share_pole(0, k, 2, 0, ipix, weight);
        else if (ring[k] == last)
            share_pole(12 * nside * nside - 4, k, 0, 2, ipix, weight);
    }
}

void interp_ring(int64_t nside, const double *ring_theta, int64_t n, const double *vec,
                 int64_t *ipix, double *weight)
{
    for (int64_t i = 0; i < n; i += BLOCK) {
        double at[3][BLOCK] = {{0}}, part[4][BLOCK];
        int64_t near[4][BLOCK], n_now = n - i < BLOCK ? n - i : BLOCK;
        for (int64_t k = 0; k < 3 * n_now; k++)
            at[k % 3][k / 3] = vec[3 * i + k];
        skyquilt_neighbours(nside, ring_theta, at[0], at[1], at[2], near, part);
        for (int64_t k = 0; k < 4 * n_now; k++) {
            ipix[4 * i + k] = near[k % 4][k / 4];
            weight[4 * i + k] = part[k % 4][k / 4];
        }
    }
}
