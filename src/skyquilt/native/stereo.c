/* Direction, core and height of showers from the ellipses of their images: each image is a plane
 * through the telescope and the axis of its ellipse, and the shower is where planes meet. The
 * formulas are in docs/showers.md. */
#include <math.h>
#include <stdint.h>

#include "interface.h"

typedef struct {
    double x, y, z;
} vector;

static vector cross(vector a, vector b)
{
    return (vector){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static double dot(vector a, vector b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static double clip(double value)
{
    return value > 1 ? 1 : value < -1 ? -1 : value;
}

/* Axes of a field of view: along its middle, along lon, along lat. In all frames here x points
 * north, y west, z up; azimuth runs from north to east. */
typedef struct {
    vector middle, lon, lat;
} field;

static field field_at(const double *pointing)
{
    double sin_alt = sin(pointing[0]), cos_alt = cos(pointing[0]);
    double sin_az = sin(pointing[1]), cos_az = cos(pointing[1]);
    return (field){{cos_alt * cos_az, -cos_alt * sin_az, sin_alt},
                   {-sin_az, -cos_az, 0},
                   {-sin_alt * cos_az, sin_alt * sin_az, cos_alt}};
}

static vector to_sky(const field *of, double lon, double lat)
{
    double a = cos(lat) * cos(lon), b = cos(lat) * sin(lon), c = sin(lat);
    return (vector){a * of->middle.x + b * of->lon.x + c * of->lat.x,
                    a * of->middle.y + b * of->lon.y + c * of->lat.y,
                    a * of->middle.z + b * of->lon.z + c * of->lat.z};
}

static void to_field(const field *of, vector direction, double *lon, double *lat)
{
    *lon = atan2(dot(direction, of->lon), dot(direction, of->middle));
    *lat = asin(clip(dot(direction, of->lat)));
}

/* An image: its centroid and the normal of its plane, and its angle in the field of the array. */
typedef struct {
    vector centroid, normal;
    double psi;
} plane;

static plane plane_of(const double *ellipse, const double *pointing, const field *array)
{
    field own = field_at(pointing);
    double lon = ellipse[0], lat = ellipse[1], psi = ellipse[2], step = ellipse[3];
    vector centroid = to_sky(&own, lon, lat);
    vector second = to_sky(&own, lon + step * cos(psi), lat + step * sin(psi));
    double lons[2], lats[2];
    to_field(array, centroid, lons, lats);
    to_field(array, second, lons + 1, lats + 1);
    return (plane){centroid, cross(centroid, second),
                   atan((lons[0] - lons[1]) / (lats[0] - lats[1]))};
}

/* Where the planes of two images cross, above the horizon. */
static vector crossing(vector a, vector b)
{
    vector line = cross(a, b);
    return line.z < 0 ? (vector){-line.x, -line.y, -line.z} : line;
}

/* Mean of the crossings of all pairs, and its mean angle to them [rad]. */
static vector direction_of(int64_t n, const plane *planes, const double *weight, double *angle)
{
    vector sum = {0, 0, 0};
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) {
            vector line = crossing(planes[i].normal, planes[j].normal);
            double both = weight[i] * weight[j];
            sum.x += both * line.x;
            sum.y += both * line.y;
            sum.z += both * line.z;
        }
    double norm = sqrt(dot(sum, sum)), total = 0;
    vector mean = {sum.x / norm, sum.y / norm, sum.z / norm};
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) {
            vector line = crossing(planes[i].normal, planes[j].normal);
            total += acos(clip(dot(mean, line) / sqrt(dot(line, line))));
        }
    *angle = total / (double)(n * (n - 1) / 2);
    return mean;
}

/* Point nearest to lines in the plane, each through `at` (x, y) with an angle. */
static void nearest_in_plane(int64_t n, const plane *planes, const double *at, double *x, double *y)
{
    double xx = 0, xy = 0, yy = 0, right_x = 0, right_y = 0;
    for (int64_t i = 0; i < n; i++) {
        double c = cos(planes[i].psi), s = sin(planes[i].psi);
        double distance = s * at[2 * i] - c * at[2 * i + 1];
        xx += s * s;
        xy -= s * c;
        yy += c * c;
        right_x += s * distance;
        right_y -= c * distance;
    }
    double determinant = xx * yy - xy * xy;
    *x = (yy * right_x - xy * right_y) / determinant;
    *y = (xx * right_y - xy * right_x) / determinant;
}

/* Height of the point nearest to the lines from telescopes along their centroids. */
static double nearest_height(int64_t n, const plane *planes, const double *position)
{
    vector rows[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}, right = {0, 0, 0};
    for (int64_t i = 0; i < n; i++) {
        vector c = planes[i].centroid;
        vector at = {position[3 * i], position[3 * i + 1], position[3 * i + 2]};
        double along = dot(c, at);
        rows[0] = (vector){rows[0].x + 1 - c.x * c.x, rows[0].y - c.x * c.y, rows[0].z - c.x * c.z};
        rows[1] = (vector){rows[1].x - c.y * c.x, rows[1].y + 1 - c.y * c.y, rows[1].z - c.y * c.z};
        rows[2] = (vector){rows[2].x - c.z * c.x, rows[2].y - c.z * c.y, rows[2].z + 1 - c.z * c.z};
        right = (vector){right.x + at.x - along * c.x, right.y + at.y - along * c.y,
                         right.z + at.z - along * c.z};
    }
    vector normal = cross(rows[0], rows[1]);
    vector first = cross(rows[1], rows[2]), second = cross(rows[2], rows[0]);
    double determinant = dot(rows[0], first);
    return (right.x * first.z + right.y * second.z + right.z * normal.z) / determinant;
}

void stereo_showers(int64_t n, const int64_t *indptr, const double *ellipse, const double *weight,
                    const double *pointing, const double *position, const double *array,
                    double *psi, double *showers)
{
    for (int64_t event = 0; event < n; event++) {
        int64_t first = indptr[event], n_image = indptr[event + 1] - first;
        field of_array = field_at(array + 2 * event);
        plane planes[n_image];
        double tilted[2 * n_image];
        const double *at = position + 3 * first;
        for (int64_t i = 0; i < n_image; i++) {
            planes[i] = plane_of(ellipse + 4 * (first + i), pointing + 2 * (first + i), &of_array);
            psi[first + i] = planes[i].psi;
            vector telescope = {at[3 * i], at[3 * i + 1], at[3 * i + 2]};
            tilted[2 * i] = dot(telescope, of_array.lat) * -1;
            tilted[2 * i + 1] = dot(telescope, of_array.lon) * -1;
        }
        double *shower = showers + 8 * event;
        vector direction = direction_of(n_image, planes, weight + first, shower + 7);
        shower[0] = asin(clip(direction.z));
        double az = -atan2(direction.y, direction.x);
        shower[1] = az < 0 ? az + 6.283185307179586 : az;
        double x, y;
        nearest_in_plane(n_image, planes, tilted, &x, &y);
        double height = -x * of_array.lat.z;
        shower[2] = -x * of_array.lat.x - y * of_array.lon.x -
                    of_array.middle.x * height / of_array.middle.z;
        shower[3] = -x * of_array.lat.y - y * of_array.lon.y -
                    of_array.middle.y * height / of_array.middle.z;
        shower[4] = x;
        shower[5] = y;
        shower[6] = nearest_height(n_image, planes, at);
    }
}
