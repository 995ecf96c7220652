/* Distances of items near a direction. */
#ifndef SKYQUILT_NEARBY_H
#define SKYQUILT_NEARBY_H

/* Squared distance through the sphere, accurate at small angles. */
static inline double squared_chord(const double a[3], const double b[3])
{
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return x * x + y * y + z * z;
}

#endif
