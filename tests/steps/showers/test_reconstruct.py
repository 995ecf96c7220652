"""`skyquilt showers reconstruct`: products, resumption, bad input."""

import shutil
import zipfile

import numpy as np
import pytest
import yaml

from skyquilt.cli.main import main
from skyquilt.showers.file import read_showers

RUN = "gamma_run000007_za40deg_South_lsts_ab14a01.simtel.zst"
PROTON = "proton_run201_za20deg_North_5683fe8.simtel.zst"
CUT = "test_lasercal_v3.simtel.gz"


@pytest.fixture
def setting(tmp_path, simtel_data):
    """A configuration of two runs, and what starts the verb."""
    for name in (RUN, PROTON, CUT):
        shutil.copy(simtel_data / name, tmp_path)
    settings = {"files": [str(tmp_path / RUN), str(tmp_path / "proton*.zst")]}

    def start(*more, name="all", **changes):
        config = {
            "results": str(tmp_path / "results"),
            "cache": str(tmp_path / "cache"),
            "showers": {"runs": {"all": settings | changes}},
        }
        path = tmp_path / "showers.yaml"
        path.write_text(yaml.safe_dump(config))
        output = tmp_path / "runs"
        arguments = ("--config", str(path), "--runs", name, "--output", str(output), *more)
        return main(["showers", "reconstruct", *arguments]), output

    return start


def test_each_run_has_a_product(setting):
    code, folder = setting()
    assert code == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        RUN.replace(".simtel.zst", ".h5"),
        PROTON.replace(".simtel.zst", ".h5"),
    ]
    tables = read_showers(folder / RUN.replace(".simtel.zst", ".h5"))
    assert (tables.obs_id, tables.n_lost_bytes) == (7, 0)
    assert tables.events["event_id"].tolist() == [1000]
    assert tables.images["tel_id"].tolist() == [1, 2, 4]
    assert tables.telescopes["tel_id"].tolist() == [1, 2, 3, 4]
    # 50 deg of altitude is where the gammas come from
    offset = np.rad2deg(tables.events["alt"] - tables.events["true_alt"])
    assert abs(offset[0]) < 0.5
    assert tables.simulated["n_showers"] > 0
    assert tables.pixels is None


def test_what_is_done_and_fresh_is_left_alone(setting, caplog, tmp_path):
    _, folder = setting()
    products = sorted(folder.iterdir())
    times = [path.stat().st_mtime_ns for path in products]
    products[1].unlink()
    setting()
    assert products[0].stat().st_mtime_ns == times[0]
    assert products[1].is_file()
    setting(clean={"picture": 9})
    again = [path.stat().st_mtime_ns for path in products]
    assert all(after > before for before, after in zip(times, again, strict=True))


def test_a_damaged_product_is_made_again(setting):
    _, folder = setting()
    first = min(folder.iterdir())
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) // 2])
    assert setting()[0] == 0
    assert read_showers(first).events["event_id"].size == 1


def test_images_are_kept_where_asked(setting):
    _, folder = setting(keep={"images": True})
    tables = read_showers(folder / RUN.replace(".simtel.zst", ".h5"))
    assert np.diff(tables.pixels.indptr).tolist() == [1855] * 3
    kept = np.add.reduceat(
        np.where(tables.pixels.mask, tables.pixels.charge, 0), tables.pixels.indptr[:-1]
    )
    intensity = tables.images["hillas_intensity"]
    seen = np.isfinite(intensity)
    # float32 charges, added up in another order
    assert kept[seen] == pytest.approx(intensity[seen], rel=1e-5)


def test_a_cut_run_is_refused_or_kept(setting, tmp_path, capsys):
    assert setting(files=str(tmp_path / CUT))[0] == 2
    assert "cut after byte 2850452" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())
    code, folder = setting(files=str(tmp_path / CUT), truncated="keep")
    assert code == 0
    tables = read_showers(folder / CUT.replace(".simtel.gz", ".h5"))
    assert tables.events["event_id"].tolist() == [100, 101, 104]
    assert tables.n_lost_bytes == 694572


def test_chosen_telescopes_alone_are_used(setting, tmp_path):
    for choice, numbers in (["lst*"], [1, 2, 4]), (["1-2"], [1, 2]), ([2, 4], [2, 4]):
        code, folder = setting(files=str(tmp_path / RUN), telescopes={"choose": choice})
        assert code == 0
        tables = read_showers(next(folder.glob("gamma*")))
        assert tables.images["tel_id"].tolist() == numbers


