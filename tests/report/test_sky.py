"""The sky of a page as numbers."""

from base64 import b64decode

import numpy as np
import pytest

from skyquilt.maps.skymap import SkyMap
from skyquilt.report import sky
from skyquilt.report.sky import sky_of_page
from skyquilt.sky.frames import vec_to_lonlat
from skyquilt.sky.healpix import nest_to_vec


def unpack(text, kind):
    return np.frombuffer(b64decode(text), dtype=kind)


def test_layers_are_photon_fluxes_with_labels_and_units(sky_maps, summary):
    skymap = sky_maps[0]
    layers = sky_of_page(*sky_maps, summary, [], 0.9, "viridis")["layers"]

    labels = ["TS", "flux", "flux of TS 25", "90 % upper limit"]
    assert [layer["label"] for layer in layers] == labels
    assert {layer["unit"] for layer in layers[1:]} == {"ph cm⁻² s⁻¹"}
    limit = unpack(layers[3]["values"], "<f4")
    # a unit of flux is 10 ph cm-2 s-1
    np.testing.assert_allclose(limit, 10 * skymap.columns["flux_ul"], rtol=1e-6)


def test_many_pixels_become_coarser_with_the_values_of_the_largest_ts(
    sky_maps, summary, monkeypatch
):
    monkeypatch.setattr(sky, "_MOST_PIXELS", 200)
    skymap, cells = sky_maps
    made = sky_of_page(skymap, cells, summary, [], 0.9, "viridis")

    assert (made["nside"], made["n_children"]) == (4, 4)
    quads = skymap.ts.reshape(192, 4)
    np.testing.assert_allclose(unpack(made["layers"][0]["values"], "<f4"), quads.max(axis=1))
    flux = skymap.columns["photon_flux"].reshape(192, 4)
    best = flux[np.arange(192), quads.argmax(axis=1)]
    np.testing.assert_allclose(unpack(made["layers"][1]["values"], "<f4"), best, rtol=1e-6)


def test_part_of_the_sky_names_its_pixels(sky_maps, summary):
    skymap, cells = sky_maps
    columns = {name: values[40:50] for name, values in skymap.columns.items()}
    part = SkyMap(8, "galactic", np.arange(40, 50), columns)
    made = sky_of_page(part, cells, summary, [], 0.9, "viridis")

    assert unpack(made["ipix"], "<i4").tolist() == list(range(40, 50))


def test_part_of_the_sky_is_shown_as_large_as_it_is(sky_maps, summary):
    skymap, cells = sky_maps
    lon, lat = vec_to_lonlat(nest_to_vec(8, skymap.ipix))
    is_near = (np.abs(lon - 90) < 25) & (np.abs(lat - 10) < 10)
    columns = {name: values[is_near] for name, values in skymap.columns.items()}
    part = SkyMap(8, "galactic", skymap.ipix[is_near], columns)
    view = sky_of_page(part, cells, summary, [], 0.9, "viridis")["view"]

    assert view[:2] == pytest.approx([90, 10], abs=3)
    # 25 deg to each side on a map twice as wide as high, with a margin; pixels of 7 deg
    assert 10 < view[2] < 15
    assert sky_of_page(skymap, cells, summary, [], 0.9, "viridis")["view"] is None


def test_outline_is_that_of_the_credible_region(sky_maps, summary):
    (line,) = sky_of_page(*sky_maps, summary, [], 0.9, "viridis")["lines"]

    assert line["label"] == "90 % credible region"
    assert unpack(line["edges"], "<f4").size % 4 == 0


@pytest.mark.parametrize("best", [None, {"icrs": {"lon": 5.0, "lat": 6.0}}])
def test_points_are_best_and_true_position_and_sources(sky_maps, summary, best):
    source = {"name": "SQ J1", "ra": 1.0, "dec": 2.0, "assoc": "Crab"}
    points = sky_of_page(*sky_maps, summary | {"best": best}, [source], 0.9, "viridis")["points"]

    kinds = ["best position"] * (best is not None) + ["true position", "source"]
    assert [point["kind"] for point in points] == kinds
    assert points[-1]["label"] == "SQ J1 = Crab"
