"""Whatever goes wrong outside skyquilt is one line and an exit code."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from skyquilt.cli.main import VERBS

SKYQUILT = [sys.executable, "-m", "skyquilt.cli.main"]


def start(*arguments, redirect="", **environment):
    """Exit code and lines on standard error of a process, in a shell."""
    command = " ".join([*SKYQUILT, *map(str, arguments), redirect])
    done = subprocess.run(command, shell=True, capture_output=True, env=os.environ | environment)
    return done.returncode, done.stderr.decode(errors="replace").splitlines()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["check", "--help"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_on_a_full_disk_is_one_line(arguments, unbuffered):
    code, (line,) = start(*arguments, redirect="> /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert code == 1
    assert line.startswith("skyquilt: error: standard output: No space left on device; free")


def test_errors_that_nobody_can_read_still_have_their_exit_code():
    assert start("check", "--config", "nowhere.yaml", redirect="2> /dev/full")[0] == 2
    assert start("--version", redirect=">&-")[0] == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [
        *((number, 2) for number in (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)),
        *((number, 2) for number in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)),
        *((number, 1) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)),
        *((number, 1) for number in (errno.EMFILE, errno.ENFILE, errno.ESTALE)),
    ],
)
def test_error_of_the_system_names_the_file_and_what_to_do(run, monkeypatch, number, code):
    def fail(args):
        raise OSError(number, os.strerror(number), "maps.fits")

    monkeypatch.setattr(VERBS["check"], "run", fail)

    found, _, (line,) = run("check", "--config", "c.yaml")
    assert found == code
    assert line.startswith(f"skyquilt check: error: maps.fits: {os.strerror(number)}; ")


def test_letters_that_the_locale_does_not_have_are_one_line(run, monkeypatch):
    def fail(args):
        "ergebnis ☃".encode("ascii")

    monkeypatch.setattr(VERBS["check"], "run", fail)

    code, _, (line,) = run("check", "--config", "c.yaml")
    assert code == 2
    assert "this locale (ascii) cannot write; set another one" in line


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_letters_are_printed_in_any_encoding(tmp_path, encoding):
    path = tmp_path / "ö☃.yaml"
    path.write_text("results: ö☃\n")
    code, (line,) = start("check", "--config", path, PYTHONIOENCODING=encoding)
    assert code == 2
    assert "analyses: none is named" in line


def test_error_that_follows_from_an_interruption_is_an_interruption(run, monkeypatch):
    class PanicError(BaseException):
        pass

    def fail(args):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise PanicError from None

    monkeypatch.setattr(VERBS["check"], "run", fail)

    assert run("check", "--config", "c.yaml")[::2] == (130, ["skyquilt check: interrupted"])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interruption_while_the_command_is_imported_is_one_line():
    code = "import skyquilt.cli, signal; signal.raise_signal(signal.SIGINT)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGINT
    assert done.stderr == "skyquilt: interrupted\n"


@pytest.mark.parametrize("verb", ["verify", "status", "provenance"])
def test_name_that_is_too_long_is_one_line(run, tmp_path, verb):
    code, _, (line,) = run(verb, tmp_path / f"{'y' * 300}.h5")
    assert code == 2
    assert "File name too long; take a shorter name" in line
