/* HEALPix: pixels of directions, directions of pixels, orderings.
 *
 * Everything here follows from two papers:
 *   Gorski et al. 2005, ApJ 622, 759 (G05): heights of rings, equations 4 to 9; section 4;
 *   Calabretta and Roukema 2007, MNRAS 381, 865 (CR07): the projection with H = 4, K = 3.
 *
 * That projection puts the twelve base pixels on a plane as squares that stand on a corner. Let x be
 * the longitude in quarters of a turn, and y the height on the plane, in the same unit: in the belt
 * y = 3 z / 4, in the caps y = 1 - sigma / 2 with sigma = sqrt(3 (1 - |z|)), and longitudes shrink
 * towards the middle of their quarter by sigma (CR07, section 2). On the diagonals
 *
 *     rise = nside (x + y + 1/2),     fall = nside (x - y + 1/2)
 *
 * all pixels are unit squares: a pixel is a pair of whole numbers, its `cell`. Base pixels are the
 * squares of nside by nside cells with (rise, fall) / nside = (k, k) on the equator, (k + 1, k) in the
 * north and (k, k + 1) in the south, k = 0 to 3; k = 4 on the equator is k = 0 again. As y falls by
 * 1 / (2 nside) from ring to ring, from ring 1 at y = 1 - 1 / (2 nside),
 *
 *     ring = 2 nside - rise + fall.
 *
 * South is north with rise and fall exchanged. nside is a power of two, n below.
 */
#include "healpix.h"

#include <math.h>

#include "interface.h"

#define PI 3.14159265358979323846

typedef struct {
    int64_t rise, fall;
} cell;

typedef struct {
    int64_t ring, along; /* ring 1 to 4 n - 1 from the north; pixel of the ring, 0 at longitude 0 */
} spot;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int order_of(int64_t n)
{
    return __builtin_ctzll((unsigned long long)n);
}

/* ---- nested numbers: bits of two coordinates in turn (G05, section 4) ---- */

/* Exchange two bit fields of a word that lie `by` places apart; `low` marks the lower one. */
static uint64_t exchange(uint64_t word, int by, uint64_t low)
{
    uint64_t differs = (word ^ (word >> by)) & low;
    return word ^ differs ^ (differs << by);
}

/* The lower half of a word goes to its even bits, the upper half to its odd ones: a perfect shuffle
 * (Warren 2013, Hacker's Delight, section 7-2). */
static uint64_t shuffle(uint64_t word)
{
    word = exchange(word, 16, 0x00000000FFFF0000);
    word = exchange(word, 8, 0x0000FF000000FF00);
    word = exchange(word, 4, 0x00F000F000F000F0);
    word = exchange(word, 2, 0x0C0C0C0C0C0C0C0C);
    return exchange(word, 1, 0x2222222222222222);
}

static uint64_t unshuffle(uint64_t word)
{
    word = exchange(word, 1, 0x2222222222222222);
    word = exchange(word, 2, 0x0C0C0C0C0C0C0C0C);
    word = exchange(word, 4, 0x00F000F000F000F0);
    word = exchange(word, 8, 0x0000FF000000FF00);
    return exchange(word, 16, 0x00000000FFFF0000);
}

/* Base pixels 0 to 3 are those of the north, 4 to 7 of the equator, 8 to 11 of the south. */
static int64_t base_of(int order, cell c)
{
    int64_t across = c.rise >> order, down = c.fall >> order;
    int64_t row = 1 + (down > across) - (across > down);
    return 4 * row + (smaller(across, down) & 3);
}

/* Within its base pixel a cell counts along rise, to the north-east, and against fall, to the
 * north-west. */
static int64_t cell_to_nest(int64_t n, cell c)
{
    int order = order_of(n);
    uint64_t east = (uint64_t)(c.rise & (n - 1)), west = (uint64_t)(~c.fall & (n - 1));
    return (base_of(order, c) << 2 * order) + (int64_t)shuffle(west << 32 | east);
}

