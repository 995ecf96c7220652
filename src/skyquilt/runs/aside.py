"""Files put out of the way, so that the next run makes them again."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from skyquilt.errors import OutputError

SET_ASIDE = ".set-aside"
"""Hidden folder in that of an analysis, for files that are damaged, foreign or stale."""

_STALE = "-stale"  # end of the name of a folder of stale files: the next one replaces it


def move_aside(paths: Iterable[Path]) -> list[Path]:
    """Move files and folders that are damaged or foreign out of the way.

    Returns
    -------
    list of Path
        Where they are now.

    Raises
    ------
    OutputError
        If one cannot be moved.
    """
    return _move(paths, "")


def set_stale_aside(paths: Iterable[Path]) -> list[Path]:
    """The same for what answers other settings or inputs; only the last such set is kept."""
    paths = [path for path in dict.fromkeys(paths) if path.exists()]
    for folder in dict.fromkeys(map(_home, paths)):
        for old in (folder / SET_ASIDE).glob(f"*{_STALE}"):
            shutil.rmtree(old, ignore_errors=True)
    return _move(paths, _STALE)


def _move(paths: Iterable[Path], ending: str) -> list[Path]:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f") + ending
    moved = []
    for path in paths:
        home = _home(path)
        target = home / SET_ASIDE / stamp / path.relative_to(home)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be set aside ({error.strerror}); remove it yourself."
            ) from error
        moved.append(target)
    return moved


def _home(path: Path) -> Path:
    """Folder of the analysis that has a file; that of the file itself if it is of none."""
    found = (parent for parent in path.parents if (parent / "config.yaml").is_file())
    return next(found, path.parent)
