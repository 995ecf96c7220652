"""Pages of analyses with a model, one of them without a map, after `skyquilt run`."""

import re
from pathlib import Path

import pytest

from skyquilt.runs.answers import Digests
from skyquilt.runs.freshness import find_stale
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


def test_analysis_without_a_map_has_a_page_and_is_in_the_index(local):
    position = {"lon": 40.0, "lat": 25.0, "frame": "galactic"}
    source = {"position": position, "spectrum": local.settings["spectrum"]}
    local.settings["model"] = {"sources": {"a": source}, "background": {"start": 1.0}}
    local.settings["model"]["fits"] = {"joint": {}}
    del local.settings["spectrum"], local.settings["map"]
    run_analysis(local.config(), "tiny", 1)
    draw_analysis(local.config(), "tiny")
    page, index = write_pages(local.config(), ["tiny"])
    text = Path(page).read_text()
    ids = re.findall(r'<section id="([a-z]+)"', text)
    assert ids == ["model", "time", "configuration", "provenance"]
    assert "1 fit of a model, no map; joint has ln L" in text
    assert 'href="tiny/report.html">tiny</a>' in Path(index).read_text()
    files = list(verify_tree(local.path("results")))
    states = {item.path.name: (item.state, item.reason) for item in files}
    assert {"report.html", "index.html"} <= states.keys()
    assert {name: one for name, one in states.items() if one[0] is not State.WHOLE} == {}
    assert find_stale(local.config(), "tiny", Digests(local.config().cache)) == []
