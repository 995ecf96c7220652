/* Tail cuts: which pixels of an image the shower lit. */
#include <stdint.h>

#include "interface.h"

enum { BOUNDARY = 1, PICTURE = 2 }; /* bits of a pixel */

/* Neighbours of a pixel that have a bit. */
static int64_t count_around(const camera_pixels *camera, const uint8_t *bits, int64_t pixel,
                            uint8_t bit)
{
    int64_t n = 0;
    for (int64_t k = camera->indptr[pixel]; k < camera->indptr[pixel + 1]; k++)
        n += (bits[camera->neighbour[k]] & bit) != 0;
    return n;
}

static void clean_image(const camera_pixels *camera, const tail_cuts *cuts, const float *charge,
                        uint8_t *bits, uint8_t *mask)
{
    float picture = (float)cuts->picture, boundary = (float)cuts->boundary;
    for (int64_t pixel = 0; pixel < camera->n_pixel; pixel++)
        mask[pixel] = (uint8_t)((charge[pixel] >= picture) * PICTURE |
                                (charge[pixel] >= boundary) * BOUNDARY);
    for (int64_t pixel = 0; pixel < camera->n_pixel; pixel++) {
        bits[pixel] = mask[pixel];
        if (bits[pixel] & PICTURE && !cuts->keep_isolated &&
            count_around(camera, mask, pixel, PICTURE) < cuts->neighbours)
            bits[pixel] &= (uint8_t)~PICTURE;
    }
    for (int64_t pixel = 0; pixel < camera->n_pixel; pixel++) {
        uint8_t own = bits[pixel];
        mask[pixel] = own && ((own & BOUNDARY && count_around(camera, bits, pixel, PICTURE)) ||
                              (own & PICTURE && (cuts->keep_isolated ||
                                                 count_around(camera, bits, pixel, BOUNDARY))));
    }
}

void clean_images(int64_t n, const camera_pixels *camera, const tail_cuts *cuts,
                  const float *charge, uint8_t *room, uint8_t *mask)
{
    for (int64_t image = 0; image < n; image++)
        clean_image(camera, cuts, charge + image * camera->n_pixel, room,
                    mask + image * camera->n_pixel);
}
