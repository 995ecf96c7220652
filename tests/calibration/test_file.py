"""Files of simulated skies."""

import numpy as np
import pytest

from skyquilt.calibration.file import (
    merge_skies,
    read_calibration,
    write_calibration,
    write_skies,
)
from skyquilt.calibration.skies import InjectedSkies, NullSkies
from skyquilt.errors import ProductError
from skyquilt.io.provenance import Provenance

RECORD = Provenance("test")


def null_skies(numbers):
    n = len(numbers)
    return NullSkies(np.array(numbers, float), np.arange(n), np.full(n, 7))


@pytest.fixture
def parts(tmp_path):
    """Files of skies 0 to 2 and 3 to 4, by their first number."""
    paths = {}
    for numbers in (range(3), range(3, 5)):
        paths[numbers.start] = tmp_path / f"null-{numbers.start}.h5"
        write_skies(paths[numbers.start], null_skies(numbers), "null", numbers, "id", RECORD)
    return paths


def test_merge_puts_skies_in_order_whatever_the_order_of_files(parts):
    skies, stages = merge_skies([parts[3], parts[0]], "null", 5, "id")

    np.testing.assert_array_equal(skies.ts_max, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(skies.ipix, [0, 1, 2, 0, 1])
    assert len(stages) == 2


@pytest.mark.parametrize("names", [[0], [3], [0, 0]], ids=["end", "start", "twice"])
def test_merge_with_missing_skies_is_refused(parts, names):
    with pytest.raises(ProductError, match=r"null skies: \d of 5.*`skyquilt simulate-skies`"):
        merge_skies([parts[name] for name in names], "null", 5, "id")


@pytest.mark.parametrize(("kind", "identity"), [("injected", "id"), ("null", "other")])
def test_merge_of_skies_of_another_kind_or_model_is_refused(parts, kind, identity):
    with pytest.raises(ProductError, match=r"null-0\.h5: answers another model.*remove it"):
        merge_skies(parts.values(), kind, 5, identity)


def test_merge_of_a_damaged_file_is_refused(parts, damage):
    damage(parts[3], dataset="ts_max")

    with pytest.raises(ProductError, match=r"null-3\.h5: damaged: .*simulate-skies"):
        merge_skies(parts.values(), "null", 5, "id")


def test_calibration_comes_back_as_written(tmp_path):
    vec = np.eye(3)
    injected = InjectedSkies(
        *(np.full(3, 1.0), vec, vec, *(np.arange(3.0) + number for number in range(6)))
    )
    skies = {"null": null_skies(range(4)), "injected": injected}

    write_calibration(tmp_path / "calibration.h5", skies, RECORD)

    found = read_calibration(tmp_path / "calibration.h5")
    for kind, values in skies.items():
        for one, other in zip(found[kind], values, strict=True):
            np.testing.assert_array_equal(one, other)
