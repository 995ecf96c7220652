/* Logarithm and exponential of whole vectors; the same bits at every level. */
#ifndef SKYQUILT_LANES_MATH_H
#define SKYQUILT_LANES_MATH_H

#include "lanes.h"

#define LN2 0.6931471805599453
#define ROUND 6755399441055744.0 /* 1.5 x 2^52: added to a number, it leaves a whole one in the low bits */
#define ROUND_BITS 0x4338000000000000

static inline lanes whole_to_double(lanes_int n)
{
    return (lanes)(n + ROUND_BITS) - ROUND;
}

/* ln(u + lost), where `lost` is what rounding took from u, as Sun's fdlibm takes it apart: u = 2^k m
 * with m in [sqrt(1/2), sqrt(2)), z = m - 1 with what was lost added back, s = z / (2 + z),
 * ln m = 2 atanh(s). `inverse` receives 1 / u, from the same division. */
static inline lanes log_parts(lanes u, lanes lost, lanes *inverse)
{
    const int64_t root_half = 0x3fe6a09e667f3bcd;
    lanes_int k = ((lanes_int)u - root_half) >> 52;
    lanes shrink = (lanes)((1023 - k) << 52), m = (lanes)((lanes_int)u - (k << 52));
    lanes z = (m - 1) + lost * shrink;
    lanes p = 1 / (u * (2 + z));
    *inverse = p * (2 + z);
    lanes s = z * (p * u), w = s * s;
    lanes w2 = w * w;
    lanes low = (w * 0.3999999999940942 + 0.6666666666666735) +
                (w * 0.22222198432149784 + 0.2857142874366239) * w2;
    lanes high = (w * 0.15313837699209373 + 0.1818357216161805) + w2 * 0.14798198605116586;
    lanes sum = high * (w2 * w2) + low;
    return whole_to_double(k) * LN2 + (2 * s + s * w * sum);
}

/* ln(1 + t); `inverse` receives 1 / (1 + t). */
static inline lanes log_1p(lanes t, lanes *inverse)
{
    lanes u = 1 + t;
    return log_parts(u, t - (u - 1), inverse);
}

/* e^x for -700 < x < 700, to 1e-15 of itself: 2^k e^r with |r| below ln(2) / 2, where the series up to
 * r^12 has all digits. */
static inline lanes exponential(lanes x)
{
    static const double inverse_factorial[] = {
        1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
        1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      0.5,         1,
        1};
    lanes shifted = x * 1.4426950408889634 + ROUND;
    lanes_int k = (lanes_int)shifted - ROUND_BITS;
    lanes k_double = shifted - ROUND;
    lanes r = (x - k_double * 0.693147180369123816490) - k_double * 1.90821492927058770002e-10;
    lanes sum = {0};
    for (int i = 0; i < 13; i++)
        sum = sum * r + inverse_factorial[i];
    return (lanes)((lanes_int)sum + (k << 52));
}

static inline lanes smaller(lanes a, lanes b)
{
    return pick(a < b, a, b);
}

static inline lanes larger(lanes a, lanes b)
{
    return pick(a > b, a, b);
}

#endif
