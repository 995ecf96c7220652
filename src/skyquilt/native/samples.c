/* Raw traces of a camera, and the charge and time of the pulse in each. */
#include <stdint.h>

#include "interface.h"

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

int64_t decode_samples(int64_t n_byte, const uint8_t *bytes, int64_t n_trace, int64_t n_sample,
                       uint16_t *samples)
{
    int64_t position = 0;
    for (int64_t trace = 0; trace < n_trace; trace++) {
        int64_t value = 0;
        for (int64_t i = 0; i < n_sample; i++) {
            int64_t difference;
            int64_t n = decode_difference(n_byte - position, bytes + position, &difference);
            if (n < 0)
                return -1;
            position += n;
            value += difference;
            if (value < 0 || value > UINT16_MAX)
                return -2;
            *samples++ = (uint16_t)value;
        }
    }
    return position;
}

/* Extractors, as in skyquilt.showers.extractors. */
enum { NEIGHBOUR_PEAK, LOCAL_PEAK, GLOBAL_PEAK, FIXED, FULL };

enum { MOST_SAMPLES = 1024 }; /* of a trace; Python refuses longer ones */

/* Samples of the gain that is used, in photo-electrons per sample. */
static void calibrate(int64_t n_pixel, const readout *options, const uint16_t *samples,
                      float *traces, uint8_t *gain)
{
    int64_t n_sample = options->n_sample;
    for (int64_t pixel = 0; pixel < n_pixel; pixel++) {
        const uint16_t *raw = samples + pixel * n_sample;
        uint16_t most = 0;
        for (int64_t i = 0; i < n_sample; i++)
            most = raw[i] > most ? raw[i] : most;
        gain[pixel] = options->n_gain > 1 && most > options->gain_threshold;
        int64_t entry = gain[pixel] * n_pixel + pixel;
        const uint16_t *chosen = samples + entry * n_sample;
        float pedestal = options->pedestal[entry], factor = options->factor[entry];
        for (int64_t i = 0; i < n_sample; i++)
            traces[pixel * n_sample + i] = ((float)chosen[i] - pedestal) * factor;
    }
}

/* Number of the first of the largest values. */
static inline int64_t peak_of(int64_t n, const double *values)
{
    int64_t peak = 0;
    for (int64_t i = 1; i < n; i++)
        peak = values[i] > values[peak] ? i : peak;
    return peak;
}

static int64_t neighbour_peak(const camera_pixels *camera, const readout *options,
                              const float *traces, int64_t pixel)
{
    int64_t n_sample = options->n_sample;
    double sums[MOST_SAMPLES];
    for (int64_t i = 0; i < n_sample; i++)
        sums[i] = (double)traces[pixel * n_sample + i] * (double)options->own_weight;
    for (int64_t k = camera->indptr[pixel]; k < camera->indptr[pixel + 1]; k++) {
        int64_t neighbour = camera->neighbour[k];
        if (options->broken[neighbour])
            continue;
        for (int64_t i = 0; i < n_sample; i++)
            sums[i] += (double)traces[neighbour * n_sample + i];
    }
    return peak_of(n_sample, sums);
}

static int64_t local_peak(int64_t n_sample, const float *trace)
{
    int64_t peak = 0;
    for (int64_t i = 1; i < n_sample; i++)
        peak = trace[i] > trace[peak] ? i : peak;
    return peak;
}

/* Peak of the mean of all traces, added up in float32 in the order of the pixels. */
static int64_t global_peak(int64_t n_pixel, const readout *options, const float *traces)
{
    int64_t n_sample = options->n_sample, n_good = 0;
    float sums[MOST_SAMPLES] = {0};
    for (int64_t pixel = 0; pixel < n_pixel; pixel++) {
        if (options->broken[pixel])
            continue;
        n_good++;
        for (int64_t i = 0; i < n_sample; i++)
            sums[i] += traces[pixel * n_sample + i];
    }
    for (int64_t i = 0; i < n_sample; i++)
        sums[i] = (float)((double)sums[i] / (double)n_good);
    return local_peak(n_sample, sums);
}

/* Charge within a window, and the mean of its samples above 0, weighted with them. */
static void integrate(const readout *options, const float *trace, int64_t peak, int64_t first,
                      int64_t stop, float *charge, float *time)
{
    first = first > 0 ? first : 0;
    stop = stop < options->n_sample ? stop : options->n_sample;
    double sum = 0, weighted = 0, weight = 0;
    for (int64_t i = first; i < stop; i++) {
        double value = trace[i];
        sum += value;
        if (value > 0) {
            weighted += value * (double)i;
            weight += value;
        }
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
    int64_t n_pixel = camera->n_pixel, n_sample = options->n_sample;
    calibrate(n_pixel, options, samples, traces, gain);
    int is_full = options->extractor == FULL;
    int64_t of_all = options->extractor == GLOBAL_PEAK ? global_peak(n_pixel, options, traces)
                     : options->extractor == FIXED     ? options->peak
                                                       : 0;
    for (int64_t pixel = 0; pixel < n_pixel; pixel++) {
        const float *trace = traces + pixel * n_sample;
        int64_t peak = options->extractor == NEIGHBOUR_PEAK
                           ? neighbour_peak(camera, options, traces, pixel)
                       : options->extractor == LOCAL_PEAK ? local_peak(n_sample, trace)
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
