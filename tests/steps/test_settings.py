"""Configurations written beside results are read as what they were."""

import pytest

from skyquilt.config import load_config, parse_config
from skyquilt.steps.settings import write_analysis_settings, write_settings

SECTIONS = [
    {},
    {"fit": {"limits": False}},
    {"fit": {"background": "free", "confidence_level": 0.9}},
    {"map": {"nside": 4, "region": {"pixels": [1, 5]}, "frame": "icrs"}},
    {"localise": {"levels": [0.5, 0.9], "true_position": {"lon": 1, "lat": 2, "frame": "fk5"}}},
    {"calibrate": {"fluxes": [1.0, 2.0]}, "sources": {"prefix": "X"}},
    {"refine": {"enabled": False, "chunks": True}},
    {"energy": {"range": ["200 keV", "800 keV"]}},
]


@pytest.mark.parametrize("sections", SECTIONS, ids=str)
def test_resolved_configuration_is_read_as_the_same(session_observation, sections, tmp_path):
    settings = session_observation.settings | sections
    raw = {"results": str(tmp_path / "results"), "cache": "cache", "analyses": {"a": settings}}
    config = parse_config(raw)
    write_settings(tmp_path / "config.yaml", config)
    write_analysis_settings(config, "a")
    assert load_config(tmp_path / "config.yaml") == config
    assert load_config(tmp_path / "results/a/config.yaml").analyses == config.analyses
