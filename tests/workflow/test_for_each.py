"""One analysis over the rows of a table: one job each, and only new rows later."""

import pytest
import yaml
from workdir import TINY

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def configure(path, n_rows):
    """The tiny configuration with one analysis over a table of some rows."""
    rows = [f"{name},{scale}" for name, scale in zip("abc", (1.0, 0.5, 0.2), strict=True)]
    (path / "rows.csv").write_text("\n".join(["name,scale", *rows[:n_rows]]) + "\n")
    settings = yaml.safe_load(TINY.read_text())
    burst = next(iter(settings["analyses"].values()))
    burst["data"]["counts"][0]["scale"] = "{scale}"
    burst["for_each"] = {"table": "rows.csv"}
    (path / "many.yaml").write_text(yaml.safe_dump({**settings, "analyses": {"burst": burst}}))
    return path / "many.yaml"


def test_rows_are_made_in_one_job_each_and_later_only_the_new_one(empty):
    first = empty.run(config=configure(empty.path, 2))
    assert first.returncode == 0, first.stdout
    made = {path.parent.name: path.stat().st_mtime_ns for path in summaries(empty)}
    assert made.keys() == {"a", "b"}

    second = empty.run(config=configure(empty.path, 3))
    assert second.returncode == 0, second.stdout
    after = {path.parent.name: path.stat().st_mtime_ns for path in summaries(empty)}
    assert after.keys() == {"a", "b", "c"}
    assert made.items() <= after.items()


def summaries(workdir):
    return workdir.results.glob("*/summary.json")
