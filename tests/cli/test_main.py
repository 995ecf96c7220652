import logging
import re
import subprocess
import sys
import time

import pytest

from skyquilt.cli.main import VERBS, main, make_parser
from skyquilt.errors import ConfigError, OutputError, RunError, SkyquiltError

_PRINT_MODULES = """
import sys
from skyquilt.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("MODULES", *sorted({name.split(".")[0] for name in sys.modules}))
"""
_HEAVY = {"numpy", "astropy", "scipy", "h5py", "numba", "healpy", "matplotlib", "pydantic", "yaml"}


@pytest.mark.parametrize("arguments", [["--help"], ["fit-chunk", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    began = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", _PRINT_MODULES, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    print(f"skyquilt {' '.join(arguments)}: {time.perf_counter() - began:.3f} s")  # 0.3 s promised

    modules = set(run.stdout.rsplit("MODULES ", 1)[1].split())
    assert "skyquilt" in modules
    assert not modules & _HEAVY


def test_help_lists_every_verb(run):
    code, out, _ = run("--help")

    assert code == 0
    for verb in VERBS:
        assert re.search(rf"^ +{verb}\b", out, re.MULTILINE)


def all_verbs():
    """Every verb and group with its module, those of groups after their group."""
    for verb, module in VERBS.items():
        yield verb, module
        for name, inner in getattr(module, "VERBS", {}).items():
            yield f"{verb} {name}", inner


@pytest.mark.parametrize(
    ("verb", "module"), list(all_verbs()), ids=[verb for verb, _ in all_verbs()]
)
def test_help_of_each_verb_describes_it(run, verb, module):
    code, out, _ = run(*verb.split(), "--help")

    assert code == 0
    assert f"usage: skyquilt {verb} " in out
    assert module.__doc__.splitlines()[0].rstrip(".") in out
    assert ("--quiet" in out) == (not hasattr(module, "VERBS"))


def test_version_is_that_of_the_package(run):
    code, out, _ = run("--version")

    assert code == 0
    assert re.fullmatch(r"skyquilt \d+\.\d+\.\d+\n", out)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["check"],
        ["check", "--config", "c", "--kolor", "red"],
        ["fit-chunk", "--problem", "p", "--plan", "q", "--chunk", "one", "--output", "o"],
        ["merge", "--problem", "p", "--plan", "q", "--output", "o"],
    ],
)
def test_wrong_arguments_are_exit_code_2(run, arguments):
    code, _, err = run(*arguments)

    assert code == 2
    assert "error: " in err[-1]


@pytest.mark.parametrize("option", ["--threads", "--ranks"])
@pytest.mark.parametrize("number", ["0", "-1", "2.5", "many"])
def test_number_that_is_not_above_zero_is_refused(run, option, number):
    arguments = ["--problem", "p", "--plan", "q", "--chunk", "0", "--output", "o"]

    code, _, err = run("fit-chunk", *arguments, option, number)

    assert code == 2
    assert f"'{number}': give a whole number above zero" in err[-1]


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigError, 2), (SkyquiltError, 2), (OutputError, 1), (RunError, 1)]
)
def test_error_is_one_line_and_an_exit_code(run, monkeypatch, error, code):
    def fail(args):
        raise error("something\n  is wrong")

    monkeypatch.setattr(VERBS["check"], "run", fail)

    found, out, err = run("check", "--config", "c.yaml")

    assert found == code
    assert out == ""
    assert err == ["skyquilt check: error: something is wrong"]


@pytest.mark.parametrize("option", ["--config=~/c.yaml", "--config=~"])
def test_tilde_that_the_shell_left_is_one_message(run, option):
    code, _, err = run("check", option)

    assert code == 2
    assert err[-1].startswith("skyquilt check: error: config '~")
    assert "is not replaced here: write $HOME" in err[-1]


def test_lack_of_memory_is_one_message(run, monkeypatch):
    def fail(args):
        raise MemoryError("std::bad_alloc")

    monkeypatch.setattr(VERBS["check"], "run", fail)

    code, _, (message,) = run("check", "--config", "c.yaml")

    assert code == 1
    assert message.startswith("skyquilt check: error: not enough memory: take a smaller map")


def test_interrupt_is_exit_code_130(run, monkeypatch):
    def fail(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(VERBS["check"], "run", fail)

    code, _, err = run("check", "--config", "c.yaml")

    assert (code, err) == (130, ["skyquilt check: interrupted"])


def test_unexpected_error_is_not_hidden(run, monkeypatch):
    def fail(args):
        raise ZeroDivisionError

    monkeypatch.setattr(VERBS["check"], "run", fail)

    with pytest.raises(ZeroDivisionError):
        run("check", "--config", "c.yaml")


@pytest.mark.parametrize(("options", "level"), [([], logging.INFO), (["--quiet"], logging.WARNING)])
def test_quiet_logs_warnings_only(run, monkeypatch, options, level):
    monkeypatch.setattr(VERBS["check"], "run", lambda args: 0)

    run("check", "--config", "c.yaml", *options)

    assert logging.getLogger("skyquilt").level == level


def test_parser_has_one_function_per_verb():
    def check(parser, modules):
        action = next(item for item in parser._actions if item.dest == "verb")
        assert set(action.choices) == set(modules)
        for verb, module in modules.items():
            if hasattr(module, "VERBS"):
                check(action.choices[verb], module.VERBS)
            else:
                assert action.choices[verb].get_default("run") is module.run

    check(make_parser(), VERBS)


def test_ranks_without_mpi_are_refused(capsys):
    files = ["--problem", "p", "--plan", "q", "--chunk", "0", "--output", "c"]

    assert main(["fit-chunk", *files, "--ranks", "2"]) == 2
    assert "--ranks 2 needs --mpi" in capsys.readouterr().err


def test_debug_shows_where_an_error_was_raised(tmp_path):
    path = tmp_path / "known.fits"
    path.write_bytes(b"SIMPLE  = fish")
    arguments = ["--skymap", str(path), "--lon", "1", "--lat", "2", "--frame", "icrs"]
    texts = {}
    for option in ("--quiet", "--debug"):
        done = subprocess.run(
            [sys.executable, "-m", "skyquilt.cli.main", "contains", *arguments, option],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        texts[option] = done.stderr

    assert len(texts["--quiet"].splitlines()) == 1
    assert "Traceback" in texts["--debug"]
    assert texts["--debug"].splitlines()[-1] == texts["--quiet"].splitlines()[0]
