"""Regions of maps that the data do not see."""

import numpy as np
import pytest

from skyquilt.config import parse_config
from skyquilt.errors import InputError
from skyquilt.fit.exposed import MOST_PIXELS, is_unexposed
from skyquilt.instruments.analyses import prepare
from skyquilt.instruments.imaging.simulator import simulate
from skyquilt.sky.frames import lonlat_to_vec
from skyquilt.sky.regions import cone, full_sky, ipix_from_ranges
from skyquilt.steps.check import check_files
from skyquilt.steps.plan import plan_analysis
from skyquilt.steps.prepare import prepare_analysis
from skyquilt.testing.analyses import ask_one

SPECTRUM = {"model": "power_law", "norm": "1e-15 cm-2 s-1 keV-1", "pivot": "10 GeV", "index": -2.2}
MIDDLE = {"lon": 40, "lat": 30, "frame": "galactic"}
FAR = {"lon": 220, "lat": -30, "frame": "galactic"}
BESIDE = {"lon": 61, "lat": 30, "frame": "galactic"}  # 18 deg away: just its edge is seen
RESPONSE = ("background", "exposure", "psf")
MESSAGE = r"map\.region: none of its \d+ pixels has exposure in these data"


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """Photons and images of a field of 12 deg: `field(center, kind)` is a map of 8 deg around."""
    folder = tmp_path_factory.mktemp("field")

    def configure(center, *kinds):
        region = {"center": center, "radius": 8}
        rest = {name: {"path": str(folder / f"{name}.fits")} for name in RESPONSE}
        data = [{kind: {"path": str(folder / f"{kind}.fits")}} | rest for kind in kinds]
        ranges = ["10 GeV", "100 GeV", "1 TeV"]
        several = {
            f"part_{index}": {
                "instrument": "imaging",
                "data": one,
                "energy": {"range": ranges[index : index + 2]},
            }
            for index, one in enumerate(data)
        }
        single = {"instrument": "imaging", "data": data[0]}
        analysis = {"datasets": several} if len(kinds) > 1 else single
        simulation = {
            "instrument": "imaging",
            "folder": str(folder),
            "nside": 32,
            "energy_edges": ranges,
            "field": {"center": MIDDLE, "radius": 12},
            "background": {"isotropic": {"spectrum": SPECTRUM}},
            "sources": {"one": {"position": MIDDLE, "spectrum": SPECTRUM}},
        }
        analysis |= {"spectrum": SPECTRUM, "map": {"nside": 16, "region": region}}
        return parse_config({"simulation": simulation, "analyses": {"a": analysis}})

    simulate(configure(MIDDLE, "events").simulation)
    return configure


@pytest.mark.parametrize("kind", ["events", "counts"])
def test_check_refuses_a_region_without_exposure(field, kind):
    with pytest.raises(InputError, match=f"analysis a: {MESSAGE}"):
        check_files(field(FAR, kind))


def test_check_of_data_sets_tells_it_once(field):
    with pytest.raises(InputError, match=MESSAGE) as refused:
        check_files(field(FAR, "events", "events"))
    assert str(refused.value).count("map.region") == 1


@pytest.mark.parametrize("center", [MIDDLE, BESIDE], ids=["middle", "edge"])
def test_check_takes_a_region_of_which_a_part_is_seen(field, center):
    assert "a: good" in check_files(field(center, "events"))


def test_plan_refuses_it_before_anything_is_fitted(field, tmp_path):
    config = field(FAR, "events")
    prepare_analysis(config, "a", tmp_path / "problem.h5")
    with pytest.raises(InputError, match=MESSAGE):
        plan_analysis(config, "a", tmp_path / "problem.h5", tmp_path / "plan.json")
    assert [path.name for path in tmp_path.iterdir()] == ["problem.h5"]


def test_one_pixel_with_exposure_is_found_wherever_it_stands(field):
    problem = prepare(ask_one(field(MIDDLE, "events").analyses["a"]), "").problem
    nside = 128
    far = ipix_from_ranges(cone(nside, lonlat_to_vec(50, -1), 10))  # 32 deg away
    seen = cone(nside, problem.expectation.direction[0], 0.6)[0, 0]
    assert is_unexposed(problem, nside, "galactic", pixel_ranges(far))
    assert far[8] < seen
    for n_left_out in range(8):
        pixels = np.sort(np.append(far[n_left_out:], seen))
        assert not is_unexposed(problem, nside, "galactic", pixel_ranges(pixels))


def pixel_ranges(pixels):
    return np.stack([pixels, pixels + 1], axis=1)


def test_of_more_pixels_nothing_is_known(field):
    problem = prepare(ask_one(field(MIDDLE, "events").analyses["a"]), "").problem
    ranges = full_sky(128)
    assert ranges[0, 1] > MOST_PIXELS
    assert not is_unexposed(problem, 128, "galactic", ranges)
