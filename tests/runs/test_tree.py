from pathlib import Path

from skyquilt.config.calibrate import CalibrateOptions
from skyquilt.runs.tree import skies_paths

FOLDER = Path("a/skies")


def test_skies_are_those_of_all_jobs_of_both_kinds():
    options = CalibrateOptions(null_skies=250, injections=20, fluxes=[30.0], skies_per_job=100)
    assert [path.name for path in skies_paths(FOLDER, options)] == [
        *(f"null-00{index}-of-003.h5" for index in range(3)),
        "injected-000-of-001.h5",
    ]


def test_skies_that_are_not_asked_for_are_none():
    assert skies_paths(FOLDER, None) == []
