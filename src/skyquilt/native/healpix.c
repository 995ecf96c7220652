/* Directions of HEALPix pixels, pixels of directions, orderings, bilinear neighbours.
 *
 * Gorski et al. 2005, ApJ 622, 759, section 4 and equations 2 to 9; the order of the arithmetic
 * follows healpix_base.cc (`nest2xyf`, `xyf2ring`, `pix2loc`, `loc2pix`, `get_interpol`), so that
 * results equal healpy's. Rings count from 1 at the north pole to 4 nside - 1 at the south pole.
 */
#include "healpix.h"

#include <math.h>

#include "interface.h"
#include "lanes.h"

#define PI 3.14159265358979323846

typedef struct {
    int64_t x, y, face;
} xyf; /* column and row within one of the 12 base pixels */

typedef struct {
    int64_t start, size, is_shifted; /* shifted: the first pixel is half a pixel off longitude 0 */
} ring_layout;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t spread_bits(int64_t n)
{
    n = (n | (n << 16)) & 0x0000FFFF0000FFFF;
    n = (n | (n << 8)) & 0x00FF00FF00FF00FF;
    n = (n | (n << 4)) & 0x0F0F0F0F0F0F0F0F;
    n = (n | (n << 2)) & 0x3333333333333333;
    return (n | (n << 1)) & 0x5555555555555555;
}

static int64_t even_bits(int64_t n)
{
    n &= 0x5555555555555555;
    n = (n | (n >> 1)) & 0x3333333333333333;
    n = (n | (n >> 2)) & 0x0F0F0F0F0F0F0F0F;
    n = (n | (n >> 4)) & 0x00FF00FF00FF00FF;
    n = (n | (n >> 8)) & 0x0000FFFF0000FFFF;
    return (n | (n >> 16)) & 0x00000000FFFFFFFF;
}

/* Ring of the southern corner of a base pixel, in units of nside. */
static int64_t face_ring(int64_t face)
{
    return 2 + (face >> 2);
}

/* Longitude of the centre of a base pixel, in units of 45 degrees. */
static int64_t face_column(int64_t face)
{
    return 2 * (face & 3) + (face >> 2 == 1 ? 0 : 1);
}

static ring_layout layout_of(int64_t nside, int64_t ring)
{
    int64_t north = smaller(ring, 4 * nside - ring);
    ring_layout layout;
    if (north < nside)
        layout = (ring_layout){2 * north * (north - 1), 4 * north, 1};
    else
        layout = (ring_layout){2 * nside * (nside - 1) + (north - nside) * 4 * nside, 4 * nside,
                               1 - ((north - nside) & 1)};
    if (north != ring)
        layout.start = 12 * nside * nside - layout.start - layout.size;
    return layout;
}

static int64_t whole_root(int64_t n)
{
    return (int64_t)sqrt((double)n + 0.5);
}

/* Ring of a ring pixel; `along` is its place on the ring, from 1. */
static int64_t ring_of(int64_t nside, int64_t ipix, int64_t *along)
{
    int64_t n_cap = 2 * nside * (nside - 1), npix = 12 * nside * nside;
    if (ipix < n_cap) {
        int64_t ring = (1 + whole_root(1 + 2 * ipix)) >> 1;
        *along = ipix + 1 - 2 * ring * (ring - 1);
        return ring;
    }
    if (ipix < npix - n_cap) {
        int64_t below = (ipix - n_cap) / (4 * nside);
        *along = ipix - n_cap - below * 4 * nside + 1;
        return below + nside;
    }
    int64_t left = npix - ipix;
    int64_t ring = (1 + whole_root(2 * left - 1)) >> 1;
    *along = 4 * ring + 1 - (left - 2 * ring * (ring - 1));
    return 4 * nside - ring;
}

/* Base pixel from the numbers of the diagonals through a point of the equatorial belt. */
static int64_t diagonal_face(int64_t rising, int64_t falling)
{
    if (rising == falling)
        return rising | 4;
    return rising < falling ? rising : falling + 8;
}

static int64_t face_of(int64_t nside, int64_t ring, int64_t along, int64_t quarter)
{
    if (ring < nside)
        return (along - 1) / quarter;
    if (ring > 3 * nside)
        return 8 + (along - 1) / quarter;
    int64_t below = ring - nside;
    int64_t falling = (along - ((below + 1) >> 1) + nside - 1) / nside;
    int64_t rising = (along - ((2 * nside + 1 - below) >> 1) + nside - 1) / nside;
    return diagonal_face(rising, falling);
}