static cell nest_to_cell(int64_t n, int64_t ipix)
{
    int order = order_of(n);
    int64_t base = ipix >> 2 * order, row = base >> 2, quarter = base & 3;
    uint64_t both = unshuffle((uint64_t)(ipix & (n * n - 1)));
    int64_t east = (int64_t)(both & 0xFFFFFFFF), west = (int64_t)(both >> 32);
    return (cell){((quarter + (row == 0)) << order) + east,
                  ((quarter + (row == 2)) << order) + n - 1 - west};
}

/* ---- positions on rings ---- */

/* Ring m < n of a cap has m pixels in each quarter k, whose centres lie 1 / n apart around the middle
 * of the quarter, x = k + 1/2; so the first of them has fall = k n, and the one `along` the ring has
 * fall = along + k (n - m). In the belt, the first centre of ring n + i lies at x = 0 (i odd) or half
 * a pixel east of it, and so has fall = floor(i / 2). */
static spot cell_to_spot(int64_t n, cell c)
{
    int order = order_of(n);
    int64_t ring = 2 * n - c.rise + c.fall;
    if (ring < n)
        return (spot){ring, c.fall - (c.fall >> order) * (n - ring)};
    if (ring > 3 * n)
        return (spot){ring, c.rise - (c.rise >> order) * (ring - 3 * n)};
    return (spot){ring, (c.fall - ((ring - n) >> 1)) & (4 * n - 1)};
}

static cell spot_to_cell(int64_t n, spot s)
{
    int64_t left = 4 * n - s.ring;
    if (s.ring < n) {
        int64_t fall = s.along + s.along / s.ring * (n - s.ring);
        return (cell){fall + 2 * n - s.ring, fall};
    }
    if (left < n) {
        int64_t rise = s.along + s.along / left * (n - left);
        return (cell){rise, rise + 2 * n - left};
    }
    int64_t fall = s.along + ((s.ring - n) >> 1);
    return (cell){fall + 2 * n - s.ring, fall};
}

/* Pixels before ring m of the northern cap: 4 + 8 + ... + 4 (m - 1). */
static int64_t before(int64_t m)
{
    return 2 * m * (m - 1);
}

static int64_t spot_to_ring(int64_t n, spot s)
{
    int64_t left = 4 * n - s.ring;
    if (s.ring < n)
        return before(s.ring) + s.along;
    if (left < n)
        return 12 * n * n - before(left + 1) + s.along;
    return before(n) + (s.ring - n) * 4 * n + s.along;
}

/* Ring m of pixel `ipix` of the northern cap: before(m) <= ipix solved for m. */
static int64_t cap_ring(int64_t ipix)
{
    return (int64_t)(0.5 + 0.5 * sqrt((double)(1 + 2 * ipix)));
}

static spot ring_to_spot(int64_t n, int64_t ipix)
{
    int64_t last = 12 * n * n - 1, cap = before(n), below = ipix - cap;
    if (below < 0) {
        int64_t m = cap_ring(ipix);
        return (spot){m, ipix - before(m)};
    }
    if (ipix > last - cap) { /* counted from the south, and from the end of the ring */
        int64_t m = cap_ring(last - ipix);
        return (spot){4 * n - m, ipix - (last + 1 - before(m + 1))};
    }
    int64_t width = order_of(n) + 2;
    return (spot){n + (below >> width), below & (4 * n - 1)};
}

int64_t skyquilt_ring_to_nest_pixel(int64_t nside, int64_t ipix)
{
    return cell_to_nest(nside, spot_to_cell(nside, ring_to_spot(nside, ipix)));
}

/* ---- directions ---- */

/* Height z of a ring; `sine` receives the sine of its colatitude. In ring m of the caps
 * sigma = m / n, hence z = 1 - m^2 / (3 n^2) (G05, equation 4); in the belt y = (2 n - ring) / (2 n),
 * hence z = 2 (2 n - ring) / (3 n) (equation 8). */
static double ring_height(int64_t n, int64_t ring, double *sine)
{
    int64_t m = smaller(ring, 4 * n - ring);
    if (m >= n) {
        double z = (double)(2 * (2 * n - ring)) / (double)(3 * n);
        *sine = sqrt((1 - z) * (1 + z));
        return z;
    }
    double depth = (double)(m * m) / (double)(3 * n * n); /* 1 - |z| keeps its digits */
    *sine = sqrt(depth * (2 - depth));
    return m == ring ? 1 - depth : depth - 1;
}

