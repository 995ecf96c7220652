"""Pages of the reference that are generated: every key of a configuration, and every verb."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from skyquilt.config.schema import schema

FOLDER = Path(__file__).parent / "generated"
_TITLES = {"object": "keys", "array": "list", "string": "text", "integer": "whole number"}


def setup(app: Any) -> dict[str, bool]:
    """Write the pages before Sphinx reads its sources."""
    app.connect("builder-inited", lambda _: write_pages(FOLDER))
    return {"parallel_read_safe": True}


def write_pages(folder: Path) -> None:
    """Write both pages, unless they are the same already."""
    folder.mkdir(exist_ok=True)
    for name, text in (("configuration.md", configuration_page()), ("verbs.md", verbs_page())):
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def configuration_page() -> str:
    """Every key of a configuration with its type, default and meaning, section by section."""
    whole = schema()
    sections = {"Config": whole, **whole["$defs"]}
    lines = [
        "# Every key of a configuration",
        "",
        "Written from the types of `skyquilt.config`; [the user guide](../user-guide.md) explains "
        "them with examples. A configuration begins with the keys of `Config`.",
    ]
    for name, section in sections.items():
        if section.get("properties"):
            lines += ["", f"## {name}", "", *_texts(section), "| key | type | default | meaning |"]
            lines += ["|---|---|---|---|", *_rows(section)]
    return "\n".join(lines) + "\n"


def _texts(section: Mapping[str, Any]) -> list[str]:
    text = section.get("description", "").split("\n\n")[0].replace("\n", " ")
    return [text, ""] if text else []


def _rows(section: Mapping[str, Any]) -> Iterator[str]:
    required = section.get("required", [])
    for key, about in section["properties"].items():
        default = "needed" if key in required else _cell(about.get("default"))
        meaning = _escape(about.get("description", "").replace("\n", " "))
        yield f"| `{key}` | {_type(about)} | {default} | {meaning} |"


def _cell(value: Any) -> str:
    return "" if value is None or isinstance(value, dict) else f"`{_escape(str(value))}`"


def _type(about: Mapping[str, Any]) -> str:
    """Type of a value in a few words."""
    if "$ref" in about:
        return f"`{about['$ref'].rpartition('/')[2]}`"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in about:
            kinds = dict.fromkeys(_type(one) for one in about[key])
            return " or ".join(kind for kind in kinds if kind != "null")
    if "enum" in about:
        return " or ".join(f"`{value}`" for value in about["enum"])
    if "const" in about:
        return f"`{about['const']}`"
    kind = about.get("type", "any")
    if kind == "array" and isinstance(about.get("items"), dict):
        return f"list of {_type(about['items'])}"
    return _TITLES.get(kind, kind)


def _escape(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")


def verbs_page() -> str:
    """Help of every verb."""
    from skyquilt.cli.main import VERBS

    parts = ["# Every verb", "", "What `skyquilt VERB --help` says.", ""]
    for verb in VERBS:
        parts += [f"## {verb}", "", "```text", _help(verb), "```", ""]
    return "\n".join(parts)


def _help(verb: str) -> str:
    command = [sys.executable, "-m", "skyquilt.cli.main", verb, "--help"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    return made.stdout.strip()