static xyf nest_to_xyf(int64_t nside, int64_t ipix)
{
    int64_t within = ipix & (nside * nside - 1);
    return (xyf){even_bits(within), even_bits(within >> 1), ipix / (nside * nside)};
}

static int64_t xyf_to_nest(int64_t nside, xyf p)
{
    return p.face * nside * nside + (spread_bits(p.x) | (spread_bits(p.y) << 1));
}

static int64_t xyf_to_ring(int64_t nside, xyf p)
{
    ring_layout layout = layout_of(nside, face_ring(p.face) * nside - p.x - p.y - 1);
    int64_t column = face_column(p.face) * (layout.size / 4);
    int64_t along = (column + p.x - p.y + 2 - layout.is_shifted) >> 1;
    if (along > layout.size)
        along -= layout.size;
    else if (along < 1)
        along += layout.size;
    return layout.start + along - 1;
}

int64_t skyquilt_ring_to_nest_pixel(int64_t nside, int64_t ipix)
{
    int64_t along, ring = ring_of(nside, ipix, &along);
    ring_layout layout = layout_of(nside, ring);
    int64_t quarter = layout.size / 4, face = face_of(nside, ring, along, quarter);
    int64_t across = ring - face_ring(face) * nside + 1;
    int64_t aside = 2 * along - face_column(face) * quarter - 2 + layout.is_shifted;
    if (aside >= 2 * nside)
        aside -= 8 * nside;
    return xyf_to_nest(nside, (xyf){(aside - across) >> 1, (-aside - across) >> 1, face});
}

/* Cosine of the colatitude of a ring; `sine` receives the sine. */
static double ring_height(int64_t nside, int64_t ring, double *sine)
{
    int64_t north = smaller(ring, 4 * nside - ring);
    double z;
    if (north < nside) {
        double depth = (double)(north * north) / (double)(3 * nside * nside); /* 1 - |z| */
        z = 1 - depth;
        *sine = sqrt(depth * (2 - depth));
    } else {
        z = (double)((2 * nside - north) * 2) / (double)(3 * nside);
        *sine = sqrt((1 - z) * (1 + z));
    }
    return north == ring ? z : -z;
}

static void ring_pixel_to_vec(int64_t nside, int64_t ipix, double *vec)
{
    int64_t along, ring = ring_of(nside, ipix, &along);
    ring_layout layout = layout_of(nside, ring);
    double sine, z = ring_height(nside, ring, &sine);
    double place = (double)(along - 1) + 0.5 * (double)layout.is_shifted;
    double phi = place * 2 * PI / (double)layout.size;
    vec[0] = sine * cos(phi);
    vec[1] = sine * sin(phi);
    vec[2] = z;
}

/* Longitude in units of 90 degrees, in [0, 4). */
static double quarter_turns(double x, double y)
{
    double quarter = atan2(y, x) * (2 / PI);
    if (quarter < 0)
        quarter += 4;
    return quarter < 4 ? quarter : 0; /* -1e-20 + 4 rounds to 4 */
}

static xyf belt_xyf(int64_t nside, double z, double quarter)
{
    double east = (double)nside * (0.5 + quarter), north = (double)nside * (z * 0.75);
    int64_t falling = (int64_t)(east - north), rising = (int64_t)(east + north);
    int64_t face = diagonal_face(falling / nside, rising / nside);
    return (xyf){rising % nside, nside - falling % nside - 1, face};
}

static xyf cap_xyf(int64_t nside, double x, double y, double z, double quarter)
{
    /* nside sqrt(3 (1 - |z|)), in a form that keeps its digits at the poles */
    double reach = (double)nside * sqrt(3 * (x * x + y * y) / (1 + fabs(z)));
    int64_t face = (int64_t)quarter;
    double part = quarter - (double)face;
    int64_t out = smaller((int64_t)(part * reach), nside - 1);
    int64_t back = smaller((int64_t)((1 - part) * reach), nside - 1);
    if (z > 0)
        return (xyf){nside - back - 1, nside - out - 1, face};
    return (xyf){out, back, face + 8};
}

static xyf vec_to_xyf(int64_t nside, double x, double y, double z)
{
    double quarter = quarter_turns(x, y);
    return fabs(z) <= 2.0 / 3 ? belt_xyf(nside, z, quarter) : cap_xyf(nside, x, y, z, quarter);
}

