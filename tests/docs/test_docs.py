"""The documentation: its settings are valid, its commands exist, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from skyquilt.cli.main import VERBS, make_parser
from skyquilt.config import parse_config
from skyquilt.config.data import ComptonData
from skyquilt.config.spectrum import Spectrum

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
GUIDE = (ROOT / "docs" / "user-guide.md").read_text(encoding="utf-8")


def blocks(language):
    """Code blocks of all pages."""
    return [
        pytest.param(text, id=f"{page.name}-{number}")
        for page in PAGES
        for number, text in enumerate(
            re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        )
    ]


def commands():
    """Commands that call skyquilt."""
    lines = [line for block in blocks("console") for line in block.values[0].splitlines()]
    return [line[2:] for line in lines if re.match(r"\$ .*\bskyquilt \S", line)]


@pytest.mark.parametrize("text", [b for b in blocks("yaml") if "analyses:" in b.values[0]])
def test_yaml_of_an_analysis_is_a_valid_configuration(text):
    config = parse_config(yaml.safe_load(text))
    assert config.analyses


@pytest.mark.parametrize("command", commands())
def test_command_has_arguments_that_exist(command):
    words = shlex.split(command)
    arguments = words[words.index("skyquilt") + 1 :]
    if arguments == ["--version"]:
        return
    make_parser().parse_args(arguments)
    assert arguments[0] in VERBS


def test_readme_shows_the_two_commands_first():
    first = re.search(r"```console\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == [
        "$ make demo",
        "$ make test",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("verb", VERBS)
def test_user_guide_names_every_verb(verb):
    assert f"`{verb}`" in GUIDE or f"skyquilt {verb}" in GUIDE


@pytest.mark.parametrize("key", ComptonData.model_fields)
def test_user_guide_explains_every_key_of_data(key):
    assert f"| `{key}` |" in GUIDE


@pytest.mark.parametrize("model", Spectrum.__args__[0].__args__)
def test_user_guide_lists_every_key_of_every_spectrum(model):
    name = model.model_fields["model"].annotation.__args__[0]
    row = next(line for line in GUIDE.splitlines() if line.startswith(f"| `{name}`"))
    assert [key for key in model.model_fields if key != "model" and f"`{key}`" not in row] == []


def test_code_of_the_page_on_models_prints_what_it_shows(capsys):
    page = (ROOT / "docs/model.md").read_text(encoding="utf-8")
    exec("\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)), {})
    shown = re.search(r"```text\n(.*?)```", page, re.DOTALL)[1]
    assert capsys.readouterr().out == shown
