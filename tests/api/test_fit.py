"""The library gives what the command gives, from paths and from objects in memory."""

import astropy.units as u
import numpy as np
import pytest
import scoords  # noqa: F401 (the frame of the spacecraft, for histpy)
import yaml
from astropy.coordinates import SkyCoord
from astropy.table import Table
from histpy import Histogram

import skyquilt
from skyquilt.cli.main import main
from skyquilt.errors import ConfigError, InputError
from skyquilt.maps.file import read_skymap


def arguments(observation, **changes):
    """Data of an observation as arguments."""
    names = ("counts", "background", "response", "orientation")
    given = {name: observation.path(f"{name}.h5") for name in names}
    given["orientation"] = observation.path("orientation.ori")
    return given | {"spectrum": observation.settings["spectrum"], "nside": 2} | changes


@pytest.fixture(scope="module")
def tiny(session_observation):
    """Localisation of the observation, for tests that leave it as it is."""
    return skyquilt.localise(**arguments(session_observation), levels=[0.5, 0.9])


def run_command(observation, levels=(0.9,)):
    """Folder of what `skyquilt run` makes."""
    observation.settings |= {"map": {"nside": 2}, "localise": {"levels": list(levels)}}
    path = observation.folder / "config.yaml"
    path.write_text(yaml.safe_dump(observation.raw_config()))
    assert main(["run", "--quiet", "--config", str(path)]) == 0
    return observation.folder / "results" / "tiny"


def test_fit_map_gives_the_bits_of_the_command(local):
    maps = skyquilt.fit_map(**arguments(local))

    expected, _ = read_skymap(run_command(local) / "maps.fits")
    assert set(maps.columns) == set(expected.columns)
    for name, column in expected.columns.items():
        np.testing.assert_array_equal(np.asarray(maps[name]), column)


def test_localise_gives_the_numbers_of_the_command(local):
    found = skyquilt.localise(**arguments(local), name="tiny")

    expected = skyquilt.open(run_command(local)).localisation
    for key in ("best", "best_pixel", "credible", "containment", "cells"):
        assert found.summary[key] == expected.summary[key]
    np.testing.assert_array_equal(found.to_healpy(64), expected.to_healpy(64))


def test_fit_map_of_galactic_data_takes_the_frame_from_the_counts(galactic):
    given = arguments(galactic)
    del given["orientation"]
    maps = skyquilt.fit_map(**given, data={"response_interval": None})
    assert maps.ts.shape == (48,)


def test_fit_map_when_counts_say_no_frame_asks_for_it(local, make_axis):
    local.write_counts(
        "counts.h5", local.counts, axes=local.cds_axes(PsiChi=make_axis.healpix("PsiChi", None))
    )
    with pytest.raises(ConfigError, match=r"frame of its axis PsiChi.*data="):
        skyquilt.fit_map(**arguments(local))
    assert skyquilt.fit_map(**arguments(local), data={"frame": "local"}).nside == 2


def test_fit_map_takes_histograms_in_memory(local):
    from_paths = skyquilt.fit_map(**arguments(local))
    in_memory = {
        name: Histogram.open(local.path(f"{name}.h5")) for name in ("counts", "background")
    }
    maps = skyquilt.fit_map(**arguments(local, **in_memory))
    np.testing.assert_array_equal(maps.ts, from_paths.ts)


def test_fit_map_adds_counts_and_named_backgrounds(local):
    local.write_counts("half.h5", local.background / 2)
    local.write_counts("more.h5", np.ones_like(local.counts))
    maps = skyquilt.fit_map(
        **arguments(
            local,
            counts=[local.path("counts.h5"), {"path": local.path("more.h5"), "label": "more"}],
            background={
                "albedo": {"path": local.path("half.h5"), "scale": 1},
                "cosmic": {"path": local.path("background.h5"), "scale": 1},
            },
        )
    )
    assert np.nanmax(maps.ts) > 0


def test_fit_map_with_results_keeps_files_that_open_reads(local):
    folder = local.folder / "kept"
    maps = skyquilt.fit_map(**arguments(local), results=folder, name="burst")
    before = (folder / "burst/maps.fits").stat().st_mtime_ns

    again = skyquilt.fit_map(**arguments(local), results=folder, name="burst")
    result = skyquilt.open(folder / "burst")

    assert (folder / "burst/maps.fits").stat().st_mtime_ns == before
    np.testing.assert_array_equal(again.ts, result.maps.ts)
    np.testing.assert_array_equal(maps.ts, result.maps.ts)
    assert result.config.analyses["burst"].map.nside == 2
    assert "maps.fits" in repr(result)


@pytest.mark.parametrize("missing", ["counts", "background"])
def test_fit_map_when_data_are_missing_names_them(local, missing):
    with pytest.raises(ConfigError, match=f"`{missing}` is missing"):
        skyquilt.fit_map(**arguments(local, **{missing: None}))


def test_fit_map_when_the_orientation_is_missing_says_what_it_is(local):
    with pytest.raises(ConfigError, match="needs `orientation`"):
        skyquilt.fit_map(**arguments(local, orientation=None))


def test_fit_map_without_an_instrument_says_which_there_are():
    with pytest.raises(ConfigError, match="no instrument: give `response`"):
        skyquilt.fit_map(
            spectrum=skyquilt.PowerLaw(norm="1 cm-2 s-1 keV-1", pivot="1 keV", index=-2)
        )


