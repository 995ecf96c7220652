"""Tail cuts, against a second implementation in NumPy."""

import numpy as np
import pytest

from skyquilt.showers.images import Cuts, clean_images


def expected(near, charge, cuts):
    above, boundary = charge >= cuts.picture, charge >= cuts.boundary
    if cuts.keep_isolated:
        return (boundary & (near @ above)) | above
    picture = above & (near.astype(int) @ above >= cuts.neighbours)
    return (boundary & (near @ picture)) | (picture & (near @ boundary))


@pytest.mark.parametrize("neighbours", [0, 1, 2, 3])
@pytest.mark.parametrize("keep_isolated", [False, True])
def test_masks_are_those_of_numpy(pixels, near, neighbours, keep_isolated):
    charge = np.random.default_rng(2).gamma(1.0, 4.0, (50, pixels.n_pixel)).astype(np.float32)
    cuts = Cuts(8.0, 4.0, neighbours, keep_isolated)
    found = clean_images(pixels, charge, cuts)
    for image in range(50):
        assert np.array_equal(found[image], expected(near, charge[image], cuts))
    assert 0 < found.mean() < 0.5


def test_nothing_and_everything(pixels):
    charge = np.stack([np.zeros(pixels.n_pixel), np.full(pixels.n_pixel, 8)]).astype(np.float32)
    assert clean_images(pixels, charge, Cuts()).mean(axis=1).tolist() == [0, 1]
