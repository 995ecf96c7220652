"""Provenance and checksum inside figures, pages, outlines and text."""

import re

import numpy as np
import pytest
from astropy.table import Table
from PIL import Image

from skyquilt.errors import ProductError
from skyquilt.io.fits_table import Column
from skyquilt.io.inspect import inspect_file
from skyquilt.io.provenance import Provenance
from skyquilt.io.schema import Schema
from skyquilt.io.seal import read_seal, seal, seal_text, write_sealed
from skyquilt.plots.style import new_figure, save
from skyquilt.sources.file import write_sources

HOSTILE = {"name": 'a\\b (c) </script><!-- ; é "q" # text={x}', "file_sha256": "f" * 64}
SCHEMA = Schema("skyquilt/page", "1.0", "skyquilt report")


@pytest.fixture(params=["png", "pdf", "html", "reg", "ecsv"])
def sealed(request, tmp_path):
    """A file of each kind whose settings hold all that could end its seal."""
    path, provenance = tmp_path / f"file.{request.param}", Provenance("plot", HOSTILE)
    if request.param == "ecsv":
        column = {"ts": Column(np.array([1.0]), "", "TS")}
        write_sources(path, column, None, provenance.record())
    elif request.param in ("png", "pdf"):
        save(new_figure(4, 3), path, provenance)
    else:
        write_sealed(path, f"# {seal_text(SCHEMA, provenance.record())}\nend\n")
    return path


def test_provenance_is_read_as_it_was_written(sealed):
    content = inspect_file(sealed)
    assert content.record["settings"] == HOSTILE
    assert content.record["stage"] == "plot"
    assert content.schema.startswith("skyquilt/")


def test_any_change_is_found(sealed):
    content = sealed.read_bytes()
    rng = np.random.default_rng(2)
    changed = [content[:size] for size in (0, 1, len(content) // 2, len(content) - 1)]
    for offset in rng.integers(0, len(content), 50):
        flipped = bytearray(content)
        flipped[offset] ^= 1 << int(rng.integers(8))
        changed.append(bytes(flipped))
    changed.append(content + b"\n")
    for wrong in changed:
        sealed.write_bytes(wrong)
        with pytest.raises(ProductError, match="damaged"):
            inspect_file(sealed)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ProductError, match=r"no\.h5: no such file\.$"):
        inspect_file(tmp_path / "no.h5")


def test_seal_ends_no_script_comment_or_text():
    text = seal_text(SCHEMA, HOSTILE)
    assert text.isascii()
    assert not re.search(r"[<>&;()\n]", text)


def test_sealed_png_is_a_good_image_for_others(tmp_path):
    path = save(new_figure(4, 3), tmp_path / "a.png", Provenance("plot", HOSTILE))
    with Image.open(path) as image:  # compares the checksums of all chunks
        image.verify()
    with Image.open(path) as image:
        assert image.text["skyquilt"].startswith('{"file_sha256"')


def test_sealed_table_is_read_by_astropy(tmp_path):
    column = {"ts": Column(np.array([1.0]), "", "TS")}
    write_sources(tmp_path / "s.ecsv", column, None, Provenance("sources").record())
    assert Table.read(tmp_path / "s.ecsv")["ts"].tolist() == [1.0]


def test_file_without_a_seal_is_damaged_and_cannot_be_sealed(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<html></html>")
    with pytest.raises(ProductError, match="does not have the checksum"):
        read_seal(path)
    with pytest.raises(ValueError, match="no seal"):
        seal(b"text")
