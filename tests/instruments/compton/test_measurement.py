import numpy as np
import pytest

from skyquilt.errors import InputError
from skyquilt.instruments.compton.measurement import read_measurement

START = 1.8e9


@pytest.fixture
def timed(local):
    """Background over 40 s, counts over 10 s, of which 5 s are live."""
    local.write_counts("background.h5", np.stack([local.background] * 4), time=[0, 10, 20, 30, 40])
    local.write_counts("counts.h5", local.counts[None], time=[10, 20])
    local.write_orientation(np.arange(0, 41, 10), livetime=[10, 5, 10, 10, 0])
    return local


def measure(observation):
    return read_measurement(observation.asked())


def test_terms_are_scaled_and_labelled(local):
    local.settings["data"]["counts"] = [
        {"path": local.path("counts.h5"), "label": "burst", "scale": 0.5},
        {"path": local.path("background.h5"), "label": "sky"},
    ]

    terms = measure(local).terms

    assert list(terms) == ["burst", "sky"]
    np.testing.assert_array_equal(terms["burst"], 0.5 * local.counts)
    np.testing.assert_array_equal(terms["sky"], local.background)


def test_terms_of_one_label_are_added(local):
    local.write_counts("more.h5", 2 * local.counts)
    local.settings["data"]["counts"].append({"path": local.path("more.h5")})

    terms = measure(local).terms

    np.testing.assert_array_equal(terms["counts"], 3 * local.counts)


def test_background_is_scaled_by_livetime(timed):
    measurement = measure(timed)

    assert measurement.span == (START + 10, START + 20)
    assert measurement.scales[""] == (pytest.approx(5 / 35, rel=1e-12), "ratio of livetimes")
    np.testing.assert_allclose(measurement.background, timed.background * 4 / 7, rtol=1e-12)


def test_background_is_scaled_by_duration_without_orientation(galactic):
    galactic.write_counts("background.h5", np.stack([galactic.background] * 2), time=[0, 10, 40])
    galactic.write_counts("counts.h5", galactic.counts[None], time=[10, 20])

    assert measure(galactic).scales[""] == (0.25, "ratio of durations")


def test_scale_and_its_source_are_logged(timed, caplog):
    caplog.set_level("INFO")
    measure(timed)

    assert "background scaled by 0.142857 (ratio of livetimes)" in caplog.text


def test_interval_cuts_counts_but_not_the_background(timed):
    counts = np.stack([timed.counts, 7 * timed.counts])
    timed.write_counts("counts.h5", counts, time=[0, 10, 20])
    timed.settings["data"]["interval"] = [START, START + 10]

    measurement = measure(timed)

    np.testing.assert_array_equal(measurement.terms["counts"], timed.counts)
    assert measurement.scales[""].factor == pytest.approx(10 / 35, rel=1e-12)
    assert measurement.background.sum() == pytest.approx(4 * 10 / 35 * timed.background.sum())


def test_interval_of_the_background_cuts_it_and_its_time(timed):
    parts = np.stack([timed.background, 9 * timed.background, timed.background, timed.background])
    timed.write_counts("background.h5", parts, time=[0, 10, 20, 30, 40])
    timed.settings["data"]["background"]["interval"] = [START + 20, START + 40]

    measurement = measure(timed)

    assert measurement.scales[""].factor == pytest.approx(5 / 20, rel=1e-12)
    np.testing.assert_allclose(measurement.background, timed.background / 2, rtol=1e-12)


def test_interval_of_the_background_stands_for_a_missing_time_axis(timed):
    timed.write_counts("background.h5", 4 * timed.background)
    timed.settings["data"]["background"]["interval"] = [START, START + 40]

    assert measure(timed).scales[""].factor == pytest.approx(5 / 35, rel=1e-12)


def test_counts_with_different_time_spans_need_an_interval(timed):
    timed.write_counts("other.h5", timed.counts[None], time=[0, 10])
    timed.settings["data"]["counts"].append({"path": timed.path("other.h5")})

    with pytest.raises(
        InputError, match=r"different time spans \(.*counts\.h5: .*other\.h5: .*inter"
    ):
        measure(timed)