/* By way of the base pixel: counting rings and places directly, as `loc2pix` does, goes wrong
 * where rounding puts a direction on the corner of two pixels at |z| = 2/3. */
int64_t skyquilt_nearest_ring_pixel(int64_t nside, double x, double y, double z)
{
    return xyf_to_ring(nside, vec_to_xyf(nside, x, y, z));
}

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

/* Last ring at or north of some heights z, of 0 to 4 nside - 1. */
static inline lanes ring_above(double nside, lanes z)
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
    lanes place = turns * ring.size - ring.shift, zero = {0};
    lanes west = pick(place < 0, zero - 1, round_down(place)), weight = place - west;
    west += pick(west < 0, ring.size, zero);
    west -= pick(west >= ring.size, ring.size, zero);
    lanes east = west + 1;
    store_int(west_pixel, to_whole(start + west));
    store_int(east_pixel, to_whole(start + pick(east < ring.size, east, zero)));
    return weight;
}

/* The value at a pole is the mean of the four pixels around it: the pair on the ring next to it is
 * `near`, and the pair on the `far` side of the pole takes the place of a ring beyond it. */
static void cross_pole(int64_t first, int k, int near, int far, int64_t ipix[4][BLOCK],
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
        rings[part] = ring_above(n, load(z + part * WIDTH));
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
            cross_pole(0, k, 2, 0, ipix, weight);
        else if (ring[k] == last)
            cross_pole(12 * nside * nside - 4, k, 0, 2, ipix, weight);
    }
}

/* ---- arrays; directions are n times x, y, z ---- */

void nest_to_ring(int64_t nside, int64_t n, const int64_t *nest, int64_t *ring)
{
    for (int64_t i = 0; i < n; i++)
        ring[i] = xyf_to_ring(nside, nest_to_xyf(nside, nest[i]));
}

void ring_to_nest(int64_t nside, int64_t n, const int64_t *ring, int64_t *nest)
{
    for (int64_t i = 0; i < n; i++)
        nest[i] = skyquilt_ring_to_nest_pixel(nside, ring[i]);
}

void nest_to_vec(int64_t nside, int64_t n, const int64_t *ipix, double *vec)
{
    for (int64_t i = 0; i < n; i++)
        ring_pixel_to_vec(nside, xyf_to_ring(nside, nest_to_xyf(nside, ipix[i])), vec + 3 * i);
}

void ring_to_vec(int64_t nside, int64_t n, const int64_t *ipix, double *vec)
{
    for (int64_t i = 0; i < n; i++)
        ring_pixel_to_vec(nside, ipix[i], vec + 3 * i);
}

void vec_to_nest(int64_t nside, int64_t n, const double *vec, int64_t *ipix)
{
    for (int64_t i = 0; i < n; i++, vec += 3)
        ipix[i] = xyf_to_nest(nside, vec_to_xyf(nside, vec[0], vec[1], vec[2]));
}

void vec_to_ring(int64_t nside, int64_t n, const double *vec, int64_t *ipix)
{
    for (int64_t i = 0; i < n; i++, vec += 3)
        ipix[i] = skyquilt_nearest_ring_pixel(nside, vec[0], vec[1], vec[2]);
}

void ring_thetas(int64_t nside, double *theta)
{
    for (int64_t ring = 1; ring < 4 * nside; ring++) {
        double sine, z = ring_height(nside, ring, &sine);
        theta[ring] = atan2(sine, z);
    }
    theta[0] = 0;
    theta[4 * nside] = PI;
}

void interp_ring(int64_t nside, const double *ring_theta, int64_t n, const double *vec,
                 int64_t *ipix, double *weight)
{
    for (int64_t i = 0; i < n; i += BLOCK) {
        double at[3][BLOCK] = {{0}}, share[4][BLOCK];
        int64_t near[4][BLOCK], n_now = smaller(BLOCK, n - i);
        for (int64_t k = 0; k < 3 * n_now; k++)
            at[k % 3][k / 3] = vec[3 * i + k];
        skyquilt_neighbours(nside, ring_theta, at[0], at[1], at[2], near, share);
        for (int64_t k = 0; k < 4 * n_now; k++) {
            ipix[4 * i + k] = near[k % 4][k / 4];
            weight[4 * i + k] = share[k % 4][k / 4];
        }
    }
}
