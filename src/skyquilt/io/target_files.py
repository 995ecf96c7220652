"""Which files the targets of an analysis have, as `targets/plan.json` tells."""

from pathlib import Path

from skyquilt.io.json_file import read_json
from skyquilt.io.schema import Schema

# 1.0  first version
SCHEMA = Schema("skyquilt/targets-plan", "1.0", "skyquilt targets list")


def planned_files(folder: str | Path, key: str) -> list[Path]:
    """Files that a plan names, there or not.

    Parameters
    ----------
    folder : str or Path
        Folder of the targets.
    key : {"seds", "sed"}
        Fits of jobs, or tables of targets.

    Raises
    ------
    ProductError
        If there is no whole plan.
    """
    content = read_json(Path(folder, "plan.json"), SCHEMA)
    return [Path(folder, key, name) for name in content[key]]