def test_counts_without_time_axis_take_the_span_of_the_others(timed):
    timed.write_counts("other.h5", timed.counts)
    timed.settings["data"]["counts"].append({"path": timed.path("other.h5")})

    assert measure(timed).span == (START + 10, START + 20)


def _other_axes(observation, make_axis, change):
    changes = {
        "Em": {"Em": make_axis.plain("Em", [100.0, 200, 401, 800], "keV")},
        "Phi": {"Phi": make_axis.plain("Phi", [0.0, 50, 120, 180], "deg")},
        "PsiChi": {"PsiChi": make_axis.healpix("PsiChi", "local", scheme="nested")},
    }
    return observation.cds_axes(**changes[change])


@pytest.mark.parametrize("axis", ["Em", "Phi", "PsiChi"])
@pytest.mark.parametrize("name", ["counts.h5", "background.h5"])
def test_files_with_different_axes_are_both_named(local, make_axis, axis, name):
    local.write_counts("other.h5", local.counts)
    local.settings["data"]["counts"].insert(0, {"path": local.path("other.h5")})
    local.write_counts(name, local.counts, axes=_other_axes(local, make_axis, axis))

    with pytest.raises(InputError, match=rf"other\.h5 and .*{name}: .*axis {axis} "):
        measure(local)


def test_histogram_in_another_frame_than_the_analysis_is_refused(galactic, local):
    axes = galactic.cds_axes()
    for name in ("counts.h5", "background.h5"):
        local.write_counts(name, local.counts, axes=axes)

    with pytest.raises(InputError, match=r"counts\.h5: PsiChi is in the galactic frame, .*: local"):
        measure(local)


def test_mixed_frames_are_refused(galactic, local):
    local.write_counts("background.h5", local.background, axes=galactic.cds_axes())

    with pytest.raises(InputError, match=r"axis PsiChi has frame local in the first and galactic"):
        measure(local)


def test_histogram_without_frame_takes_that_of_the_analysis(local, make_axis, caplog):
    caplog.set_level("INFO")
    axes = local.cds_axes(PsiChi=make_axis.healpix("PsiChi", None))
    local.write_counts("counts.h5", local.counts, axes=axes)

    assert measure(local).space.frame == "local"
    assert "counts.h5: PsiChi names no frame; taken as local" in caplog.text


def test_fractions_are_read_with_a_notice(local, caplog):
    caplog.set_level("INFO")
    local.write_counts("counts.h5", local.counts / 4)

    np.testing.assert_array_equal(measure(local).terms["counts"], local.counts / 4)
    assert "bins hold fractions, not whole counts" in caplog.text


def test_one_empty_term_of_a_sum_is_allowed(local):
    local.write_counts("empty.h5", 0 * local.counts)
    local.settings["data"]["counts"].append({"path": local.path("empty.h5"), "label": "burst"})

    assert measure(local).terms["burst"].sum() == 0


def test_background_of_nothing_but_zeros_is_refused(local):
    local.write_counts("background.h5", 0 * local.background)

    with pytest.raises(InputError, match=r"background\.h5: all expected counts are 0"):
        measure(local)


def test_counts_may_all_be_zero(local):
    local.write_counts("counts.h5", 0 * local.counts)

    assert measure(local).terms["counts"].sum() == 0


def test_counts_without_time_axis_are_taken_as_of_the_interval_with_a_notice(timed, caplog):
    caplog.set_level("INFO")
    timed.write_counts("counts.h5", timed.counts)
    timed.settings["data"]["interval"] = [START + 10, START + 20]

    assert measure(timed).span == (START + 10, START + 20)
    assert "counts.h5: has no time axis; its counts are taken as of data.interval" in caplog.text


def test_counts_of_no_known_time_take_the_whole_orientation_with_a_warning(local, caplog):
    measure(local)

    assert "all of the file is taken, 1800000000.000000 to 1800000010.000000 s" in caplog.text
