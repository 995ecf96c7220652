import numpy as np
import pytest

from skyquilt.config import parse_config
from skyquilt.errors import InputError, SkyquiltError
from skyquilt.instruments.compton.response import Response
from skyquilt.steps.check import check_files, made_files
from skyquilt.steps.prepare import prepare_analysis

POSITION = {"lon": 1, "lat": 2, "frame": "galactic"}


def test_check_tells_counts_background_and_scale(local):
    counts, background = local.counts[1:].sum(), local.background[1:].sum()
    local.settings["energy"] = {"channels": [1, 3]}

    assert check_files(local.config()) == (
        f"tiny: good; {counts:g} counts over {background:g} expected background in channels "
        "[1, 3), background scale 1 (no time axis: the histograms cover the same time)"
    )


def test_check_has_one_line_per_analysis(local):
    config = local.raw_config()
    config["analyses"]["second"] = local.settings

    lines = check_files(parse_config(config)).splitlines()

    assert [line.split(":")[0] for line in lines] == ["tiny", "second"]


@pytest.mark.parametrize(
    ("index", "rises", "n"), [(2.2, False, 1), (2.2, True, 0), (-2.2, False, 0)]
)
def test_check_and_prepare_warn_of_a_spectrum_of_the_other_sign(
    local, tmp_path, caplog, index, rises, n
):
    local.settings["spectrum"] |= {"index": index, "rises": rises}
    warning = "analysis tiny, spectrum: index 2.2 is that of a spectrum that rises with energy"

    check_files(local.config())
    assert caplog.text.count(warning) == n
    prepare_analysis(local.config(), "tiny", tmp_path / "problem.h5")
    assert caplog.text.count(warning) == 2 * n


def test_check_writes_nothing(local, untouched, tmp_path):
    with untouched(tmp_path):
        check_files(local.config())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda o: o.write_counts("counts.h5", -o.counts), r"counts\.h5: \d+ bins are negative"),
        (lambda o: o.write_response(unit="s"), r"response\.h5: unit is 's'"),
        (lambda o: o.settings.update(energy={"channels": [3, 4]}), r"energy channels \[3, 4\)"),
        (lambda o: o.write_orientation([0, 2, 1]), r"orientation\.ori: time stamps must increase"),
    ],
    ids=["counts", "response", "energy", "orientation"],
)
def test_check_names_the_analysis_that_cannot_run(local, spoil, message):
    spoil(local)

    with pytest.raises(InputError, match=rf"^analysis tiny: .*{message}"):
        check_files(local.config())


def test_check_refuses_chunks_that_do_not_divide_the_map(local):
    local.settings["fit"] = {"chunks": 7}

    with pytest.raises(
        InputError, match=r"^analysis tiny: fit\.chunks: 7 chunks: allowed at nside 1"
    ):
        check_files(local.config())


def test_check_of_an_overflowing_spectrum_is_refused(local):
    local.settings["spectrum"]["norm"] = "1e308 cm-2 s-1 keV-1"

    with pytest.raises(InputError, match=r"^analysis tiny: .*the flux overflows"):
        check_files(local.config())


def test_check_of_a_file_that_is_missing_is_refused(local):
    local.settings["data"]["counts"] = [{"path": "nowhere.h5"}]

    with pytest.raises(InputError, match=r"analysis tiny: nowhere\.h5: no such file"):
        check_files(local.config())


def _with_simulation(observation, folder):
    source = {"position": POSITION, "spectrum": observation.settings["spectrum"]}
    simulation = {"folder": folder, "sources": {"crab": source}}
    return parse_config(observation.raw_config() | {"simulation": simulation})


def test_check_of_files_that_are_simulated_first_is_good(local):
    local.settings["data"]["counts"] = [{"path": "./sim/crab.h5"}]

    text = check_files(_with_simulation(local, "sim"))

    assert text == "tiny: configuration is good; ./sim/crab.h5 will be made first"


