/* HEALPix arithmetic, shared by the kernels. */
#ifndef SKYQUILT_HEALPIX_H
#define SKYQUILT_HEALPIX_H

#include <stdint.h>

#include "lanes.h"

/* Four ring pixels around each of eight directions, and their bilinear weights: two on the ring
 * above, two on the ring below, from west to east. `ring_theta` holds the colatitude of each ring
 * from 0, the north pole, to 4 nside, the south pole. */
void skyquilt_neighbours(int64_t nside, const double *ring_theta, const double x[BLOCK],
                         const double y[BLOCK], const double z[BLOCK], int64_t ipix[4][BLOCK],
                         double weight[4][BLOCK]);

int64_t skyquilt_nearest_ring_pixel(int64_t nside, double x, double y, double z);
int64_t skyquilt_ring_to_nest_pixel(int64_t nside, int64_t ipix);

#endif