@pytest.mark.parametrize("patterns", [("*", "LST*"), ("LST*", "*")])
def test_pattern_with_most_letters_counts_in_any_order(setting, tmp_path, patterns):
    levels = {"*": 1e6, "LST*": 8}
    kept = {"telescopes": {"choose": ["LST*"]}, "files": str(tmp_path / RUN)}
    _, folder = setting(**kept, clean={"picture": {one: levels[one] for one in patterns}})
    tables = read_showers(next(folder.glob("gamma*")))
    assert np.isfinite(tables.images["hillas_intensity"]).any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"telescopes": {"choose": ["SST*"]}}, "'SST*' matches no telescope; there are: "),
        ({"telescopes": {"choose": [1]}}, "leaves 1 telescopes, stereo.min_telescopes asks for 2"),
        (
            {"clean": {"picture": {"*": 8, "LS*": 7, "L*T*": 6}}},
            "clean.picture: 'L*T*' and 'LS*' match telescope 1",
        ),
        ({"clean": {"picture": {"MST*": 8}}}, "clean.picture: no pattern matches telescope 1"),
        ({"files": "nothing_*.zst"}, "nothing_*.zst: no file has such a name"),
        ({"files": "nothing.zst"}, "nothing.zst: no such file"),
        ({"files": []}, "files"),
        ({"calibrate": {"extractor": "best"}}, "extractor"),
        ({"clean": {"picture": -1}}, "picture"),
        ({"stereo": {"min_telescopes": 1}}, "min_telescopes"),
        ({"typo": 1}, "typo"),
    ],
)
def test_bad_settings_are_one_message(setting, capsys, changes, words):
    code, folder = setting(**changes)
    error = capsys.readouterr().err
    assert code == 2
    assert words in error
    assert not folder.exists() or not list(folder.iterdir())


def test_unknown_runs_are_named(setting, capsys):
    assert setting(name="gamas")[0] == 2
    assert "showers.runs has no 'gamas'; there are: all" in capsys.readouterr().err


def test_two_files_of_one_name_are_refused(setting, tmp_path, capsys):
    (tmp_path / "more").mkdir()
    shutil.copy(tmp_path / RUN, tmp_path / "more")
    files = [str(tmp_path / RUN), str(tmp_path / "more" / RUN)]
    assert setting(files=files)[0] == 2
    assert "would both be reconstructed into" in capsys.readouterr().err


def test_what_is_no_run_is_refused(setting, tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "run.simtel.zst", "w") as file:
        file.writestr("a", "b")
    assert setting(files=str(tmp_path / "run.simtel.zst"))[0] == 2
    assert "no file of sim_telarray" in capsys.readouterr().err


def test_one_file_alone_is_made(setting, tmp_path, capsys):
    code, folder = setting("--file", str(tmp_path / RUN))
    assert code == 0
    assert [path.name for path in folder.iterdir()] == [RUN.replace(".simtel.zst", ".h5")]
    assert setting("--file", str(tmp_path / CUT))[0] == 2
    assert f"{CUT}: none of the files of showers.runs.all" in capsys.readouterr().err


def test_run_without_analyses_says_who_makes_showers(tmp_path, simtel_data, capsys):
    path = tmp_path / "showers.yaml"
    runs = {"night": {"files": str(simtel_data / RUN)}}
    path.write_text(yaml.safe_dump({"showers": {"runs": runs}}))
    assert main(["run", "--config", str(path)]) == 2
    said = capsys.readouterr().err
    assert "has no analyses to run; its runs of showers (night) are made by" in said


def test_check_tells_of_each_set_of_runs(setting, tmp_path, capsys):
    setting(files=str(tmp_path / "nothing.zst"))
    path = str(tmp_path / "showers.yaml")
    capsys.readouterr()
    assert main(["check", "--config", path]) == 2
    assert "showers: " in capsys.readouterr().err
    setting(files=str(tmp_path / RUN), telescopes={"choose": ["SST*"]})
    capsys.readouterr()
    assert main(["check", "--config", path]) == 2
    assert f"{RUN}: telescopes.choose: 'SST*' matches no telescope" in capsys.readouterr().err
    setting(files=str(tmp_path / RUN))
    capsys.readouterr()
    assert main(["check", "--config", path]) == 0
    assert "showers all: 1 runs; 4 of 4 telescopes in" in capsys.readouterr().out
