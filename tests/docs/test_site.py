"""What the site is made of; `make docs` builds it, where warnings are errors."""

import json
import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
INDEX = (DOCS / "index.md").read_text(encoding="utf-8")

sys.path.insert(0, str(DOCS))
import reference_pages  # noqa: E402


def listed():
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", INDEX, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(":")]


def test_every_page_is_in_the_contents_once():
    pages = [path.stem for path in DOCS.glob("*.md") if path.stem != "index"]
    books = [f"notebooks/{path.stem}" for path in (DOCS / "notebooks").glob("*.ipynb")]
    generated = ["generated/configuration", "generated/verbs"]

    assert sorted(listed()) == sorted([*pages, *books, *generated])


def test_every_key_of_a_configuration_is_in_the_reference():
    page = reference_pages.configuration_page()

    for line in (
        "| `results` | text | `results` | Folder of the results;",
        "| `nside` | whole number | `16` |",
        "| `spectra` | keys |",
    ):
        assert line in page


def test_help_of_a_verb_is_as_the_command_prints_it():
    assert "--in-workflow" not in reference_pages._help("run")
    assert "--circular" in reference_pages._help("run")


@pytest.mark.parametrize("path", sorted((DOCS / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_notebook_was_run_to_its_end_without_an_error(path):
    cells = [one for one in json.loads(path.read_text())["cells"] if one["cell_type"] == "code"]

    assert [one["execution_count"] for one in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for one in cells for output in one["outputs"]}
    assert kinds
    assert "error" not in kinds
