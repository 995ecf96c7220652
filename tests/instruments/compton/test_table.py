import logging
import threading
from dataclasses import replace

import h5py
import numpy as np
import pytest

from skyquilt.errors import ConfigError, InputError, OutputError, ProductError
from skyquilt.instruments.compton import table
from skyquilt.instruments.compton.response.model import Response
from skyquilt.instruments.compton.table import (
    check_table,
    contract,
    contract_all,
    read_table,
    table_stages,
)
from skyquilt.spectra import integrate


def make(observation):
    return contract(observation.asked(), observation.path("cache"))


def folded(observation):
    """Area times spectrum, the table by one formula."""
    flux = integrate(observation.asked().spectrum, [100.0, 300.0, 900.0])
    return np.einsum("e,nemps->nmps", flux, observation.area.astype(np.float32))


def test_table_is_response_times_spectrum(local):
    made = make(local)

    # float32 rows
    np.testing.assert_allclose(made.rows, folded(local).reshape(12, -1), rtol=1e-6)
    # totals are summed before the rounding to float32
    np.testing.assert_allclose(made.totals, folded(local).sum(axis=(1, 2, 3)), rtol=1e-12)
    assert (made.rows.dtype, made.totals.dtype) == (np.float32, np.float64)
    assert (made.nside, made.ordering, made.channels) == (1, "RING", (0, 3))
    assert made.space.frame == "local"


def test_table_of_a_line_is_the_response_at_its_energy(local):
    line = {"model": "gaussian_line", "flux": "0.5 cm-2 s-1", "energy": "511 keV", "sigma": "1 keV"}
    local.settings["spectrum"] = line

    wanted = 0.5 * local.area[:, 1].astype(np.float32).reshape(12, -1)
    np.testing.assert_allclose(make(local).rows, wanted, rtol=1e-6)


def test_table_of_selected_channels_holds_these(local):
    local.settings["energy"] = {"range": ["200 keV", "800 keV"]}

    made = make(local)

    np.testing.assert_allclose(made.rows, folded(local)[:, 1:].reshape(12, -1), rtol=1e-6)
    assert made.channels == (1, 3)
    assert made.space.shape == (3, 3, 12)


def test_table_of_summed_channels_holds_their_sum(local):
    local.settings["energy"] = {"channels": [0, 2], "sum_channels": True}

    wanted = folded(local)[:, :2].sum(axis=1).reshape(12, -1)
    np.testing.assert_allclose(make(local).rows, wanted, rtol=1e-6)


def test_table_is_made_once(local, monkeypatch):
    first = make(local)
    monkeypatch.setattr(Response, "blocks", None)

    again = make(local)

    assert again.path == first.path
    np.testing.assert_array_equal(again.rows, first.rows)


@pytest.mark.parametrize(
    "change",
    [
        lambda local: local.settings["spectrum"].update(index=-3),
        lambda local: local.settings.update(energy={"channels": [0, 2]}),
        lambda local: local.settings.update(energy={"sum_channels": True}),
        lambda local: local.write_response(area=local.area * 2),
    ],
    ids=["spectrum", "channels", "sum_channels", "response"],
)
def test_other_contents_give_another_table(local, change):
    first = make(local)
    change(local)

    assert make(local).path != first.path


@pytest.mark.parametrize(
    "change",
    [
        lambda local: local.settings["map"].update(nside=4),
        lambda local: local.settings.update(energy={"range": ["100 keV", "800 keV"]}),
        lambda local: local.settings["data"].update(zero_background="mask"),
    ],
    ids=["map", "same channels by energy", "data"],
)
def test_other_settings_share_the_table(local, change):
    first = make(local)
    change(local)

    assert make(local).path == first.path


def test_table_of_a_moved_response_is_shared(local, tmp_path):
    first = make(local)
    (tmp_path / "response.h5").rename(tmp_path / "moved.h5")
    local.settings["data"]["response"] = local.path("moved.h5")

    assert make(local).path == first.path


def test_damaged_table_is_made_again(local, truncate, caplog):
    first = np.array(make(local).rows)
    truncate(make(local).path)

    np.testing.assert_array_equal(make(local).rows, first)
    assert "not a whole HDF5 file" in caplog.text
    assert "made again now" in caplog.text