/* Rings of the caps and every other ring of the belt start half a pixel off longitude 0 (G05,
 * equations 5 and 9). */
static void spot_to_vec(int64_t n, spot s, double *vec)
{
    int64_t m = smaller(smaller(s.ring, 4 * n - s.ring), n);
    double first = m < n || !((s.ring - n) & 1) ? 0.5 : 0.0, sine;
    double phi = ((double)s.along + first) * 2 * PI / (double)(4 * m);
    vec[2] = ring_height(n, s.ring, &sine);
    vec[0] = sine * cos(phi);
    vec[1] = sine * sin(phi);
}

/* Longitude in quarters of a turn, at least 0 and less than 4. */
static double longitude(double x, double y)
{
    double quarters = atan2(y, x) * (2 / PI);
    if (quarters >= 0)
        return quarters;
    quarters += 4;
    return quarters < 4 ? quarters : 0; /* -1e-20 + 4 rounds to 4 */
}

static cell belt_cell(int64_t n, double z, double quarters)
{
    double east = (double)n * (0.5 + quarters), north = (double)n * (0.75 * z);
    cell c = {(int64_t)(east + north), (int64_t)(east - north)};
    int64_t round = smaller(c.rise, c.fall) & ~(4 * n - 1); /* where 4 quarters are rounded to */
    return (cell){c.rise - round, c.fall - round};
}

/* In a cap, x = k + 1/2 + (part - 1/2) sigma for `part` of quarter k, and with y = 1 - sigma / 2 the
 * cell's corner has fall = n (k + part sigma) and rise = n (k + 2 - (1 - part) sigma). */
static cell cap_cell(int64_t n, double x, double y, double z, double quarters)
{
    /* n sigma, in a form that keeps its digits at the poles: 1 - |z| = (x^2 + y^2) / (1 + |z|) */
    double reach = (double)n * sqrt(3 * (x * x + y * y) / (1 + fabs(z)));
    int64_t quarter = (int64_t)quarters;
    double part = quarters - (double)quarter;
    int64_t from_west = smaller((int64_t)(part * reach), n - 1);
    int64_t from_east = smaller((int64_t)((1 - part) * reach), n - 1);
    int64_t near = quarter * n + from_west, far = (quarter + 2) * n - 1 - from_east;
    return z > 0 ? (cell){far, near} : (cell){near, far};
}

static cell vec_to_cell(int64_t n, double x, double y, double z)
{
    double quarters = longitude(x, y);
    return fabs(z) <= 2.0 / 3 ? belt_cell(n, z, quarters) : cap_cell(n, x, y, z, quarters);
}

int64_t skyquilt_nearest_ring_pixel(int64_t nside, double x, double y, double z)
{
    return spot_to_ring(nside, cell_to_spot(nside, vec_to_cell(nside, x, y, z)));
}

/* ---- arrays; directions are n times x, y, z ---- */

void nest_to_ring(int64_t nside, int64_t n, const int64_t *nest, int64_t *ring)
{
    for (int64_t i = 0; i < n; i++)
        ring[i] = spot_to_ring(nside, cell_to_spot(nside, nest_to_cell(nside, nest[i])));
}

void ring_to_nest(int64_t nside, int64_t n, const int64_t *ring, int64_t *nest)
{
    for (int64_t i = 0; i < n; i++)
        nest[i] = skyquilt_ring_to_nest_pixel(nside, ring[i]);
}

void nest_to_vec(int64_t nside, int64_t n, const int64_t *ipix, double *vec)
{
    for (int64_t i = 0; i < n; i++)
        spot_to_vec(nside, cell_to_spot(nside, nest_to_cell(nside, ipix[i])), vec + 3 * i);
}

void ring_to_vec(int64_t nside, int64_t n, const int64_t *ipix, double *vec)
{
    for (int64_t i = 0; i < n; i++)
        spot_to_vec(nside, ring_to_spot(nside, ipix[i]), vec + 3 * i);
}

void vec_to_nest(int64_t nside, int64_t n, const double *vec, int64_t *ipix)
{
    for (int64_t i = 0; i < n; i++, vec += 3)
        ipix[i] = cell_to_nest(nside, vec_to_cell(nside, vec[0], vec[1], vec[2]));
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
