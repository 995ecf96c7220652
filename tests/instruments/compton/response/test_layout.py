import h5py
import numpy as np
import pytest

from skyquilt.instruments.compton.response import layout
from skyquilt.instruments.compton.response.layout import rows_per_read


@pytest.mark.parametrize(("chunks", "rows"), [((3, 4), 3), (None, 1), ((12, 1), 12)])
def test_rows_per_read_are_those_of_a_chunk(tmp_path, chunks, rows):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        dataset = file.create_dataset("rows", data=np.zeros((12, 4)), chunks=chunks)

        assert rows_per_read(dataset, ["NuLambda", "Ei"]) == rows


def test_rows_per_read_stay_within_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "_BLOCK_BYTES", 100)
    with h5py.File(tmp_path / "file.h5", "w") as file:
        dataset = file.create_dataset("rows", data=np.zeros((12, 4)), chunks=(12, 4))

        assert rows_per_read(dataset, ["NuLambda", "Ei"]) == 3
        assert rows_per_read(dataset, ["NuLambda", "Ei"], itemsize=4) == 6
        assert rows_per_read(dataset, ["NuLambda", "Ei"], itemsize=1000) == 1


def test_rows_that_are_not_stored_one_after_the_other_are_read_together(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        dataset = file.create_dataset("rows", data=np.zeros((4, 12)))

        assert rows_per_read(dataset, ["Ei", "NuLambda"]) == 12
