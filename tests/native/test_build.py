"""Finding a compiler."""

import pytest

from skyquilt.native import build


@pytest.fixture(autouse=True)
def forget_compiler():
    build.find_compiler.cache_clear()
    yield
    build.find_compiler.cache_clear()


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Empty folder that is the whole PATH; no $CC, no Zig."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(build, "_ZIG", ("no-zig", "cc"))
    return tmp_path


def make_command(path, code):
    path.write_text(f"#!/bin/sh\necho out of order >&2\nexit {code}\n")
    path.chmod(0o755)


def test_find_compiler_when_there_is_none_finds_none(path):
    assert build.find_compiler() is None


def test_find_compiler_takes_the_first_that_works(path):
    make_command(path / "cc", 1)
    make_command(path / "gcc", 0)
    make_command(path / "clang", 0)
    assert build.find_compiler() == ("gcc",)


def test_find_compiler_when_only_zig_is_there_takes_it(path, monkeypatch):
    make_command(path / "zig", 0)
    monkeypatch.setattr(build, "_ZIG", ("zig", "cc"))
    assert build.find_compiler() == ("zig", "cc")


def test_find_compiler_when_cc_is_set_asks_for_nothing_else(path, monkeypatch):
    make_command(path / "gcc", 0)
    monkeypatch.setenv("CC", "ccache 'my gcc' -v")
    assert build.find_compiler() == ("ccache", "my gcc", "-v")


def test_compile_kernels_when_there_is_no_compiler_says_what_to_do(path, tmp_path):
    with pytest.raises(build.BuildError, match="install gcc or clang, or name one in CC"):
        build.compile_kernels(1, tmp_path / "kernels1.so")


@pytest.mark.parametrize(("code", "message"), [(1, "out of order"), (None, "No such file")])
def test_compile_kernels_when_compiler_fails_shows_why(path, monkeypatch, code, message):
    if code is not None:
        make_command(path / "broken", code)
    monkeypatch.setenv("CC", "broken")
    with pytest.raises(build.BuildError, match=rf"(?s)do not compile: \['broken', .*{message}"):
        build.compile_kernels(1, path / "kernels1.so")


def test_compile_kernels_asks_for_each_level_by_its_flags(path, monkeypatch):
    make_command(path / "gcc", 1)
    monkeypatch.setenv("CC", "gcc")
    with pytest.raises(build.BuildError, match="'-march=x86-64-v3'"):
        build.compile_kernels(3, path / "kernels3.so")
    monkeypatch.delenv("CC")
    build.find_compiler.cache_clear()
    make_command(path / "zig", 0)
    monkeypatch.setattr(build, "_ZIG", ("zig", "cc"))
    assert build.find_compiler() == ("zig", "cc")
    make_command(path / "zig", 1)
    with pytest.raises(build.BuildError, match="'-mcpu=x86_64_v3'"):
        build.compile_kernels(3, path / "kernels3.so")
