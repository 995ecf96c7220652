/* Raw traces of a camera, and the charge and time of the pulse in each. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "interface.h"
#include "lanes.h"

#define ONLY_ONE_BYTE 0x8080808080808080u /* bits that are not set in differences of one byte */

/* One difference: 1 to 5 bytes, of which the first tells how many; the last bit is the sign. Returns
 * the bytes it takes, -1 if they end before. */
static inline int64_t decode_difference(int64_t n_byte, const uint8_t *bytes, int64_t *difference)
{
    uint8_t first = n_byte > 0 ? bytes[0] : 0;
    int64_t more = first < 0x80 ? 0 : first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (n_byte <= more)
        return -1;
    int64_t value = more ? first & (0x7f >> more) : first;
    for (int64_t i = 1; i <= more; i++)
        value = value << 8 | bytes[i];
    *difference = value & 1 ? -(value >> 1) - 1 : value >> 1;
    return more + 1;
}

/* Eight differences of one byte each, added to `value` one after the other; returns the last sum. */
static inline int64_t add_eight(const uint8_t *bytes, int64_t value, uint16_t *samples,
                                int64_t *all)
{
    for (int k = 0; k < 8; k++) {
        int64_t coded = bytes[k];
        value += (coded >> 1) ^ -(coded & 1);
        *all |= value; /* a bit above the lowest 16 stays: too large, or negative */
        samples[k] = (uint16_t)value;
    }
    return value;
}

int64_t decode_samples(int64_t n_byte, const uint8_t *bytes, int64_t n_trace, int64_t n_sample,
                       uint16_t *samples)
{
    int64_t position = 0, all = 0;
    for (int64_t trace = 0; trace < n_trace; trace++, samples += n_sample) {
        int64_t value = 0;
        for (int64_t i = 0; i < n_sample;) {
            uint64_t eight = ONLY_ONE_BYTE;
            if (i + 8 <= n_sample && position + 8 <= n_byte)
                memcpy(&eight, bytes + position, sizeof eight);
            if (!(eight & ONLY_ONE_BYTE)) {
                value = add_eight(bytes + position, value, samples + i, &all);
                position += 8;
                i += 8;
                continue;
            }
            int64_t difference;
            int64_t n = decode_difference(n_byte - position, bytes + position, &difference);
            if (n < 0)
                return -1;
            position += n;
            value += difference;
            all |= value;
            samples[i++] = (uint16_t)value;
        }
    }
    return all & ~(int64_t)UINT16_MAX ? -2 : position;
}

/* Extractors, as in skyquilt.showers.extractors. */
enum { NEIGHBOUR_PEAK, LOCAL_PEAK, GLOBAL_PEAK, FIXED, FULL };

enum { MOST_SAMPLES = 1024, MOST_NEIGHBOURS = 32 }; /* Python refuses more */

#define NO_SAMPLE -1e30f /* after the last sample of a trace: never the largest of any sum */

/* Numbers from one trace to the next: whole blocks. */
static int64_t stride_of(const readout *options)
{
    return (options->n_sample + BLOCK - 1) / BLOCK * BLOCK;
}

static uint16_t largest_of(int64_t n, const uint16_t *values)
{
    uint16_t most[BLOCK] = {0}, largest = 0;
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK)
        for (int k = 0; k < BLOCK; k++)
            most[k] = values[i + k] > most[k] ? values[i + k] : most[k];
    for (; i < n; i++)
        most[0] = values[i] > most[0] ? values[i] : most[0];
    for (int k = 0; k < BLOCK; k++)
        largest = most[k] > largest ? most[k] : largest;
    return largest;
}

