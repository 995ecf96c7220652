/* All that Python calls: `generate.py` makes arguments.py of it, so that both sides have the same.
 *
 * Raise the number when anything here changes; `skyquilt.native` asks for the same. A parameter is
 * int64_t, double, or a pointer: to an array, const if it is only read, or to a structure of this
 * file. */
#ifndef SKYQUILT_INTERFACE
#define SKYQUILT_INTERFACE 11

#include <stdint.h>

/* How pixels are fitted. */
typedef struct {
    int64_t allow_negative, has_limits, is_free, max_iter;
    double tolerance, confidence_level;
    double counts_total, background_total; /* over all bins; they count for a free background */
} fit_options;

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
 * with samples of 0 s. `dense` holds one 0 per row of the table, `row` and `weight` have room for
 * as many entries as there can be. Returns the number of entries.
 */
int64_t local_weights(int64_t nside, const double *ring_theta, int64_t n, const double *directions,
                      int64_t n_t, const double *attitude, int64_t has_horizon, double *dense,
                      int64_t *stop, int64_t *row, double *weight, uint8_t *status);

/* Rows per sky direction from their bilinear neighbours: 4 n ring pixels with their shares. */
int64_t merge_weights(int64_t n, int64_t n_neighbours, const int64_t *ipix, const double *share,
                      double *dense, int64_t *stop, int64_t *row, double *weight);

/* Weighted sums of rows, shape (n, n_hit), and of their totals, shape (n,). */
void add_rows(int64_t n_hit, const float *rows, const double *totals, int64_t n,
              const int64_t *stop, const int64_t *row, const double *weight, double *unit_counts,
              double *total);

/* Fit the pixels that are GOOD so far, from expected counts in all hit bins; `results`, `n_iter` and
 * `status` are filled. `room` has FIT_ROOM(n_hit) values. */
void fit_block(int64_t n_hit, const double *counts, const double *background, int64_t n,
               const double *unit_counts, const double *total, const fit_options *options,
               double *room, double *results, int32_t *n_iter, uint8_t *status);

/* Fit the pixels that are GOOD so far, as `fit_block` does. Their sums are never all there at once:
 * those of one pixel, or of a group, stay in the cache from the addition to the fit. `room` has
 * FIT_ROOM(n_hit) + GROUP (n_hit + 8) values. */
void fit_rows(int64_t n_hit, const double *counts, const double *background, const float *rows,
              const double *totals, int64_t n, const int64_t *stop, const int64_t *row,
              const double *weight, const fit_options *options, double *room, double *results,
              int32_t *n_iter, uint8_t *status);

/* The same from the bins that have entries; entries of pixel i end at stop[i], those of `bin` are
 * numbers of bins. `most` is the largest e / b of bins without counts and entries, per pixel. `room`
 * has FIT_ROOM(entries of a pixel, at most) values. */
void fit_sparse(const double *counts, const double *background, int64_t n, const int64_t *stop,
                const int64_t *bin, const double *unit_counts, const double *total,
                const double *most, const fit_options *options, double *room, double *results,
                int32_t *n_iter, uint8_t *status);

/* Entries of n directions; returns their number.
 *
 * Direction i looks at the events in `ranges` of its group. An event has a place, a flux density,
 * and places among the rows of `psf` and the energies of the exposure: the one below, plus the
 * share of the next. `exposure` holds n rows of n_energy values; `reach2` the squared chords of the
 * profiles' reach, at most `most2`. `bin` and `unit_counts` have room for all events looked at.
 */
int64_t event_counts(int64_t n, const double *directions, const int64_t *group,
                     const int64_t *range_stop, const int64_t *ranges, const double *places,
                     const double *flux_density, const double *psf_node,
                     const double *exposure_node, int64_t n_energy, const double *exposure,
                     int64_t n_column, double step, const double *psf, const double *reach2,
                     double most2, int64_t *stop, int64_t *bin, double *unit_counts);

/* Entries of n directions; returns their number.
 *
 * Direction i looks at the pixels in `ranges` of its group. A pixel has `n_vertex` corners (every
 * quarter of them a true one), and a row of `shapes`. Its bins end at bin_stop. `yields` holds n
 * rows; see `spread` and `measured` for the others. `room` is space for 2 n_component values,
 * `lists` for 2 n_component + 1 numbers that are 0; `bin` and `unit_counts` for all bins that are
 * looked at.
 */
int64_t pixel_counts(int64_t n, const double *directions, const int64_t *group,
                     const int64_t *range_stop, const int64_t *ranges, int64_t n_vertex,
                     const double *vertices, const double *shapes, const int64_t *bin_stop,
                     const int64_t *bin_band, const double *yields, const int64_t *band_stop,
                     const int64_t *band_component, const double *band_share, int64_t n_component,
                     int64_t n_column, double step, double core, const double *contained,
                     const double *density, const double *reach, double far, double *room,
                     int64_t *lists, int64_t *stop, int64_t *bin, double *unit_counts);

/* Fraction of each component inside a border, for sources at n directions; `contained_part` has n
 * rows. `inside` is a direction inside the border, `every` the numbers of all components. `room` is
 * space for 2 n_component values. */
void border_containment(int64_t n, const double *directions, int64_t n_edge, const double *edges,
                        const double *inside, int64_t n_component, int64_t n_column, double step,
                        double core, const double *contained, const double *reach,
                        const int64_t *every, double *room, double *contained_part);

/* Sum of a table over the parts of each pixel, by the angle of each part from `source`.
 *
 * Shapes: directions (n_pixel, n_part, 3), source (3,), table (n_angle, n_column) for angles from 0
 * to pi, image (n_pixel, n_column). A matrix product of node weights and table would be sparse by 9
 * parts in 10.
 */
void add_cones(int64_t n_pixel, int64_t n_part, const double *directions, const double *source,
               int64_t n_angle, int64_t n_column, const float *table, float *image);

#endif
