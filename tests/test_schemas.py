"""Kinds of files and their versions: the code, the changelog and the table of products agree."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

import skyquilt
from skyquilt.products import PRODUCTS

SCHEMA = re.compile(r'Schema\(\s*"(skyquilt/[\w-]+)",\s*"(\d+\.\d+)",\s*"skyquilt ([\w -]+)"')
SOURCE = Path(skyquilt.__file__).parent
KIND = re.compile(r"(skyquilt/[\w-]+)\s+(\d+\.\d+)")


@pytest.fixture(scope="module")
def schemas():
    """Version and verb of each kind of file, as the code has them."""
    found = defaultdict(set)
    for path in SOURCE.rglob("*.py"):
        for name, version, verb in SCHEMA.findall(path.read_text(encoding="utf-8")):
            found[name].add((version, verb))
    assert all(len(values) == 1 for values in found.values()), found
    return {name: values.pop() for name, values in found.items()}


def test_versions_in_the_changelog_are_those_of_the_code(schemas, request):
    text = (request.config.rootpath / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = text.split("\n## ")[1]
    files = newest.partition("### Files\n")[2].partition("\n###")[0]
    assert dict(KIND.findall(files)) == {name: version for name, (version, _) in schemas.items()}


def test_kinds_of_products_are_written_by_the_verbs_of_the_table(schemas):
    verbs = defaultdict(set)
    for product in PRODUCTS.values():
        for content in product.contents:
            for kind in content.kinds:
                verbs[kind].add(product.verb)
    # of several verbs that write a kind, messages name one
    assert {kind: schemas[kind][1] for kind in verbs if schemas[kind][1] not in verbs[kind]} == {}
