"""The page of an analysis with a map and a model, after `skyquilt run`."""

from pathlib import Path

import pytest

from skyquilt.runs.verify import State, verify_tree
from skyquilt.steps.alert import draw_analysis, write_pages
from skyquilt.steps.run import run_analysis


@pytest.mark.slow
def test_page_has_a_section_on_the_model(local):
    position = {"lon": 40.0, "lat": 25.0, "frame": "galactic"}
    source = {"position": position, "spectrum": local.settings["spectrum"]}
    local.settings["model"] = {"sources": {"a": source}, "background": {"start": 1.0}}
    local.settings["model"]["fits"] = {"joint": {}}
    run_analysis(local.config(), "tiny", 1)
    draw_analysis(local.config(), "tiny")
    page, _ = write_pages(local.config(), ["tiny"])
    text = Path(page).read_text()
    assert '<section id="model">' in text
    assert "Parameters of joint" in text
    states = {item.path.name: item.state for item in verify_tree(local.path("results"))}
    assert {name for name, state in states.items() if state is not State.WHOLE} == set()