/* Samples of the gain that is used, in photo-electrons per sample. */
static void calibrate(int64_t n_pixel, const readout *options, const uint16_t *samples,
                      float *traces, uint8_t *gain)
{
    int64_t n_sample = options->n_sample, stride = stride_of(options);
    for (int64_t pixel = 0; pixel < n_pixel; pixel++) {
        const uint16_t *raw = samples + pixel * n_sample;
        gain[pixel] = options->n_gain > 1 && largest_of(n_sample, raw) > options->gain_threshold;
        int64_t entry = gain[pixel] * n_pixel + pixel;
        const uint16_t *chosen = samples + entry * n_sample;
        float pedestal = options->pedestal[entry], factor = options->factor[entry];
        float *trace = traces + pixel * stride;
        int64_t i = 0;
        for (; i + BLOCK <= n_sample; i += BLOCK)
            for (int k = 0; k < BLOCK; k++)
                trace[i + k] = ((float)chosen[i + k] - pedestal) * factor;
        for (; i < stride; i++)
            trace[i] = i < n_sample ? ((float)chosen[i] - pedestal) * factor : NO_SAMPLE;
    }
}

static inline lanes wide(const float *from)
{
    lanes values;
    for (int k = 0; k < WIDTH; k++)
        values[k] = from[k];
    return values;
}

/* Number of the first of the largest values, from the largest of each lane and where they are. */
static int64_t first_of_largest(const lanes *best, const lanes *where)
{
    double value[BLOCK], at[BLOCK];
    memcpy(value, best, sizeof value);
    memcpy(at, where, sizeof at);
    for (int half = BLOCK / 2; half; half /= 2)
        for (int k = 0; k < half; k++) {
            double other = value[k + half], there = at[k + half];
            int is_first = other > value[k] || (other == value[k] && there < at[k]);
            value[k] = is_first ? other : value[k];
            at[k] = is_first ? there : at[k];
        }
    return (int64_t)at[0];
}

/* Peak of the sum of n traces and, times a weight, the pixel's own. */
static inline int64_t peak_of_sum(int64_t stride, const float *own, double weight, int64_t n,
                                  const float *const *around)
{
    static const double numbers[BLOCK] = {0, 1, 2, 3, 4, 5, 6, 7};
    lanes best[PARTS], where[PARTS], now[PARTS];
    for (int part = 0; part < PARTS; part++) {
        best[part] = (lanes){0} - INFINITY;
        where[part] = now[part] = load(numbers + part * WIDTH);
    }
    for (int64_t i = 0; i < stride; i += BLOCK)
        for (int part = 0; part < PARTS; part++) {
            int64_t at = i + part * WIDTH;
            lanes sum = wide(own + at) * weight;
            for (int64_t k = 0; k < n; k++)
                sum += wide(around[k] + at);
            lanes_int is_larger = sum > best[part];
            best[part] = pick(is_larger, sum, best[part]);
            where[part] = pick(is_larger, now[part], where[part]);
            now[part] += BLOCK;
        }
    return first_of_largest(best, where);
}

static int64_t neighbour_peak(const camera_pixels *camera, const readout *options,
                              const float *traces, int64_t pixel)
{
    int64_t stride = stride_of(options), n = 0;
    const float *around[MOST_NEIGHBOURS], *own = traces + pixel * stride;
    for (int64_t k = camera->indptr[pixel]; k < camera->indptr[pixel + 1]; k++)
        if (!options->broken[camera->neighbour[k]])
            around[n++] = traces + camera->neighbour[k] * stride;
    double weight = (double)options->own_weight;
    return n == 6 ? peak_of_sum(stride, own, weight, 6, around)
                  : peak_of_sum(stride, own, weight, n, around);
}

/* Peak of the mean of all traces, added up in float32 in the order of the pixels. */
static int64_t global_peak(int64_t n_pixel, const readout *options, const float *traces)
{
    int64_t n_sample = options->n_sample, stride = stride_of(options), n_good = 0;
    float sums[MOST_SAMPLES] = {0};
    for (int64_t pixel = 0; pixel < n_pixel; pixel++) {
        if (options->broken[pixel])
            continue;
        n_good++;
        for (int64_t i = 0; i < n_sample; i++)
            sums[i] += traces[pixel * stride + i];
    }
    for (int64_t i = 0; i < n_sample; i++)
        sums[i] = (float)((double)sums[i] / (double)n_good);
    for (int64_t i = n_sample; i < stride; i++)
        sums[i] = NO_SAMPLE;
    return peak_of_sum(stride, sums, 1, 0, NULL);
}

