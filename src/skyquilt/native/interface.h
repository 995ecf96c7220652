/* All that Python calls: `generate.py` makes arguments.py of it, so that both sides have the same.
 *
 * Raise the number when anything here changes; `skyquilt.native` asks for the same. A parameter is
 * int64_t, double, or a pointer: to an array, const if it is only read, or to a structure of this
 * file. */
#ifndef SKYQUILT_INTERFACE
#define SKYQUILT_INTERFACE 16

#include <stdint.h>

/* How pixels are fitted. */
typedef struct {
    int64_t allow_negative, has_limits, is_free, max_iter;
    double tolerance, confidence_level;
    double counts_total, background_total; /* over all bins; they count for a free background */
} kernel_options;

/* Items near each direction: directions of a group look at the same ranges [first, last + 1) of
 * items, those from indptr[group] to indptr[group + 1]. */
typedef struct {
    const int64_t *group, *indptr, *ranges;
} nearby_items;

/* Where the entries of directions go: those of direction i are from indptr[i] to indptr[i + 1], the
 * first of which is 0. `column` and `value` have room for as many as there can be. */
typedef struct {
    int64_t *indptr, *column;
    double *value;
} entry_lists;

/* Events: directions, flux densities, and positions of their energies among the rows of the point
 * spread function and the energies of the exposure: the one below, plus the fraction of the next. */
typedef struct {
    const double *directions, *flux_density, *psf_node, *exposure_node;
} hit_events;

/* Densities of photons around a source [sr-1]: rows of n_column equal steps of the root of the chord;
 * `reach2` is the squared chord of each row's reach, `most2` the largest. */
typedef struct {
    int64_t n_column;
    double step, most2;
    const double *density, *reach2;
} event_spread;

/* Pixels with `n_vertex` corners (every quarter of them a true one), and a row of `shapes`. The bins
 * of pixel i end at bin_stop[i], each is in a band. */
typedef struct {
    int64_t n_vertex;
    const double *vertices, *shapes;
    const int64_t *bin_stop, *bin_band;
} image_pixels;

/* Point spread functions by component, one row per equal step of the root of the chord. */
typedef struct {
    int64_t n_component, n_column;
    double step;             /* of the root of the chord, between rows */
    double core;             /* scale of the narrowest of them [rad] */
    double far;              /* in pixel radii: beyond it a pixel holds density times solid angle */
    const double *contained; /* fraction within the chord */
    const double *density;   /* [sr-1] */
    const double *reach;     /* angle beyond which a component has nothing [rad] */
} spread_tables;

/* Probabilities that photons of a component are measured in a band, without those that are 0, from
 * indptr[band] to indptr[band + 1]. */
typedef struct {
    const int64_t *indptr, *component;
    const double *weight;
} band_weights;

/* Counts of n_hit bins, what is expected in them in any case, and per unit of each of n parameters,
 * shape (n, n_hit); sums of these over all bins, and mean and inverse variance of what is known of
 * each parameter beforehand. */
typedef struct {
    int64_t n_hit, n;
    const double *observed, *fixed, *columns, *totals, *center, *weight;
} concave_counts;

/* Pixels of a camera: neighbours of pixel i are those from indptr[i] to indptr[i + 1], ascending.
 * Positions, diameters [deg] and areas [deg2] are those in the field of view; `ring` is 1 at the
 * edge, 2 beside it, 0 inside. */
typedef struct {
    int64_t n_pixel;
    const int64_t *indptr, *neighbour;
    const double *x, *y, *area, *diameter;
    const uint8_t *ring;
} camera_pixels;

/* How the samples of a camera become charges and times; arrays have shape (n_gain, n_pixel),
 * `correction` (n_gain,), `broken` (n_pixel,). `extractor` is one of skyquilt.showers.extractors. */
typedef struct {
    int64_t extractor, n_gain, n_sample, width, shift, own_weight, peak;
    double gain_threshold, rate; /* rate: samples per ns */
    const double *correction;
    const float *pedestal, *factor, *time_shift;
    const uint8_t *broken;
} readout;

/* Which pixels of an image are kept. */
typedef struct {
    int64_t neighbours, keep_isolated;
    double picture, boundary;
} tail_cuts;

int64_t interface_version(void);

/* Level of x86-64 of this processor, as its binary interface (psABI) defines them: 1, 3 or 4. */
int64_t processor_level(void);

void nest_to_ring(int64_t nside, int64_t n, const int64_t *nest, int64_t *ring);

