import pytest
from workdir import TINY

from skyquilt.config import load_config

pytestmark = pytest.mark.workflow


def errors(result):
    """Lines from the error on."""
    lines = result.stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("WorkflowError"))
    return lines[start:]


def test_unknown_key_ends_with_one_message_that_names_it(empty):
    config = empty.config_with(lambda settings: settings["analyses"]["burst"]["map"].update(nsid=4))
    result = empty.run(config=config)
    assert result.returncode == 1
    assert "Traceback" not in result.stdout
    (message,) = [line for line in errors(result) if "unknown key" in line]
    assert "changed.yaml: analyses.burst.map.nsid: unknown key" in message
    assert not empty.results.exists()


def test_missing_configuration_ends_with_what_to_do(empty):
    command = [
        part for part in empty.command() if "tiny.yaml" not in part and part != "--configfile"
    ]
    result = empty.run_command(command)
    assert result.returncode == 1
    assert "add --configfile" in "".join(errors(result))


def test_resolved_configuration_is_that_of_the_run(whole):
    for analysis in ("burst", "steady"):
        resolved = load_config(whole.results / analysis / "config.yaml")
        asked = load_config(whole.config)
        assert resolved.analyses == {analysis: asked.analyses[analysis]}
        assert (resolved.results, resolved.cache) == (asked.results, asked.cache)


def test_key_given_twice_is_refused_by_the_workflow_as_by_the_verbs(empty):
    config = empty.path / "twice.yaml"
    config.write_text(TINY.read_text() + "\nresults: elsewhere\n")
    result = empty.run("--dry-run", config=config)
    assert result.returncode == 1
    assert "the key 'results' is given twice" in result.stdout
    assert "Traceback" not in result.stdout


def test_change_on_the_command_line_is_put_over_the_file(empty):
    result = empty.run("--dry-run", "--printshellcmds", "--config", "results=elsewhere")
    assert result.returncode == 0, result.stdout
    assert "elsewhere/burst/maps.fits" in result.stdout
