/* HEALPix arithmetic for single pixels, shared by the kernels. */
#ifndef SKYQUILT_HEALPIX_H
#define SKYQUILT_HEALPIX_H

#include <stdint.h>

/* Angles of eight directions: colatitude in [0, pi] and longitude in [0, 2 pi]. */
void skyquilt_angles(const double *x, const double *y, const double *z, double *theta, double *phi);

/* Four ring pixels around a direction and their bilinear weights; `ring_theta` holds the
 * colatitude of each ring, from ring 1. */
void skyquilt_neighbours(int64_t nside, const double *ring_theta, double z, double theta,
                         double phi, int64_t ipix[4], double weight[4]);

int64_t skyquilt_nearest_ring_pixel(int64_t nside, double x, double y, double z);
int64_t skyquilt_ring_to_nest_pixel(int64_t nside, int64_t ipix);

#endif