void ring_to_nest(int64_t nside, int64_t n, const int64_t *ring, int64_t *nest);

void nest_to_vec(int64_t nside, int64_t n, const int64_t *ipix, double *vec);

void ring_to_vec(int64_t nside, int64_t n, const int64_t *ipix, double *vec);

void vec_to_nest(int64_t nside, int64_t n, const double *vec, int64_t *ipix);

void vec_to_ring(int64_t nside, int64_t n, const double *vec, int64_t *ipix);

/* Colatitudes of the 4 nside - 1 rings, between those of the poles. */
void ring_thetas(int64_t nside, double *theta);

void interp_ring(int64_t nside, const double *ring_theta, int64_t n, const double *vec,
                 int64_t *ipix, double *weight);

/* Seconds per spacecraft direction, for n sky directions.
 *
 * `attitude` has 10 rows of n_t values, 14 with `has_horizon`; n_t is a multiple of 8, filled up
 * with samples of 0 s. `dense` holds one 0 per row of the table. Returns the number of entries.
 */
int64_t local_weights(int64_t nside, const double *ring_theta, int64_t n, const double *directions,
                      int64_t n_t, const double *attitude, int64_t has_horizon, double *dense,
                      const entry_lists *to, uint8_t *status);

/* Rows per sky direction from their bilinear neighbours: 4 n ring pixels with their fractions. */
int64_t merge_weights(int64_t n, int64_t n_neighbours, const int64_t *ipix, const double *fraction,
                      double *dense, const entry_lists *to);

/* Weighted sums of rows, shape (n, n_hit), and of their totals, shape (n,). */
void add_rows(int64_t n_hit, const float *rows, const double *totals, int64_t n,
              const int64_t *indptr, const int64_t *row, const double *weight, double *unit_counts,
              double *total);

/* Fit the pixels that are GOOD so far, from expected counts in all hit bins; `results`, `n_iter` and
 * `status` are filled. `room` has FIT_ROOM(n_hit) values. */
void fit_block(int64_t n_hit, const double *counts, const double *background, int64_t n,
               const double *unit_counts, const double *total, const kernel_options *options,
               double *room, double *results, int32_t *n_iter, uint8_t *status);

/* Fit the pixels that are GOOD so far, as `fit_block` does. Their sums are never all there at once:
 * those of one pixel, or of a group, stay in the cache from the addition to the fit. `room` has
 * FIT_ROOM(n_hit) + GROUP (n_hit + 8) values. */
void fit_rows(int64_t n_hit, const double *counts, const double *background, const float *rows,
              const double *totals, int64_t n, const int64_t *indptr, const int64_t *row,
              const double *weight, const kernel_options *options, double *room, double *results,
              int32_t *n_iter, uint8_t *status);

/* The same from the bins that have entries; entries of pixel i are from indptr[i] to
 * indptr[i + 1], those of `bin` are numbers of bins. `most` is the largest e / b of bins without counts and entries, per pixel. `room`
 * has FIT_ROOM(entries of a pixel, at most) values. */
void fit_sparse(const double *counts, const double *background, int64_t n, const int64_t *indptr,
                const int64_t *bin, const double *unit_counts, const double *total,
                const double *most, const kernel_options *options, double *room, double *results,
                int32_t *n_iter, uint8_t *status);

/* Densities of the events that n directions see; returns their number. `exposure` holds n rows of
 * n_energy values. */
int64_t event_counts(int64_t n, const double *directions, const nearby_items *near,
                     const hit_events *events, const event_spread *psf, int64_t n_energy,
                     const double *exposure, const entry_lists *to);

/* Expected counts in the bins that n directions see; returns their number. `yields` holds n rows of
 * n_component values. `room` is space for 2 n_component values, `lists` for 2 n_component + 1
 * numbers that are 0. */
int64_t pixel_counts(int64_t n, const double *directions, const nearby_items *near,
                     const image_pixels *image, const spread_tables *tables,
                     const band_weights *to_band, const double *yields, double *room, int64_t *lists,
                     const entry_lists *to);

/* Fraction of each component inside a border, for sources at n directions; `contained_part` has n
 * rows. `inside` is a direction inside the border, `every` the numbers of all components. `room` is
 * space for 2 n_component values. */
void border_containment(int64_t n, const double *directions, int64_t n_edge, const double *edges,
                        const double *inside, const spread_tables *tables, const int64_t *every,
                        double *room, double *contained_part);

