import pytest
import yaml

from skyquilt.cli.main import main


@pytest.fixture
def write_config(tmp_path):
    """Write the configuration of an observation and give its path."""

    def write(observation):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(observation.raw_config()))
        return str(path)

    return write


@pytest.fixture
def run(capsys):
    """Run the command line; exit code, stdout, and the lines of stderr."""

    def run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse
            code = end.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return run