def test_check_table_passes_a_whole_one(local):
    check_table(make(local))


def test_check_table_after_one_inverted_byte_says_remove_it(local, damage):
    made = make(local)
    damage(made.path, dataset="rows")

    with pytest.raises(
        ProductError, match=r"\.h5: the checksum differs.*: remove it and run again"
    ):
        check_table(read_table(made.path))


def test_table_stages_tell_the_time_of_the_contraction(local):
    assert [stage["stage"] for stage in table_stages(make(local))] == ["contract"]


def test_failing_response_leaves_no_table(local, untouched, tmp_path):
    local.area[-1] = np.nan
    local.write_response()

    with pytest.raises(InputError):
        make(local)

    assert not list(tmp_path.rglob("tables/*.h5"))
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]


@pytest.mark.parametrize("norm", ["1e38 cm-2 s-1 keV-1", "1e300 cm-2 s-1 keV-1"])
def test_spectrum_that_overflows_float32_is_refused(local, norm, tmp_path):
    local.settings["spectrum"]["norm"] = norm

    with pytest.raises(ConfigError, match=r"response\.h5: .* overflows: .*reduce `spectrum\.norm`"):
        make(local)

    assert not list(tmp_path.rglob("tables/*.h5"))


def test_channels_that_do_not_exist_are_refused_before_anything_is_written(local, tmp_path):
    local.settings["energy"] = {"channels": [3, 4]}

    with pytest.raises(InputError, match=r"response\.h5: energy channels \[3, 4\)"):
        make(local)

    assert not (tmp_path / "cache").exists()


def test_cache_that_cannot_be_written_is_an_output_error(local, tmp_path):
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(OutputError, match="choose a folder that can be written"):
        make(local)


def test_several_spectra_on_a_full_disk_are_one_message(local, monkeypatch):
    def fallocate(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table.os, "posix_fallocate", fallocate)
    first, cache = local.asked(), local.path("cache")
    other = first.spectrum.model_copy(update={"index": -3.0})
    second = replace(first, spectrum=other)
    with pytest.raises(OutputError, match=r"No space left.*2 spectra at once need .* GB"):
        contract_all([first, second], cache)
    monkeypatch.undo()
    made = contract_all([first, second], cache)
    assert not np.array_equal(*(one.rows for one in made))


def test_table_that_is_there_is_read_without_a_lock(local, monkeypatch):
    made = make(local)

    def locked(path):
        raise OutputError(f"{path}: read-only")

    monkeypatch.setattr(table, "locked", locked)
    assert make(local).path == made.path


def test_two_processes_make_one_table(local, monkeypatch):
    started, passes, before = threading.Barrier(2), [], Response.blocks

    def blocks(self, channels):
        passes.append(channels)
        return before(self, channels)

    def run():
        started.wait()
        make(local)

    monkeypatch.setattr(Response, "blocks", blocks)
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(passes) == 1


def test_progress_is_logged(local, monkeypatch, caplog):
    monkeypatch.setattr(table, "_REPORT_S", -1.0)
    caplog.set_level(logging.INFO)

    make(local)

    assert "contract: 5/12 rows" in caplog.text
    assert "contract: 12/12 rows" in caplog.text


def test_read_table_of_another_file_is_refused(local):
    with pytest.raises(ProductError, match=r"schema is 'none', not 'skyquilt/table'"):
        read_table(local.path("response.h5"))


def test_table_file_describes_its_datasets(local):
    with h5py.File(make(local).path) as file:
        assert file["rows"].attrs["unit"] == "s-1"
        assert file["em_edges"].attrs["unit"] == "keV"
        assert file["rows"].id.get_offset() is not None


def test_spectrum_that_vanishes_in_float32_is_refused(local, tmp_path):
    local.settings["spectrum"]["norm"] = "1e-40 cm-2 s-1 keV-1"

    with pytest.raises(ConfigError, match=r"response\.h5: .* vanishes: .*raise `spectrum\.norm`"):
        contract(local.asked(), tmp_path)


def test_other_version_of_results_makes_another_table(local, monkeypatch):
    before = make(local).path
    monkeypatch.setattr(table, "RESULTS_VERSION", table.RESULTS_VERSION + 1)
    assert make(local).path != before
