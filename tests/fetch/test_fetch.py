"""Files come from a server on this machine: whole, checked, never in the place of others."""

import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from skyquilt.cli.main import main
from skyquilt.errors import ConfigError, InputError, RunError
from skyquilt.fetch import table
from skyquilt.fetch.download import download
from skyquilt.fetch.table import Remote, find_example, read_table
from skyquilt.steps.fetch import fetch_example

CONTENT = {name: hashlib.sha256(name.encode()).digest() * 5000 for name in ("a", "b")}


def remote(name):
    content = CONTENT[name]
    digest = hashlib.sha256(content).hexdigest()
    place = {"repository": "owner/repo", "commit": "0123abc", "path": f"some data/{name}.fits"}
    return Remote(f"set/{name}.fits", digest, len(content), "CC0", **place)


class Server:
    """A server of the files; tests say how it fails."""

    def __init__(self):
        self.asked = []  # path and range of each request
        self.contents = dict(CONTENT)
        self.cut = None  # bytes after which it closes the connection
        self.has_ranges = True
        self.status = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, handler):
        begin = handler.headers.get("Range")
        self.asked.append((handler.path, begin))
        name = Path(handler.path).stem
        if self.status or name not in self.contents:
            handler.send_error(self.status or 404)
            return
        content = self.contents[name]
        first = int(begin[6:-1]) if begin and self.has_ranges else 0
        handler.send_response(206 if first else 200)
        handler.send_header("Content-Length", str(len(content) - first))
        handler.end_headers()
        handler.wfile.write(content[first:][: self.cut])

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def example(monkeypatch):
    """An example of two files."""
    monkeypatch.setattr(table, "read_table", lambda: {"two": (remote("a"), remote("b"))})


