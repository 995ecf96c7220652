"""JSON schema of the configuration, for editors: ``python -m skyquilt.config.schema``."""

import sys
from typing import Any

import yaml

from skyquilt.config.run import Config

_HEADER = """\
# Every key of a configuration, with its type and default; written by `make schema`.
# An editor checks a file that begins with
#   # yaml-language-server: $schema=../config/config.schema.yaml
"""


def schema() -> dict[str, Any]:
    """JSON schema of the configuration.

    Returns
    -------
    dict
        Schema in the dialect 2020-12.

    Examples
    --------
    >>> schema()["additionalProperties"]
    False
    """
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | Config.model_json_schema()


def schema_text() -> str:
    """Content of ``config/config.schema.yaml``."""
    return _HEADER + yaml.safe_dump(schema(), sort_keys=False, width=100)


if __name__ == "__main__":
    sys.stdout.write(schema_text())