@pytest.mark.parametrize("wrong", [3, object(), np.zeros(3)])
def test_fit_map_when_an_object_is_no_data_says_what_is(local, wrong):
    with pytest.raises(ConfigError, match=r"counts: .* cannot be read: give a path"):
        skyquilt.fit_map(**arguments(local, counts=wrong))


def test_fit_map_when_a_file_is_not_there_names_it(local):
    with pytest.raises(InputError, match=r"none\.h5"):
        skyquilt.fit_map(**arguments(local, counts=local.path("none.h5")))


def test_localise_when_an_argument_is_unknown_names_it(local):
    with pytest.raises(TypeError, match="count"):
        skyquilt.localise(**arguments(local), count=3)


def test_interval_takes_dates(local):
    local.write_counts("counts.h5", np.stack([local.counts] * 2), time=[0, 5, 10])
    local.write_counts("background.h5", np.stack([local.background] * 2), time=[0, 5, 10])
    in_dates = skyquilt.fit_map(
        **arguments(local, interval=["2027-01-15T08:00:00", "2027-01-15T08:00:05Z"])
    )
    in_seconds = skyquilt.fit_map(**arguments(local, interval=[1.8e9, 1.8e9 + 5]))
    np.testing.assert_array_equal(in_dates.ts, in_seconds.ts)


def test_maps_have_units_and_positions(tiny):
    maps = tiny.maps
    assert maps.flux.unit == u.Unit("cm-2 s-1")
    assert maps.energy_range.to_value("keV").tolist() == [100, 800]
    best = np.nanargmax(maps.ts)
    assert maps.coords[best].separation(maps.position).deg == 0
    reference = maps.flux[best].value / maps["flux"][best]
    np.testing.assert_allclose(maps.flux_ul.value, maps["flux_ul"] * reference, rtol=1e-14)
    assert len(maps.to_table()) == 48
    assert len(repr(maps)) < 100


def test_maps_when_a_column_is_not_there_name_those_that_are(tiny):
    for ask in (tiny.maps.__getitem__, tiny.maps.to_healpy, tiny.maps.plot):
        with pytest.raises(KeyError, match="'none': the maps have ts"):
            ask("none")


def test_maps_to_healpy_are_in_ring_order(tiny):
    import healpy

    full = tiny.maps.to_healpy("ts")
    vec = healpy.pix2vec(2, tiny.maps.ipix, nest=True)
    np.testing.assert_array_equal(full[healpy.vec2pix(2, *vec)], tiny.maps.ts)


def test_localisation_answers_of_positions(tiny):
    assert tiny.contains(tiny.position, 0.5)
    far = SkyCoord(*-tiny.position.cartesian.xyz.value, representation_type="cartesian")
    far.representation_type = "unitspherical"
    both = SkyCoord([tiny.position.ra, far.ra], [tiny.position.dec, far.dec])
    probabilities = tiny.probability(both)
    assert tiny.contains(both, 0.9).tolist() == [True, bool(probabilities[1] <= 0.9)]
    assert 0 < probabilities[0] < probabilities[1] <= 1
    entries = {entry["level"]: entry["area_deg2"] for entry in tiny.summary["credible"]}
    for level, area in entries.items():
        assert tiny.area(level).to_value("deg2") == pytest.approx(area, rel=1e-12)  # the same sum
    assert tiny.to_healpy(32).sum() == pytest.approx(1, abs=1e-9)  # sums of 12,288 numbers
    assert tiny.flux.to_value("cm-2 s-1") == tiny.summary["best"]["photon_flux"]
    assert tiny.flux < tiny.flux_ul


def test_energy_flux_is_within_the_energies_of_its_photons(tiny):
    mean = (tiny.energy_flux / tiny.flux).to_value("keV")
    low, high = tiny.summary["energy_range_keV"]
    assert low < mean < (low + high) / 2  # there are more photons of low energy


def test_summary_of_an_earlier_version_has_no_energy_flux(tiny, monkeypatch):
    monkeypatch.delitem(tiny.summary["best"], "energy_flux")
    with pytest.raises(ConfigError, match="localise again"):
        _ = tiny.energy_flux
    assert len(repr(tiny)) < 100


@pytest.mark.parametrize("level", [0, 1, -1, 2])
def test_localisation_refuses_levels_outside_0_and_1(tiny, level):
    with pytest.raises(ValueError, match="allowed are numbers between 0 and 1"):
        tiny.area(level)


def test_texts_for_notebooks_are_tables_and_escaped(tiny):
    for text in (tiny._repr_html_(), tiny.maps._repr_html_()):
        assert text.startswith("<table>")
        assert text.count("<tr>") == text.count("</tr>") > 2


def test_open_of_another_folder_says_what_to_give(tmp_path):
    with pytest.raises(skyquilt.errors.ProductError, match="no folder of an analysis"):
        skyquilt.open(tmp_path)


def test_objects_of_tables_become_files(tmp_path):
    from astropy.io import fits

    from skyquilt.api.inputs import Inputs

    inputs = Inputs(tmp_path)
    path = inputs.place(Table({"ENERGY": [1.0, 2.0]}, meta={"MJDREFI": 51910}), "events")
    header = fits.getheader(path, "EVENTS")
    assert header["MJDREFI"] == 51910
    assert inputs.place(Table({"ENERGY": [1.0]}), "events") != path
    assert inputs.place("~/counts.h5", "counts").startswith("/")
