"""Seeds."""

import numpy as np
import pytest

from skyquilt.simulate import generator


def first(*keys):
    return int(generator(*keys).integers(2**62))


def test_same_keys_give_the_same_numbers_and_others_others():
    keys = [(1, "a", 3), (1, "a", 4), (1, "b", 3), (2, "a", 3)]
    assert first(*keys[0]) == first(*keys[0])
    assert len({first(*one) for one in keys}) == len(keys)


def test_numbers_are_those_of_numpy_for_the_same_words():
    # so that skies of earlier versions stay as they were
    assert first(9, 1, 4) == int(np.random.default_rng([9, 1, 4]).integers(2**62))


@pytest.mark.parametrize("keys", [(-1, 0), (1, -1)])
def test_negative_numbers_are_refused(keys):
    with pytest.raises(ValueError, match="0 or above"):
        generator(*keys)
