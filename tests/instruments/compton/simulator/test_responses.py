import resource

import h5py
import numpy as np
import pytest

from skyquilt.config.simulation import SimulatedResolution
from skyquilt.errors import OutputError
from skyquilt.instruments.compton.response import open_response
from skyquilt.instruments.compton.simulator.instrument import make_instrument
from skyquilt.instruments.compton.simulator.responses import (
    write_detector_response,
    write_point_source_response,
)
from skyquilt.instruments.compton.simulator.telescope import areas, zenith_factor
from skyquilt.sky.healpix import ring_to_vec


@pytest.fixture(scope="module")
def response(tmp_path_factory, instrument):
    path = tmp_path_factory.mktemp("response") / "response.h5"
    write_detector_response(path, instrument, nside=2)
    return path


def test_detector_response_rows_sum_to_the_effective_area(response, instrument):
    with h5py.File(response) as file:
        contents = file["DRM/CONTENTS"][:]
    factor = zenith_factor(ring_to_vec(2, np.arange(48))[:, 2])
    total = contents.sum(axis=(2, 3, 4), dtype=float)
    # float32 rounding of each bin
    np.testing.assert_allclose(total, factor[:, None] * areas(instrument.edges), rtol=1e-6)
    assert contents.min() > 0


def test_detector_response_opens_with_its_axes(response, instrument):
    with open_response(str(response)) as opened:
        assert (opened.nside, opened.frame, opened.ordering) == (2, "local", "RING")
        np.testing.assert_allclose(opened.ei_edges, instrument.edges)
        assert opened.space.shape == instrument.shape[1:]


def test_detector_response_axes_are_in_order_of_creation(response):
    with h5py.File(response) as file:
        assert list(file["DRM/AXES"]) == ["NuLambda", "Ei", "Em", "Phi", "PsiChi"]
        assert not file["DRM"].attrs["SPARSE"]


def test_point_source_response_equals_a_slow_sum_over_attitudes(tmp_path, instrument, orientation):
    path = tmp_path / "psr.h5"
    write_point_source_response(path, instrument, orientation, nside=1)
    with h5py.File(path) as file:
        contents = file["hist/contents"][:]
    limb = np.cos(np.radians(180) - np.arcsin(6378 / 6928))
    for ipix, direction in enumerate(ring_to_vec(1, np.arange(12))):
        expected = np.zeros(instrument.shape)
        for z, zenith, live in zip(
            orientation.z, orientation.zenith, orientation.livetime, strict=True
        ):
            if zenith @ direction > limb:
                image = instrument.images.draw(direction)
                area = zenith_factor(z @ direction) * instrument.area[:, :, None, None]
                expected += live * area * image[:, None]
        # sums of float32 images
        np.testing.assert_allclose(contents[ipix], expected, rtol=1e-5)


def test_point_source_response_with_overflow_bins_holds_the_same(tmp_path, instrument, orientation):
    plain, padded = tmp_path / "plain.h5", tmp_path / "padded.h5"
    write_point_source_response(plain, instrument, orientation, nside=1)
    write_point_source_response(padded, instrument, orientation, nside=1, overflow_bins=True)
    with h5py.File(plain) as one, h5py.File(padded) as other:
        inside = other["hist/contents"][1:-1, 1:-1, 1:-1, 1:-1, 1:-1]
        np.testing.assert_array_equal(inside, one["hist/contents"][:])
        assert np.count_nonzero(other["hist/contents"]) == inside.size


@pytest.mark.parametrize("overflow_bins", [False, True])
def test_point_source_response_opens_in_histpy(tmp_path, instrument, orientation, overflow_bins):
    from histpy import Histogram

    path = tmp_path / "psr.h5"
    write_point_source_response(path, instrument, orientation, nside=1, overflow_bins=overflow_bins)
    histogram = Histogram.open(path)
    assert list(histogram.axes.labels) == ["NuLambda", "Ei", "Em", "Phi", "PsiChi"]
    assert histogram.axes["NuLambda"].coordsys.name == "galactic"
    assert str(histogram.unit) == "cm2 s"
    assert histogram.contents.shape == (12, *instrument.shape)


def test_response_to_a_folder_that_is_a_file_leaves_nothing(tmp_path, instrument):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose a folder"):
        write_detector_response(tmp_path / "file" / "response.h5", instrument, nside=1)


@pytest.mark.slow
def test_detector_response_with_rows_of_dc2_needs_little_memory(tmp_path):
    """48 of the 768 rows of COSI's DC2 shape: 0.5 GB of file."""
    edges = tuple(f"{edge} keV" for edge in np.geomspace(100, 10_000, 11).round(2))
    resolution = SimulatedResolution(nside_psichi=8, n_phi=36, energy_edges=edges)
    instrument = make_instrument(resolution)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    write_detector_response(tmp_path / "response.h5", instrument, nside=2)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # one row has 11 MB, its images and their nodes less; images of 48 pixels, 53 MB, are kept
    assert (after - before) / 1024 < 200
