"""A few bursts of the table of linked numbers: that its lines are made, and what linking gains."""

import linked_table
import numpy as np
import pytest


@pytest.fixture(scope="module")
def trials():
    return linked_table.simulate(3, 5, 0)


def test_linking_makes_errors_of_faint_bins_smaller(trials):
    rms = {kind: linked_table.errors_of(trials, kind)[0] for kind in linked_table.LIMITS}
    assert rms["function"] < 0.6 * rms["joint"]
    assert rms["joint"] < rms["alone"]
    assert all(trial.n_bad == 0 for trial in trials)


def test_pulse_is_found_within_its_errors(trials):
    pulls = np.array([trial.pulls for trial in trials])
    assert np.all(np.abs(pulls) < 4)


def test_tables_have_a_line_for_each_fit_and_number(trials):
    text = "\n".join(linked_table.tables(trials))
    for name in (*linked_table.LIMITS, *linked_table.PULSE):
        assert f"| {name} | " in text


def test_short_chains_of_a_burst_are_sampled():
    (trial,) = linked_table.simulate(1, 6, 1, steps=30)
    assert trial.is_expanded
    assert np.isfinite(trial.n_effective)
    assert trial.is_within.shape == (2, 3)
