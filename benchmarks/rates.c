/* What one core of this machine can do: loads, fused multiply-adds, divisions of float64. */
#include <stdint.h>
#include <string.h>

#define LANES 8
#define CHAINS 12 /* independent sums, to hide the latency of a fused multiply-add */

typedef double lanes __attribute__((vector_size(8 * LANES)));

static double sum_of(const lanes *values, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < LANES; k++)
            sum += values[i][k];
    return sum;
}

/* Reads n bytes, a multiple of 512, `repeats` times. */
double read_bytes(const char *from, int64_t n, int64_t repeats)
{
    lanes sums[8] = {0};
    for (int64_t r = 0; r < repeats; r++)
        for (int64_t i = 0; i < n; i += 64 * 8)
            for (int k = 0; k < 8; k++) {
                lanes values;
                memcpy(&values, from + i + 64 * k, 64);
                sums[k] += values;
            }
    return sum_of(sums, 8);
}

/* n times 8 x 12 fused multiply-adds. */
double multiply_add(int64_t n, double x, double y)
{
    lanes sums[CHAINS];
    for (int k = 0; k < CHAINS; k++)
        sums[k] = (lanes){0} + k; /* or compilers would see that all chains are one */
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < CHAINS; k++)
            sums[k] = sums[k] * x + y;
    return sum_of(sums, CHAINS);
}

/* n times 8 x 12 divisions. */
double divide(int64_t n, double x)
{
    lanes sums[CHAINS];
    for (int k = 0; k < CHAINS; k++)
        sums[k] = (lanes){0} + 1.0 + k;
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < CHAINS; k++)
            sums[k] = x / sums[k];
    return sum_of(sums, CHAINS);
}
