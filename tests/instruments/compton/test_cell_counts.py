import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyquilt.instruments.compton import cell_counts
from skyquilt.instruments.compton.cell_counts import DenseCounts, SortedCounts, make_counts


def collect(counts):
    blocks = list(counts.blocks())
    cells = np.concatenate([cells for cells, _ in blocks] or [[]])
    numbers = np.concatenate([numbers for _, numbers in blocks] or [[]])
    assert np.all(np.diff(cells) > 0)
    return dict(zip(cells.tolist(), numbers.tolist(), strict=True))


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    parts=st.lists(st.lists(st.integers(0, 30), max_size=20), max_size=5), size=st.integers(1, 7)
)
def test_counts_in_any_parts_and_slices_equal_those_of_numpy(parts, size):
    parts = [np.array(part, dtype=np.int64) for part in parts]
    every = np.concatenate([*parts, np.empty(0, np.int64)])
    expected = dict(zip(*(a.tolist() for a in np.unique(every, return_counts=True)), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell_counts, "_SLICE", size)
        for counts in (DenseCounts(31), SortedCounts(every.size + 3)):
            for part in parts:
                counts.add(part)
            assert collect(counts) == expected


@pytest.mark.parametrize(
    ("n_cells", "n_events", "kind"),
    [(10, 10, DenseCounts), (11, 10, SortedCounts), (10**14, 10, SortedCounts)],
)
def test_make_counts_takes_the_counter_of_less_memory(n_cells, n_events, kind):
    assert type(make_counts(n_cells, n_events)) is kind
