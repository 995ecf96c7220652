import os
import sys

import h5py
import pytest

from skyquilt.io.digest import file_digest, settings_digest
from skyquilt.io.provenance import (
    Provenance,
    input_records,
    read_provenance,
    start_clock,
    write_provenance,
)


def test_record_names_stage_versions_settings_inputs_and_command(tmp_path, monkeypatch):
    (tmp_path / "counts.h5").write_bytes(b"12345")
    monkeypatch.setattr(sys, "argv", ["skyquilt", "prepare"])
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    path = str(tmp_path / "counts.h5")

    record = Provenance("prepare", {"nside": 4}, (path, path), hosts=("n1", "n2", "n2")).record()

    assert record["inputs"] == [{"path": path, "size": 5, "sha256": file_digest(path)}]
    assert record["settings_sha256"] == settings_digest({"nside": 4})
    assert (record["command"], record["job_id"], record["n_ranks"]) == ("skyquilt prepare", "17", 3)
    assert record["hosts"] == ["n1", "n2", "n2"]
    assert set(record["versions"]) == {"python", "numpy", "h5py"}
    assert record["started_utc"] <= record["ended_utc"]


def test_record_lists_earlier_stages_before_its_own():
    before = Provenance("contract").record()["stages"]

    stages = Provenance("prepare", earlier=tuple(before)).record()["stages"]

    assert [stage["stage"] for stage in stages] == ["contract", "prepare"]
    assert stages[1]["n_jobs"] == 1
    assert stages[1]["wall_s"] >= 0
    assert stages[1]["cpu_s"] >= 0
    assert stages[1]["peak_memory_mb"] > 1


def test_record_survives_writing_and_reading(tmp_path):
    provenance = Provenance("plan", {"region": None, "levels": (0.9,)})
    with h5py.File(tmp_path / "file.h5", "w") as file:
        write_provenance(file, provenance)
        record = read_provenance(file)

    wanted = provenance.record()
    assert record["settings"] == {"region": None, "levels": [0.9]}
    assert set(record) == set(wanted)
    same = ("stage", "skyquilt", "versions", "settings_sha256", "hosts", "n_ranks", "started_utc")
    assert {key: record[key] for key in same} == {key: wanted[key] for key in same}


def test_input_records_of_missing_file_raise(tmp_path):
    with pytest.raises(FileNotFoundError):
        input_records([os.fspath(tmp_path / "missing")])


def test_stage_counts_the_time_since_its_clock_only(monkeypatch):
    now = {"wall": 100.0, "cpu": 7.0}
    monkeypatch.setattr("time.time", lambda: now["wall"])
    monkeypatch.setattr("time.process_time", lambda: now["cpu"])
    provenance = Provenance("merge", clock=start_clock())
    now.update(wall=103.0, cpu=9.5)

    stage = provenance.record()["stages"][-1]

    assert (stage["wall_s"], stage["cpu_s"]) == (3.0, 2.5)
