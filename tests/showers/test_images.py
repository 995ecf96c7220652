"""Parameters of images: closed forms, symmetries, and a second implementation in NumPy."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from skyquilt.showers.images import PARAMETERS, describe_images

NAMES = list(PARAMETERS)


def described(pixels, charge, mask=None, **options):
    """Parameters of one image, by name."""
    charge = np.asarray(charge, dtype=np.float32)
    mask = charge > 0 if mask is None else mask
    row = describe_images(pixels, charge[np.newaxis], np.uint8([mask]), **options)[0]
    return dict(zip(NAMES, row, strict=True))


def lit(pixels, charges):
    """An image of some charges by pixel."""
    image = np.zeros(pixels.n_pixel)
    image[list(charges)] = list(charges.values())
    return image


@pytest.fixture(scope="module")
def middle(pixels):
    return int(np.argmin(np.hypot(pixels.x, pixels.y)))


@pytest.fixture(scope="module")
def image(pixels):
    """An ellipse with noise, of about 40 pixels, and its times."""
    rng = np.random.default_rng(3)
    along = 0.8 * pixels.x + 0.6 * pixels.y - 0.1
    across = 0.8 * pixels.y - 0.6 * pixels.x + 0.05
    charge = 60 * np.exp(-((along / 0.25) ** 2) - (across / 0.12) ** 2)
    charge += rng.normal(0, 1, pixels.n_pixel)
    return np.where(charge > 3, charge, 0), 20 + 12 * along + rng.normal(0, 0.3, pixels.n_pixel)


def test_a_row_has_a_number_for_each_name(pixels, image):
    found = described(pixels, image[0], time=np.float32([image[1]]))
    assert all(np.isfinite(list(found.values())))


def test_one_pixel_and_none_have_no_parameters(pixels, middle):
    for charge in (lit(pixels, {}), lit(pixels, {middle: 5})):
        assert np.all(np.isnan(list(described(pixels, charge).values())))


def test_a_sum_that_is_not_above_zero_has_no_parameters(pixels, middle):
    found = described(pixels, lit(pixels, {middle: 5, 0: -6}), mask=np.ones(pixels.n_pixel))
    assert np.isnan(found["hillas_intensity"])


def test_two_pixels_are_a_line(pixels, middle):
    other = pixels.neighbour[pixels.indptr[middle]]
    found = described(pixels, lit(pixels, {middle: 3, other: 1}))
    distance = np.hypot(*(one[other] - one[middle] for one in (pixels.x, pixels.y)))
    # variance of two weights: p (1 - p) of the squared distance
    assert found["hillas_length"] == pytest.approx(distance * np.sqrt(3 / 16), rel=1e-12)
    assert found["hillas_width"] == 0
    assert np.isnan(found["hillas_width_uncertainty"])
    assert found["concentration_core"] == 0
    assert found["concentration_pixel"] == 0.75
    assert (found["morphology_n_pixels"], found["morphology_n_islands"]) == (2, 1)


def test_equal_charges_around_the_middle_are_round(pixels, near, middle):
    found = described(pixels, near[middle] * 2.0)
    distance = pixels.diameter[0]
    # six points on a circle: both variances are half its squared radius
    assert found["hillas_length"] == pytest.approx(distance / np.sqrt(2), rel=1e-6)
    assert found["hillas_width"] == pytest.approx(distance / np.sqrt(2), rel=1e-6)
    assert found["morphology_n_islands"] == 1
    assert found["intensity_std"] == 0


def test_islands_of_all_sizes(pixels, middle):
    everything = described(pixels, np.ones(pixels.n_pixel))
    sizes = ("n_islands", "n_small_islands", "n_medium_islands", "n_large_islands")
    assert [everything[f"morphology_{name}"] for name in sizes] == [1, 0, 0, 1]
    two_rings = described(pixels, (pixels.ring == 1) * 1.0 + lit(pixels, {middle: 1}))
    assert [two_rings[f"morphology_{name}"] for name in sizes] == [2, 1, 1, 0]


def test_edges_count_one_and_two_rings(pixels):
    found = described(pixels, np.ones(pixels.n_pixel))
    assert found["leakage_pixels_width_1"] == pytest.approx(36 / 127)
    assert found["leakage_pixels_width_2"] == pytest.approx(66 / 127)
    assert found["leakage_intensity_width_1"] == pytest.approx(36 / 127)


def test_parameters_are_those_of_numpy(pixels, image):
    charge, times = image
    mask = charge > 0
    found = described(pixels, charge, time=np.float32([times]))
    q, t = np.float32(charge[mask]).astype(float), np.float32(times[mask]).astype(float)
    points = np.stack([pixels.x[mask], pixels.y[mask]])
    centroid = np.average(points, axis=1, weights=q)
    covariance = np.cov(points, aweights=q, ddof=0)
    (second, first), vectors = np.linalg.eigh(covariance)
    psi = np.arctan(vectors[1, 1] / vectors[0, 1])
    along = np.array([np.cos(psi), np.sin(psi)]) @ (points - centroid[:, np.newaxis])
    across = np.array([-np.sin(psi), np.cos(psi)]) @ (points - centroid[:, np.newaxis])
    distance = np.hypot(along, across)
    expected = {
        "hillas_intensity": q.sum(),
        "hillas_fov_lon": centroid[0],
        "hillas_fov_lat": centroid[1],
        "hillas_r": np.hypot(*centroid),
        "hillas_phi": np.rad2deg(np.arctan2(centroid[1], centroid[0])),
        "hillas_length": np.sqrt(first),
        "hillas_width": np.sqrt(second),
        "hillas_psi": np.rad2deg(psi),
        "hillas_skewness": np.average(along**3, weights=q) / first**1.5,
        "hillas_kurtosis": np.average(along**4, weights=q) / first**2,
        "concentration_cog": q[distance < pixels.diameter[0]].sum() / q.sum(),
        "concentration_core": q[along**2 / first + across**2 / second <= 1].sum() / q.sum(),
        "intensity_mean": q.mean(),
        "intensity_std": q.std(),
        "intensity_skewness": np.mean(((q - q.mean()) / q.std()) ** 3),
        "peak_time_max": t.max(),
        "peak_time_kurtosis": np.mean(((t - t.mean()) / t.std()) ** 4) - 3,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_errors_are_the_scatter_of_images(pixels):
    """Poisson images of one ellipse scatter by what the parameters give as errors."""
    rng = np.random.default_rng(4)
    along, across = 0.8 * pixels.x + 0.6 * pixels.y, 0.8 * pixels.y - 0.6 * pixels.x
    mean = 200 * np.exp(-((along / 0.2) ** 2) - (across / 0.1) ** 2)
    charge = rng.poisson(mean, (4000, pixels.n_pixel)).astype(np.float32)
    table = describe_images(pixels, charge, (charge > 0).astype(np.uint8))
    column = dict(zip(NAMES, table.T, strict=True))
    for name in ("length", "width"):
        scatter = column[f"hillas_{name}"].std()
        # scatter of a standard deviation of 4000 values: 1.1 %; the error is of first order
        assert column[f"hillas_{name}_uncertainty"].mean() == pytest.approx(scatter, rel=0.1)


def test_turning_the_camera_turns_the_image(pixels, image):
    charge, times = image
    angle = np.deg2rad(25)
    turned = replace(
        pixels,
        x=np.cos(angle) * pixels.x - np.sin(angle) * pixels.y,
        y=np.sin(angle) * pixels.x + np.cos(angle) * pixels.y,
    )
    before = described(pixels, charge, time=np.float32([times]))
    after = described(turned, charge, time=np.float32([times]))
    assert after["hillas_psi"] - before["hillas_psi"] == pytest.approx(25, abs=1e-9)
    turning = ("hillas_psi", "hillas_phi", "hillas_fov_lon", "hillas_fov_lat")
    same = [name for name in NAMES if name not in turning]
    assert [after[name] for name in same] == pytest.approx([before[name] for name in same])


def test_more_light_is_more_intensity_only(pixels, image):
    charge, _ = image
    before, after = described(pixels, charge), described(pixels, 4 * charge)
    assert after["hillas_intensity"] == pytest.approx(4 * before["hillas_intensity"])
    for name in ("hillas_length", "hillas_width", "hillas_psi", "leakage_intensity_width_2"):
        assert after[name] == pytest.approx(before[name], rel=1e-12)
    # errors fall with the root of the light
    ratio = after["hillas_width_uncertainty"] / before["hillas_width_uncertainty"]
    assert ratio == pytest.approx(0.5, rel=1e-12)


def trimmed(along, times):
    """Least sum of the trimmed squares: concentration steps from every pair of points."""
    n_used = int(0.85 * along.size)

    def concentrate(slope, intercept):
        order = np.argsort((times - slope * along - intercept) ** 2, kind="stable")[:n_used]
        slope, intercept = np.polyfit(along[order], times[order], 1)
        return slope, intercept, np.sum((times - slope * along - intercept)[order] ** 2)

    best = np.inf
    for i, j in itertools.combinations(range(along.size), 2):
        slope = (times[j] - times[i]) / (along[j] - along[i])
        line, last = (slope, times[i] - slope * along[i]), np.inf
        for _ in range(30):
            *line, sum_ = concentrate(*line)
            if not sum_ < last - 1e-12:
                break
            last = sum_
        best = min(best, last)
    return best


def test_time_line_has_the_least_trimmed_squares(pixels):
    rng = np.random.default_rng(5)
    for _ in range(8):
        charge = np.where(rng.uniform(size=pixels.n_pixel) < 0.15, 10.0, 0)
        mask = charge > 0
        times = 10 + 8 * pixels.x + rng.normal(0, 0.5, pixels.n_pixel)
        times[rng.uniform(size=times.size) < 0.2] += 20
        times = np.float32(times)
        found = described(pixels, charge, time=times[np.newaxis])
        psi = np.deg2rad(found["hillas_psi"])
        along = np.cos(psi) * (pixels.x[mask] - found["hillas_fov_lon"])
        along += np.sin(psi) * (pixels.y[mask] - found["hillas_fov_lat"])
        residual = times[mask] - found["timing_slope"] * along - found["timing_intercept"]
        n_used = int(0.85 * along.size)
        sum_ = np.sum(np.sort(residual**2)[:n_used])
        assert sum_ <= trimmed(along, times[mask].astype(float)) * (1 + 1e-9)
        assert found["timing_deviation"] == pytest.approx(np.sqrt(np.mean(residual**2)))


def test_time_line_of_few_points(pixels, near, middle):
    """Any pair fits three points: no line. Of four it is a line, whatever the seed."""
    times = np.float32(5 + 3 * pixels.x)[np.newaxis]
    beside = np.flatnonzero(near[middle])
    three = described(pixels, lit(pixels, {middle: 9, beside[0]: 3, beside[1]: 4}), time=times)
    assert np.isnan(three["timing_slope"])
    charges = {middle: 9, beside[0]: 3, beside[1]: 4, beside[2]: 5}
    lines = [
        described(pixels, lit(pixels, charges), time=times, seeds=np.array([seed]))
        for seed in (1, 2)
    ]
    assert np.isfinite(lines[0]["timing_slope"])
    assert lines[0] == lines[1]


def test_images_do_not_depend_on_how_many_there_are(pixels, image):
    charge, times = (np.float32(np.tile(one, (7, 1))) for one in image)
    charge[3] *= 2
    seeds = np.arange(7)
    mask = (charge > 0).astype(np.uint8)
    whole = describe_images(pixels, charge, mask, time=times, seeds=seeds)
    for number in range(7):
        one = slice(number, number + 1)
        alone = describe_images(pixels, charge[one], mask[one], time=times[one], seeds=seeds[one])
        assert np.array_equal(alone[0], whole[number])