/* Sum of a table over the parts of each pixel, by the angle of each part from `source`.
 *
 * Shapes: directions (n_pixel, n_part, 3), source (3,), table (n_angle, n_column) for angles from 0
 * to pi, image (n_pixel, n_column). A matrix product of node weights and table would be sparse by 9
 * parts in 10.
 */
void add_cones(int64_t n_pixel, int64_t n_part, const double *directions, const double *source,
               int64_t n_angle, int64_t n_column, const float *table, float *image);

/* Weights of rows in groups (views and cells), shape (n_group, n_column), to which those of samples
 * are added: directions (n_sample, 3), the time of each and its group; `column` of each ring pixel. */
void cell_weights(int64_t nside, const double *ring_theta, int64_t n_sample,
                  const double *directions, const double *seconds, const int64_t *group,
                  const int64_t *column, int64_t n_column, double *weight);

/* Weighted sums of rows in the hits of cells, shape (n_view, n_hit). Hits of cell c are those from
 * indptr[c] to indptr[c + 1]; shapes: weight (n_view, n_cell, n_row), rows (n_row, n_hit). */
void cell_sums(int64_t n_view, int64_t n_cell, const int64_t *indptr, int64_t n_row,
               const double *weight, const double *rows, double *sums);

/* Derivatives of sum d ln mu in each cell: its gradient (n_cell, n_name) and d / mu^2 times the
 * products of slopes, (n_cell, n_name, n_name), from the slopes of mu, shape (n_name, n_hit).
 * `room` has space for 2 n_hit values. */
void cell_slopes(int64_t n_cell, const int64_t *indptr, const double *counts, const double *mu,
                 int64_t n_name, const double *slopes, double *room, double *gradient,
                 double *curvature);

/* Largest L (likelihood/concave.py) of m problems that begin at `values`, shape (m, n), where the best
 * parameters go: L, its slope there, shape (m, n), and whether the last step promised next to
 * nothing. Parameters that are held stay. `room` has space for
 * (n + 6) (n_hit + 8) + 2 n^2 + 5 n + 8 values. */
void maximise_concave(const concave_counts *counts, int64_t m, const uint8_t *held, double *values,
                      double *loglike, double *slope, uint8_t *has_converged, double *room);

/* Samples of a block of raw traces, each a chain of differences of variable length; returns the
 * bytes that were read, -1 if they end before, -2 if a sample does not fit 16 bits. */
int64_t decode_samples(int64_t n_byte, const uint8_t *bytes, int64_t n_trace, int64_t n_sample,
                       uint16_t *samples);

/* Charges and times of n images, shape (n, n_pixel), and the gain of each pixel, from samples of
 * shape (n, n_gain, n_pixel, n_sample). `room` has n_pixel values for each sample, and for those
 * that fill up the last eight. */
void extract_charges(int64_t n, const camera_pixels *camera, const readout *options,
                     const uint16_t *samples, float *room, float *charge, float *time,
                     uint8_t *gain);

/* Pixels of n images that the shower lit; `room` has n_pixel values. */
void clean_images(int64_t n, const camera_pixels *camera, const tail_cuts *cuts,
                  const float *charge, uint8_t *room, uint8_t *mask);

/* Parameters of n images, a row of N_PARAMETER for each (native/images.c); NaN where fewer than
 * `min_pixels` are kept or their sum is not above 0. Without starts of the time line there are no
 * times. `seed` numbers the images. `room` has 8 n_pixel values, `lists` 2 n_pixel. */
void image_parameters(int64_t n, const camera_pixels *camera, int64_t min_pixels, int64_t n_start,
                      const int64_t *seed, const float *charge, const float *time,
                      const uint8_t *mask, double *room, int64_t *lists, double *parameters);

/* Showers of n events from their images, those from indptr[i] to indptr[i + 1], at least two each.
 *
 * An image has `ellipse` (fov_lon, fov_lat, psi, a tenth of the camera's radius) [rad], a weight,
 * the `pointing` of its telescope (alt, az) [rad] and its `position` (x, y, z) [m]; `array` is the
 * pointing of the array, per event. A shower is a row of 8: alt, az [rad], core on the ground and in
 * the tilted plane (x, y) [m], height above the array [m], mean angle of the crossings [rad]. `psi`
 * is the angle of each image in the frame of the array. */
void stereo_showers(int64_t n, const int64_t *indptr, const double *ellipse, const double *weight,
                    const double *pointing, const double *position, const double *array,
                    double *psi, double *showers);

#endif