def test_check_of_files_that_are_simulated_and_others_that_are_missing_is_refused(local):
    local.settings["data"]["counts"] = [{"path": "sim/crab.h5"}, {"path": "nowhere.h5"}]

    with pytest.raises(InputError, match=r"(crab|nowhere)\.h5: no such file"):
        check_files(_with_simulation(local, "sim"))


def test_made_files_are_those_of_simulation_and_binning(local):
    raw = _with_simulation(local, "sim").model_dump(mode="json")
    raw["binning"] = {
        "crab": {
            "events": "events.fits",
            "output": "binned/crab.h5",
            "frame": "galactic",
            "time_edges": [0, 1],
            "energy_edges": ["1 keV", "2 keV"],
            "phi_width": "10 deg",
            "nside": 1,
        }
    }

    made = {str(path) for path in made_files(parse_config(raw))}

    assert {"sim/crab.h5", "sim/orientation.ori", "binned/crab.h5"} <= made


def test_check_reads_the_rows_of_a_response_once_for_all_spectra(local, monkeypatch):
    read = []
    blocks = Response.blocks
    monkeypatch.setattr(
        Response, "blocks", lambda self, channels: read.append(1) or blocks(self, channels)
    )
    spectrum = local.settings.pop("spectrum")
    local.settings["spectra"] = {"soft": spectrum | {"index": -3}, "hard": spectrum | {"index": -1}}

    assert "tiny: good" in check_files(local.config())
    assert read == [1]


def test_check_scales_the_background_as_prepare_does(local):
    local.write_counts("background.h5", np.stack([local.background] * 2), time=[0, 5, 10])
    local.write_counts("counts.h5", local.counts[None], time=[0, 2])

    assert "background scale 0.2 (ratio of livetimes)" in check_files(local.config())


def test_check_names_all_analyses_that_cannot_run(local):
    config = local.raw_config()
    config["analyses"]["second"] = local.settings | {"energy": {"channels": [7, 8]}}
    config["analyses"]["third"] = local.settings | {
        "map": {"nside": 1, "region": {"pixels": [12]}},
    }

    with pytest.raises(InputError) as caught:
        check_files(parse_config(config))

    assert "analysis second: " in str(caught.value)
    assert "analysis third: map.region: " in str(caught.value)
    assert "analysis tiny" not in str(caught.value)


def test_check_finds_bins_without_background(local):
    background = local.background.copy()
    background[0, 0, 0] = 0
    local.write_counts("background.h5", background)

    with pytest.raises(InputError, match=r"1 bins have counts .* but no background"):
        check_files(local.config())


def test_check_finds_an_orientation_without_altitude(local):
    local.write_orientation(np.array([0.0, 10.0]), altitude=0)
    local.settings["data"]["earth_occultation"] = True

    with pytest.raises(InputError, match="altitude 0"):
        check_files(local.config())


def _spoil_area(observation, value):
    observation.area[7, 1, 2, 0, 3] = value
    observation.write_response()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda o: _spoil_area(o, np.nan), r"response\.h5: rows .* hold negative or non-finite"),
        (lambda o: _spoil_area(o, -1), r"response\.h5: rows .* hold negative or non-finite"),
        (lambda o: o.write_response(area=0 * o.area), r"response\.h5: is 0 in all directions"),
        (lambda o: o.write_response(scheme="nested"), r"has ordering RING in the first"),
        (lambda o: o.settings["spectrum"].update(norm="1e60 cm-2 s-1 keV-1"), "overflows"),
    ],
    ids=["nan", "negative", "zero", "nested", "overflow"],
)
def test_check_reads_the_contents_of_a_response_as_prepare_does(local, spoil, message):
    spoil(local)

    for do in (lambda: check_files(local.config()), local.prepare):
        with pytest.raises(SkyquiltError, match=message):
            do()


def test_check_reads_a_response_that_was_replaced_again(local):
    check_files(local.config())
    _spoil_area(local, np.nan)

    with pytest.raises(InputError, match="hold negative or non-finite"):
        check_files(local.config())
