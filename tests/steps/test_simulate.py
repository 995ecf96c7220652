import numpy as np
import pytest
from astropy.io import fits

from skyquilt.config import parse_config
from skyquilt.errors import InputError
from skyquilt.steps.check import check_files
from skyquilt.steps.simulate import simulate_files

SPECTRUM = {"model": "power_law", "norm": "1 cm-2 s-1 keV-1", "pivot": "100 keV"}


@pytest.mark.parametrize(("index", "is_told"), [(2.2, True), (-2.2, False)])
def test_simulated_spectrum_of_the_other_sign_is_told(
    local, tmp_path, monkeypatch, caplog, index, is_told
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("skyquilt.instruments.compton.simulator.simulate", lambda _: [])
    source = {"position": {"lon": 0, "lat": 0, "frame": "icrs"}}
    source["spectrum"] = SPECTRUM | {"index": index}
    settings = local.raw_config() | {"simulation": {"sources": {"one": source}}}

    simulate_files(parse_config(settings))

    told = "simulation, source one, spectrum: index 2.2 is that of a spectrum that rises"
    assert (told in caplog.text) == is_told


FALLING = SPECTRUM | {"index": -2}
IMAGER = {
    "instrument": "imaging",
    "epochs": [{"start": 100, "stop": 200}, {"start": 300, "stop": 400}],
    "background": {"all": {"spectrum": FALLING}},
}
POSITION = {"lon": 0, "lat": 0, "frame": "icrs"}


def simulating(local, **source):
    source = {"position": POSITION, "spectrum": FALLING} | source
    return parse_config(local.raw_config() | {"simulation": IMAGER | {"sources": {"one": source}}})


def test_check_refuses_a_light_curve_that_is_never_observed(local):
    curve = {"model": "table", "edges": [200, 300], "factors": [1]}
    message = r"simulation\.sources\.one\.light_curve: nothing of it lies in the time .* 100\.0"
    with pytest.raises(InputError, match=message):
        check_files(simulating(local, light_curve=curve))


@pytest.mark.parametrize(("edges", "told"), [([50, 500], ""), ([150, 350], "cover 100 of 200 s")])
def test_check_tells_edges_of_a_light_curve_that_do_not_cover_the_exposure(
    local, caplog, edges, told
):
    curve = {"model": "table", "edges": edges, "factors": [1]}
    check_files(simulating(local, light_curve=curve))
    assert ("its edges" in caplog.text, told in caplog.text) == (bool(told), True)


def test_check_reads_the_map_of_a_simulated_source(local, tmp_path):
    fits.writeto(tmp_path / "map.fits", -np.ones((3, 3)))
    shape = {"model": "map", "path": str(tmp_path / "map.fits")}
    with pytest.raises(InputError, match=r"map\.fits"):
        check_files(simulating(local, shape=shape))
