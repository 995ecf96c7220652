"""Bad input: one clear line, exit code 2 (1 if the output fails), and nothing half written."""

import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest


def _damage_dataset(path, name):
    with h5py.File(path, "r+") as file:
        del file[name]


def _set(*keys_and_value):
    """Change of a setting of the analysis: keys, then the value."""
    *keys, last, value = keys_and_value

    def change(observation):
        section = observation.settings
        for key in keys:
            section = section.setdefault(key, {})
        section[last] = value

    return change


def _counts(change):
    def write(observation):
        counts = observation.counts.copy()
        change(counts)
        observation.write_counts("counts.h5", counts)

    return write


def _background(change):
    def write(observation):
        background = observation.background.copy()
        change(background)
        observation.write_counts("background.h5", background)

    return write


def _cut(name):
    def cut(observation):
        path = Path(observation.path(name))
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])

    return cut


def _put(value):
    def put(array):
        array[1, 2, 3] = value

    return put


POSITION = {"lon": 93, "lat": -53}
CASES = {
    "truncated histogram": (_cut("counts.h5"), r"counts\.h5: cannot be read as a histogram"),
    "truncated background": (_cut("background.h5"), r"background\.h5: cannot be read"),
    "truncated response": (_cut("response.h5"), r"response\.h5: not a whole HDF5 file"),
    "truncated orientation": (_cut("orientation.ori"), r"orientation\.ori: no line 'EN'"),
    "histogram without contents": (
        lambda o: _damage_dataset(o.path("counts.h5"), "hist/contents"),
        r"counts\.h5: cannot be read as a histogram",
    ),
    "response without contents": (
        lambda o: _damage_dataset(o.path("response.h5"), "DRM/CONTENTS"),
        r"response\.h5: incomplete response: .*CONTENTS",
    ),
    "missing file": (_set("data", "response", "nowhere.h5"), r"nowhere\.h5: no such file"),
    "counts in a wrong unit": (
        lambda o: o.write_counts("counts.h5", o.counts, unit="1 / s"),
        r"counts\.h5: unit of the contents is '1 / s'",
    ),
    "response in a wrong unit": (
        lambda o: o.write_response(unit="cm"),
        r"response\.h5: unit is 'cm', not convertible to cm2",
    ),
    "response with other edges": (
        lambda o: o.write_response(edges={"Em": [100.0, 200.0, 401.0, 800.0]}),
        r"counts\.h5 and .*response\.h5: edge 2 of axis Em is 400 keV .* 401 keV",
    ),
    "mixed orderings": (
        lambda o: o.write_response(scheme="nested"),
        r"counts\.h5 and .*response\.h5: axis PsiChi has ordering RING .* NESTED",
    ),
    "frame of the data": (
        _set("data", "frame", "galactic"),
        r"counts\.h5: PsiChi is in the local frame, .*`data\.frame: galactic`",
    ),
    "NaN counts": (_counts(_put(np.nan)), r"counts\.h5: 1 bins .*\(1, 2, 3\) with nan"),
    "negative counts": (_counts(_put(-1.0)), r"counts\.h5: 1 bins .*\(1, 2, 3\) with -1"),
    "NaN background": (_background(_put(np.nan)), r"background\.h5: 1 bins .*\(1, 2, 3\) with nan"),
    "negative background": (_background(_put(-1.0)), r"background\.h5: 1 bins .*\(1, 2, 3\)"),
    "zero background": (
        _background(_put(0.0)),
        r"background\.h5: 1 bins have counts .*\(1, 2, 3\)",
    ),
    "all-zero data over a bright background": (
        _counts(lambda counts: counts.fill(0)),
        r"counts\.h5: 0 counts in .*expects \d.*`accept: \[totals\]`",
    ),
    "empty energy selection": (
        _set("energy", {"channels": [2, 2]}),
        r"analyses\.tiny\.energy\.channels: \[2, 2\]: give \[first, last \+ 1\]",
    ),
    "energy selection that does not exist": (
        _set("energy", {"channels": [3, 9]}),
        r"response\.h5: energy channels \[3, 9\) .*channels 0 to 2",
    ),
    "energy between edges": (
        _set("energy", {"range": ["100 keV", "300 keV"]}),
        r"response\.h5: 300 keV is no edge of the measured energies; edges are 100, 200, 400, 800 ",
    ),
    "empty time selection": (
        _set("data", "interval", [1.8e9, 1.8e9]),
        r"analyses\.tiny\.data\.interval: .*the start must lie before the end",
    ),
    "time selection without counts": (
        lambda o: (
            o.write_counts("counts.h5", np.stack([o.counts, 0 * o.counts]), time=[0, 5, 10]),
            o.write_counts("background.h5", np.stack([o.background] * 2), time=[0, 5, 10]),
            _set("data", "interval", [1.8e9 + 5, 1.8e9 + 10])(o),
        ),
        r"counts\.h5: 0 counts in .*expects \d.*`accept: \[totals\]`",
    ),
    "interval that the orientation does not cover": (
        lambda o: (
            o.write_counts("counts.h5", o.counts[None], time=[0, 50]),
            o.write_counts("background.h5", o.background[None], time=[0, 50]),
        ),
        r"orientation\.ori: covers 1800000000\.0+ to 1800000010\.0+ s, not the interval",
    ),
    "unsorted stamps": (
        lambda o: o.write_orientation([0, 2, 1], livetime=1),
        r"orientation\.ori: time stamps must increase",
    ),
    "duplicated stamps": (
        lambda o: o.write_orientation([0, 1, 1], livetime=1),
        r"orientation\.ori: time stamps must increase",
    ),
    "old orientation with five columns": (
        lambda o: Path(o.path("orientation.ori")).write_text(
            "Type OrientationsGalactic\nOG 1 0 90 0 0\nOG 2 0 90 0 0\nEN\n"
        ),
        r"orientation\.ori: its records have no livetimes .*`data\.time_weights: elapsed`",
    ),
    "spectrum that overflows": (
        _set("spectrum", "norm", "1e308 cm-2 s-1 keV-1"),
        r"the flux overflows",
    ),
    "nside that is no power of two": (
        _set("map", "nside", 12),
        r"config\.yaml: analyses\.tiny\.map\.nside: nside 12: allowed are the powers of two",
    ),
    "true position without a frame": (
        _set("localise", {"true_position": POSITION}),
        r"analyses\.tiny\.localise\.true_position: the position has no frame: add `frame:",
    ),
    "unknown key": (_set("map", "n_side", 4), r"analyses\.tiny\.map\.n_side: unknown key"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line_and_nothing_is_written(case, local, run, write_config, untouched):
    spoil, message = CASES[case]
    spoil(local)
    config, output = write_config(local), local.folder / "results"
    output.mkdir()
    (output / "problem.h5").write_text("of an earlier run")

    with untouched(output):
        code, out, err = run(
            "prepare", "--config", config, "--analysis", "tiny", "--output", output / "problem.h5"
        )

    errors = [line for line in err if "error: " in line]
    assert code == 2
    assert out == ""
    assert len(errors) == 1
    assert err[-1] == errors[0]
    assert errors[0].startswith("skyquilt prepare: error: ")
    assert re.search(message, errors[0]), errors[0]
    partial = [path for path in local.folder.rglob(".*") if path.name.startswith(".")]
    assert not partial


@pytest.fixture
def fitted(local, run, write_config):
    """Files of all steps; a function that runs each of the later verbs."""
    chunk = local.fit()[0]
    folder = Path(local.path("results/tiny"))
    files = ("--problem", folder / "problem.h5", "--plan", folder / "plan.json")
    verbs = {
        "fit-chunk": (*files, "--chunk", 0, "--output", chunk),
        "merge": (*files, "--output", folder / "maps.fits", chunk),
        "localise": (
            *("--config", write_config(local), "--analysis", "tiny"),
            *("--problem", folder / "problem.h5", "--maps", folder / "maps.fits"),
            *("--refined", folder / "refined.fits"),
            *("--output", folder),
        ),
    }
    assert run("merge", *verbs["merge"])[0] == 0
    return folder, Path(chunk), lambda verb: run(verb, *verbs[verb])


@pytest.mark.parametrize(
    ("verb", "name", "message"),
    [
        ("fit-chunk", "problem.h5", r"problem\.h5: not a whole HDF5 file .*`skyquilt prepare`"),
        ("fit-chunk", "plan.json", r"plan\.json: cannot be read .*`skyquilt plan`"),
        ("merge", "problem.h5", r"problem\.h5: not a whole HDF5 file .*`skyquilt prepare`"),
        ("merge", "chunk", r"000-of-001\.h5: not a whole HDF5 file .*`skyquilt fit-chunk`"),
        ("localise", "maps.fits", r"maps\.fits: not a whole file .*`skyquilt merge`"),
    ],
)
def test_truncated_product_names_the_command_that_makes_it(
    fitted, truncate, untouched, verb, name, message
):
    folder, chunk, run_verb = fitted
    truncate(chunk if name == "chunk" else folder / name)

    with untouched(folder):
        code, _, err = run_verb(verb)

    assert code == 2
    assert re.search(message, err[-1]), err[-1]


def _prepare(run, config, output):
    return run("prepare", "--config", config, "--analysis", "tiny", "--output", output)


def test_output_below_a_file_is_refused(local, run, write_config, untouched):
    config = write_config(local)
    (local.folder / "results").write_text("a file")
    _prepare(run, config, local.folder / "other" / "problem.h5")  # fills the cache

    with untouched(local.folder):
        code, _, err = _prepare(run, config, local.folder / "results" / "problem.h5")

    assert code == 1
    folder = local.folder / "results"
    assert f"problem.h5: {folder} is a file; choose a folder that can be written" in err[-1]


def test_full_disk_is_one_line_and_keeps_the_earlier_file(
    local, run, write_config, untouched, monkeypatch
):
    def fail(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    config, output = write_config(local), local.folder / "results" / "problem.h5"
    _prepare(run, config, output)
    monkeypatch.setattr(os, "fsync", fail)

    with untouched(local.folder):
        code, _, err = _prepare(run, config, output)

    assert code == 1
    assert "problem.h5: No space left on device; free some space, then run again" in err[-1]


def _mount(folder, options):
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a file system needs root")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this system does not let root mount a file system")
    return folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("size=16k", "No space left on device; free some space"),
        ("ro", "Read-only file system; choose a folder that can be written"),
    ],
)
def test_file_system_that_takes_no_file_is_one_line(local, run, write_config, options, message):
    folder = _mount(local.folder / "disk", options)
    try:
        code, _, err = _prepare(run, write_config(local), folder / "problem.h5")
        left = list(folder.iterdir())
    finally:
        subprocess.run(["umount", folder], check=True)

    assert code == 1
    assert f"problem.h5: {message}" in err[-1]
    assert not left