def files_in(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WHOLE = {f"{name}.fits": content for name, content in CONTENT.items()}


def test_fetch_puts_whole_files_and_nothing_else(server, example, tmp_path):
    fetch_example("two", tmp_path, server.url)
    assert files_in(tmp_path) == WHOLE
    assert server.asked[0] == ("/owner/repo/0123abc/some%20data/a.fits", None)


def test_fetch_again_asks_for_nothing(server, example, tmp_path):
    fetch_example("two", tmp_path, server.url)
    server.asked.clear()
    fetch_example("two", tmp_path, server.url)
    assert server.asked == []


@pytest.mark.parametrize("n_bytes", [1, 1000, 70_000])
def test_download_that_was_cut_goes_on_where_it_stopped(server, tmp_path, n_bytes):
    server.cut = n_bytes
    with pytest.raises(RunError, match=r"kept.*run the same again|ended after"):
        download(remote("a"), tmp_path, server.url)
    assert not (tmp_path / "set/a.fits").exists()
    server.cut = None

    download(remote("a"), tmp_path, server.url)

    begins = [begin for _, begin in server.asked]
    assert begins == [None, f"bytes={n_bytes}-"]
    assert files_in(tmp_path) == {"a.fits": CONTENT["a"]}


def test_download_from_a_server_without_ranges_begins_again(server, tmp_path):
    server.has_ranges = False
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.fits.part").write_bytes(b"other content")
    download(remote("a"), tmp_path, server.url)
    assert files_in(tmp_path) == {"a.fits": CONTENT["a"]}


def test_download_that_was_killed_before_its_rename_needs_no_server(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.fits.part").write_bytes(CONTENT["a"])
    download(remote("a"), tmp_path, "http://127.0.0.1:9")
    assert files_in(tmp_path) == {"a.fits": CONTENT["a"]}


@pytest.mark.parametrize(
    "content",
    [CONTENT["a"][:-1] + b"x", CONTENT["a"] + b"more", CONTENT["a"] * 3],
    ids=["changed", "longer", "much longer"],
)
def test_download_of_another_file_is_thrown_away(server, tmp_path, content):
    server.contents["a"] = content
    with pytest.raises(InputError, match="another file than that of the table"):
        download(remote("a"), tmp_path, server.url)
    assert "a.fits" not in files_in(tmp_path)
    assert "a.fits.part" not in files_in(tmp_path)


def test_download_after_a_damaged_part_works_at_the_second_try(server, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.fits.part").write_bytes(b"damaged")
    with pytest.raises(InputError):
        download(remote("a"), tmp_path, server.url)
    download(remote("a"), tmp_path, server.url)
    assert files_in(tmp_path)["a.fits"] == CONTENT["a"]


@pytest.mark.parametrize("content", [b"mine", CONTENT["a"][:-1] + b"x", b""])
def test_fetch_never_replaces_a_file(server, example, tmp_path, content):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.fits").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.fits: is there, but not the file"):
        fetch_example("two", tmp_path, server.url)
    assert files_in(tmp_path) == {"a.fits": content}
    assert server.asked == []


@pytest.mark.parametrize("status", [404, 403, 500, 503])
def test_fetch_when_the_server_refuses_says_its_answer(server, example, tmp_path, status):
    server.status = status
    with pytest.raises(RunError, match=f"answers {status}"):
        fetch_example("two", tmp_path, server.url)


def test_fetch_when_offline_is_one_line_and_code_1(example, tmp_path, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"  # nobody listens
        code = main(["fetch", "two", "--folder", str(tmp_path), "--mirror", url, "--quiet"])
    error = capsys.readouterr().err
    assert code == 1
    assert "cannot be reached" in error
    assert "offline" in error
    assert len(error.strip().splitlines()) == 1


def test_fetch_when_the_name_of_a_host_is_unknown_says_so(example, tmp_path):
    with pytest.raises(RunError, match=r"nowhere\.invalid cannot be reached"):
        fetch_example("two", tmp_path, "http://nowhere.invalid")


@pytest.mark.parametrize("mirror", ["mirror", "file:///tmp", "ftp://host", "/data"])
def test_fetch_when_a_mirror_is_no_address_says_so(example, tmp_path, mirror):
    with pytest.raises(ConfigError, match="--mirror"):
        fetch_example("two", tmp_path, mirror)


def test_fetch_when_the_folder_is_a_file_says_so(server, example, tmp_path, capsys):
    (tmp_path / "set").write_text("")
    args = ["fetch", "two", "--folder", str(tmp_path), "--mirror", server.url, "--quiet"]
    assert main(args) == 1
    assert str(tmp_path / "set") in capsys.readouterr().err


def test_fetch_takes_the_folder_of_the_environment(server, example, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SKYQUILT_DATA", str(tmp_path / "here"))
    assert main(["fetch", "two", "--mirror", server.url]) == 0
    assert files_in(tmp_path / "here") == WHOLE
    assert f"SKYQUILT_DATA={tmp_path / 'here'} skyquilt run" in capsys.readouterr().out


def test_fetch_of_a_file_that_is_not_published_gets_the_others_and_says_what_it_is(
    server, monkeypatch, tmp_path
):
    content = b"derived"
    digest = hashlib.sha256(content).hexdigest()
    derived = Remote("set/d.fits", digest, len(content), "", not_published="made from others")
    monkeypatch.setattr(table, "read_table", lambda: {"part": (derived, remote("a"))})
    with pytest.raises(RunError, match=r"not complete: .*d\.fits: made from others"):
        fetch_example("part", tmp_path, server.url)
    assert files_in(tmp_path) == {"a.fits": CONTENT["a"]}

    (tmp_path / "set/d.fits").write_bytes(content)

    fetch_example("part", tmp_path, server.url)


def test_fetch_of_an_unknown_example_lists_those_that_are():
    with pytest.raises(ConfigError, match=r"'crab'.*cosi-test, fermi-2fhl"):
        find_example("crab")


def test_list_names_source_size_and_terms(capsys):
    assert main(["fetch", "fermi-gc", "--list"]) == 0
    out = capsys.readouterr().out
    assert out.count("terms:") == len(find_example("fermi-gc"))
    assert "gammapy/gammapy-data at fbafe93" in out


EXAMPLES = Path(__file__).parents[2] / "config" / "examples"


@pytest.mark.parametrize("name", read_table())
def test_table_holds_every_file_of_the_example(name, monkeypatch):
    from skyquilt.config import load_config

    monkeypatch.setenv("SKYQUILT_DATA", "D")
    used = set()
    for analysis in load_config(EXAMPLES / f"{name}.yaml").analyses.values():
        used |= set(analysis.paths())
        if analysis.sources and analysis.sources.catalogue:
            used.add(analysis.sources.catalogue.path)
    assert {f"D/{one.file}" for one in find_example(name)} == used
    for one in find_example(name):
        assert len(one.sha256) == 64
        assert one.size > 0
        assert one.licence
        assert bool(one.repository and one.commit and one.path) != bool(one.not_published)


@pytest.mark.parametrize("name", read_table())
def test_table_agrees_with_the_real_files(name, imaging_data, cosi_data):
    from skyquilt.fetch.download import is_there

    assert all(is_there(one, imaging_data) for one in find_example(name))
