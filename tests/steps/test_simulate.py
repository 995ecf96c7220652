import pytest

from skyquilt.config import parse_config
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
