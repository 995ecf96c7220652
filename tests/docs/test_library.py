"""The page of the library: its code runs and prints what it says."""

import re
from pathlib import Path

import pytest

from skyquilt.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


@pytest.mark.slow
def test_burst_of_the_page_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init", "demo"]) == 0
    assert main(["simulate", "--config", "demo.yaml", "--quiet"]) == 0
    capsys.readouterr()
    text = PAGE.read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    printed = re.search(r"```text\n(.*?)```", text, re.DOTALL)[1]

    exec(compile(code, str(PAGE), "exec"), {})

    assert capsys.readouterr().out == printed
