/* The likelihood of a pixel along one parameter p, whether its background is fixed or free.
 *
 * Counts f e + g b of a source of flux f over g times the background have, with p = f / g,
 * x = e / b, D = sum d_i, and E, B the sums of e and b over all bins, the log-likelihood ratio
 *
 *     LLR(f, g) = K(p) + D ln g - f E - (g - 1) B,    K(p) = sum_i d_i ln(1 + p x_i),
 *
 * to g = 1 and no source; that to the best background without a source, g = D / B, is
 *
 *     LLR(f, g) = K(p) + D ln(g B / D) - f E - (g B - D).
 *
 * So the bins enter through K alone. A fixed background has g = 1: f = p, LLR = K(p) - p E. A free
 * one is the best for its flux where g = (D - p K'(p)) / B, so that f(p) = p g(p) ascends; no less
 * than a millionth of D / B is allowed, where it stays while f goes on.
 */
#ifndef SKYQUILT_PROFILE_H
#define SKYQUILT_PROFILE_H

#include <math.h>

#include "moments.h"

#define FLOOR 1e-6

/* `D` and `B` only count where the background is free; it needs counts. */
typedef struct {
    double E, D, B;
    int is_free;
} profile;

/* A position on the curve of best backgrounds. */
typedef struct {
    double p, flux, norm, llr;
    double slope;     /* of LLR with flux */
    double curvature; /* minus the second derivative of LLR with flux */
    double stretch;   /* of flux with p */
    int on_floor;
} position;

static inline position position_of(const profile *curve, double p, double log, double s1, double s2)
{
    double E = curve->E, D = curve->D, B = curve->B;
    if (!curve->is_free)
        return (position){p, p, 1, log - p * E, s1 - E, s2, 1, 0};
    double fraction = (D - p * s1) / D; /* of the counts that the background has */
    int on_floor = !(fraction > FLOOR);
    fraction = on_floor ? FLOOR : fraction;
    double norm = fraction * D / B, flux = norm * p;
    double width = D - 2 * p * s1 + p * p * s2; /* sum of d / (1 + p x)^2 */
    return (position){
        .p = p,
        .flux = flux,
        .norm = norm,
        .llr = log + D * log1p(fraction - 1) - flux * E - D * (fraction - 1),
        .slope = s1 / norm - E,
        .curvature = on_floor ? s2 / (norm * norm) : (s2 * D - s1 * s1) / (norm * norm * width),
        .stretch = on_floor ? norm : width / B,
        .on_floor = on_floor,
    };
}

#endif
