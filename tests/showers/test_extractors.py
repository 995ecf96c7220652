"""Samples, charges and times, against a second implementation in NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyquilt.showers.extractors import EXTRACTORS, Pulse, window_corrections
from skyquilt.showers.images import Calibration, Extraction, Window, decode_samples

RATE = 1.25  # samples per ns


def encoded(difference):
    """Bytes of a difference, as sim_telarray writes them: the first tells how many follow."""
    value = 2 * difference if difference >= 0 else -2 * difference - 1
    for more, first in enumerate((0x00, 0x80, 0xC0, 0xE0)):
        if value < 1 << (7 * (more + 1)):
            own = value.to_bytes(more + 1, "big")
            return bytes([first | own[0]]) + own[1:]
    return b"\xf0" + value.to_bytes(4, "big")


def block(samples):
    """A block of raw traces."""
    traces = samples.reshape(-1, samples.shape[-1]).astype(int)
    return b"".join(encoded(int(one)) for row in traces for one in np.diff(row, prepend=0))


@given(
    st.lists(st.lists(st.integers(0, 65535), min_size=5, max_size=5), min_size=2, max_size=2).map(
        np.array
    )
)
def test_samples_of_every_length_of_numbers_are_read(samples):
    samples = samples.reshape(1, 2, 5)
    assert np.array_equal(decode_samples(block(samples), 1, 2, 5), samples)


def test_a_block_that_is_cut_at_any_byte_is_refused():
    samples = np.array([[[1, 200, 65535, 0, 20000], [7, 7, 9, 5000, 4]]])
    data = block(samples)
    for n_byte in range(len(data)):
        with pytest.raises(ValueError, match=f"{n_byte} bytes are not 1 x 2 traces of 5 samples"):
            decode_samples(data[:n_byte], 1, 2, 5)
    assert np.array_equal(decode_samples(data + b"\0\0\0", 1, 2, 5), samples)
    with pytest.raises(ValueError, match="bytes are not"):
        decode_samples(data + b"\0\0\0\0", 1, 2, 5)


@pytest.mark.parametrize("first", [-1, 65536])
def test_a_sample_that_does_not_fit_is_refused(first):
    with pytest.raises(ValueError, match="outside 0 to 65535"):
        decode_samples(encoded(first), 1, 1, 1)


@pytest.fixture(scope="module")
def raw(pixels):
    """Samples of three images, two gains, some of which saturate, and their calibration."""
    rng = np.random.default_rng(1)
    samples = rng.integers(280, 420, (3, 2, pixels.n_pixel, 30)).astype(np.uint16)
    samples[:, 0, ::7, 12] = 4090
    calibration = Calibration(
        pedestal=rng.uniform(290, 310, (2, pixels.n_pixel)).astype(np.float32),
        factor=rng.uniform(0.01, 0.5, (2, pixels.n_pixel)).astype(np.float32),
        time_shift=rng.normal(0, 1, (2, pixels.n_pixel)).astype(np.float32),
        broken=(rng.uniform(size=pixels.n_pixel) < 0.1).astype(np.uint8),
    )
    return samples, calibration


def expected(pixels, near, samples, calibration, window, correction):
    """Charges and times of one image."""
    n_pixel, n_sample = samples.shape[1:]
    gain = (samples[0] > window.gain_threshold).any(axis=1).astype(int)
    of_gain = (gain, np.arange(n_pixel))
    traces = (
        samples[of_gain].astype(np.float32) - calibration.pedestal[of_gain][:, np.newaxis]
    ) * calibration.factor[of_gain][:, np.newaxis]
    good = ~calibration.broken.astype(bool)
    wide = traces.astype(float)
    around = (near & good) @ wide + window.own_weight * wide
    peak = {
        "neighbour_peak": around.argmax(axis=1),
        "local_peak": traces.argmax(axis=1),
        "global_peak": np.full(n_pixel, wide[good].mean(axis=0).argmax()),
        "fixed": np.full(n_pixel, window.peak),
        "full": np.zeros(n_pixel, dtype=int),
    }[window.extractor]
    first, stop = peak - window.shift, peak - window.shift + window.width
    if window.extractor == "full":
        first, stop = np.zeros(n_pixel, dtype=int), np.full(n_pixel, n_sample)
    index = np.arange(n_sample)
    inside = (index >= first[:, np.newaxis]) & (index < stop[:, np.newaxis])
    charge = np.where(inside, wide, 0).sum(axis=1) * correction[gain]
    positive = np.where(inside & (wide > 0), wide, 0)
    total = positive.sum(axis=1)
    mean = np.divide(positive @ index, total, out=peak.astype(float), where=total > 0)
    time = mean / RATE - calibration.time_shift[of_gain]
    for image in (charge, time):
        image[~good] = [
            image[near[pixel] & good].mean() if (near[pixel] & good).any() else 0
            for pixel in np.flatnonzero(~good)
        ]
    return charge, time, gain


@pytest.mark.parametrize("own_weight", [0, 2])
@pytest.mark.parametrize("extractor", EXTRACTORS)
def test_charges_and_times_are_those_of_numpy(pixels, near, raw, extractor, own_weight):
    samples, calibration = raw
    window = Window(extractor, peak=2, own_weight=own_weight)
    correction = np.array([1.1, 1.3])
    found = Extraction(pixels, calibration, window, correction, RATE, 30).extract(samples)
    for image in range(3):
        charge, time, gain = expected(
            *(pixels, near, samples[image], calibration, window, correction)
        )
        # float32 charges of some 100 p.e.; times of up to 30 samples
        assert found.charge[image] == pytest.approx(charge, rel=2e-6, abs=1e-4)
        assert found.time[image] == pytest.approx(time, abs=1e-5)
        assert np.array_equal(found.gain[image], gain)
    assert 0 < found.gain.mean() < 1


def test_images_do_not_depend_on_how_many_there_are(pixels, raw):
    samples, calibration = raw
    extraction = Extraction(pixels, calibration, Window(), np.ones(2), RATE, 30)
    whole = extraction.extract(samples)
    for image in range(3):
        alone = extraction.extract(samples[image : image + 1])
        for one, other in zip(alone, whole, strict=True):
            assert np.array_equal(one[0], other[image])


def test_a_pixel_whose_neighbours_are_all_broken_has_nothing(pixels, near, raw):
    samples, calibration = raw
    broken = near[63].astype(np.uint8)
    broken[63] = 1
    changed = replace(calibration, broken=broken)
    found = Extraction(pixels, changed, Window(), np.ones(2), RATE, 30).extract(samples)
    assert np.all(found.charge[:, 63] == 0)
    assert np.all(found.time[:, 63] == 0)


def test_corrections_give_the_whole_pulse_at_every_sample(pixels, telescope):
    """A pulse of 100 p.e. at each sample keeps its charge, whatever the window."""
    pulse, sample = telescope.pulse, telescope.sample
    shape = pulse.shape[0].reshape(-1, 4).sum(axis=1)
    shape *= 100 / shape.sum()
    n_pixel = pixels.n_pixel
    for width, shift in ((3, 1), (7, 3), (20, 8)):
        correction = window_corrections(pulse, sample, width, shift)
        for start in range(8):
            trace = np.zeros(30)
            trace[start : start + shape.size] = shape
            raw = np.broadcast_to(trace * 50 + 300, (1, 1, n_pixel, 30)).round().astype(np.uint16)
            calibration = Calibration(
                pedestal=np.full((1, n_pixel), 300, np.float32),
                factor=np.full((1, n_pixel), 0.02, np.float32),
                time_shift=np.zeros((1, n_pixel), np.float32),
                broken=np.zeros(n_pixel, np.uint8),
            )
            window = Window(width=width, shift=shift)
            found = Extraction(pixels, calibration, window, correction[:1], 1.0, 30).extract(raw)
            # rounding of the samples, and the last of 20 samples that the edges leave out
            assert found.charge == pytest.approx(100, rel=2e-3)


def test_a_window_beside_the_pulse_corrects_nothing():
    pulse = Pulse(np.array([[0.0, 1, 0, 0, 0]]), 1.0)
    assert window_corrections(pulse, 1.0, width=3, shift=-7).tolist() == [1.0]


def test_more_neighbours_than_the_kernels_take_are_refused(pixels):
    with pytest.raises(ValueError, match="a pixel has 33 neighbours; allowed are 32"):
        replace(pixels, indptr=np.array([0, 33]))