/* Charge within a window, and the mean of its samples above 0, weighted with them. */
static void integrate(const readout *options, const float *trace, int64_t peak, int64_t first,
                      int64_t stop, float *charge, float *time)
{
    first = first > 0 ? first : 0;
    stop = stop < options->n_sample ? stop : options->n_sample;
    double sum = 0, weighted = 0, weight = 0, number = (double)first;
    for (int64_t i = first; i < stop; i++, number += 1) {
        double value = trace[i];
        double positive = 0.5 * (value + fabs(value)); /* exact, and no branch that noise decides */
        sum += value;
        weighted += positive * number;
        weight += positive;
    }
    *charge = (float)sum;
    *time = (float)(weight > 0 ? weighted / weight : (double)peak);
    *time = (float)((double)*time / options->rate);
}

/* Mean of the good neighbours of a broken pixel, 0 if there are none. */
static float mean_around(const camera_pixels *camera, const uint8_t *broken, const float *image,
                         int64_t pixel)
{
    float sum = 0;
    int64_t n = 0;
    for (int64_t k = camera->indptr[pixel]; k < camera->indptr[pixel + 1]; k++) {
        if (broken[camera->neighbour[k]])
            continue;
        sum += image[camera->neighbour[k]];
        n++;
    }
    return n ? (float)((double)sum / (double)n) : 0;
}

static void extract_image(const camera_pixels *camera, const readout *options,
                          const uint16_t *samples, float *traces, float *charge, float *time,
                          uint8_t *gain)
{
    int64_t n_pixel = camera->n_pixel, n_sample = options->n_sample, stride = stride_of(options);
    calibrate(n_pixel, options, samples, traces, gain);
    int is_full = options->extractor == FULL;
    int64_t of_all = options->extractor == GLOBAL_PEAK ? global_peak(n_pixel, options, traces)
                     : options->extractor == FIXED     ? options->peak
                                                       : 0;
    for (int64_t pixel = 0; pixel < n_pixel; pixel++) {
        const float *trace = traces + pixel * stride;
        int64_t peak = options->extractor == NEIGHBOUR_PEAK
                           ? neighbour_peak(camera, options, traces, pixel)
                       : options->extractor == LOCAL_PEAK ? peak_of_sum(stride, trace, 1, 0, NULL)
                                                          : of_all;
        int64_t first = is_full ? 0 : peak - options->shift;
        int64_t stop = is_full ? n_sample : first + options->width;
        integrate(options, trace, peak, first, stop, charge + pixel, time + pixel);
        charge[pixel] = (float)((double)charge[pixel] * options->correction[gain[pixel]]);
        time[pixel] -= options->time_shift[gain[pixel] * n_pixel + pixel];
    }
    for (int64_t pixel = 0; pixel < n_pixel; pixel++) {
        if (!options->broken[pixel])
            continue;
        charge[pixel] = mean_around(camera, options->broken, charge, pixel);
        time[pixel] = mean_around(camera, options->broken, time, pixel);
    }
}

void extract_charges(int64_t n, const camera_pixels *camera, const readout *options,
                     const uint16_t *samples, float *room, float *charge, float *time,
                     uint8_t *gain)
{
    int64_t n_pixel = camera->n_pixel, size = options->n_gain * n_pixel * options->n_sample;
    for (int64_t image = 0; image < n; image++)
        extract_image(camera, options, samples + image * size, room, charge + image * n_pixel,
                      time + image * n_pixel, gain + image * n_pixel);
}
