"""Changes of a configuration, and the tables of docs/cluster.md that say what they make stale."""

from pathlib import Path

from skyquilt.runs.answers import Digests

DOCS = Path(__file__).parents[2] / "docs/cluster.md"


def replaced(path):
    """Digests in which one file has another content."""
    digests = Digests(None)
    return lambda file: "0" * 64 if file == path else digests(file)


def setting(*keys, value):
    def change(analysis):
        for key in keys[:-1]:
            analysis = analysis.setdefault(key, {})
        analysis[keys[-1]] = value

    return change


def read_table_of(beginning):
    """Cells of the table that begins so, row by row, with its heading."""
    text = DOCS.read_text(encoding="utf-8")
    lines = text[text.index(beginning) :].partition("\n\n")[0].splitlines()
    heading, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [heading, *rows]
