"""Check a tree of results: what is whole, missing, foreign, damaged.

Whole is a file whose content is that which was written, and that answers what lies beside it: a
chunk its problem and plan, maps their problem, everything else the inputs whose checksums its
provenance names.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from skyquilt.errors import OutputError, ProductError
from skyquilt.io.digest import file_digest, stat_key
from skyquilt.io.inspect import Inspected, inspect_file
from skyquilt.runs.tree import FOLDERS, INDEX, Folder, open_tree, products

SET_ASIDE = ".set-aside"
"""Hidden folder in that of an analysis, for files that are damaged or foreign."""


class State(StrEnum):
    """State of a file."""

    WHOLE = "whole"
    MISSING = "missing"
    FOREIGN = "foreign"
    DAMAGED = "damaged"


class Finding(NamedTuple):
    """State of one file.

    Attributes
    ----------
    path : Path
        The file.
    state : State
        Its state.
    reason : str
        What is wrong with it.
    """

    path: Path
    state: State
    reason: str = ""


def verify_tree(
    results: str | Path, on_progress: Callable[[int, int], None] | None = None
) -> list[Finding]:
    """State of every file of every analysis.

    Parameters
    ----------
    results : str or Path
        Folder of results, or of one analysis.
    on_progress : callable, optional
        Called with the number of analyses done and of all.

    Raises
    ------
    ConfigError
        If there are no results.
    """
    folders = open_tree(results)
    findings = list(_verify_index(Path(results) / INDEX))
    for number, folder in enumerate(folders, 1):
        findings += _verify_folder(folder)
        if on_progress is not None:
            on_progress(number, len(folders))
    return findings


def set_aside(findings: list[Finding]) -> list[Path]:
    """Move damaged and foreign files out of the way, so that the next run makes them again.

    Files in a folder that is made as a whole, as figures, take it with them, and so do those that
    it misses.

    Returns
    -------
    list of Path
        Where they are now.

    Raises
    ------
    OutputError
        If one cannot be moved.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    bad = [item.path for item in findings if needs_repair(item)]
    moved = []
    for path in dict.fromkeys(map(_made_as_a_whole, bad)):
        folder = _analysis_folder(path)
        target = folder / SET_ASIDE / stamp / path.relative_to(folder)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be set aside ({error.strerror}); remove it yourself."
            ) from error
        moved.append(target)
    return moved


def needs_repair(finding: Finding) -> bool:
    """Whether the next run makes a file again only after `set_aside`: not what is just away."""
    if finding.state is State.MISSING:
        return finding.path.parent.name in FOLDERS and finding.path.parent.is_dir()
    return finding.state is not State.WHOLE


def _verify_index(path: Path) -> Iterator[Finding]:
    """State of the page of all analyses, which is no file of one."""
    if path.is_file():
        try:
            inputs = inspect_file(path).record["inputs"]
        except ProductError as error:
            yield Finding(path, State.DAMAGED, str(error))
            return
        pages = {path.parent / Path(*Path(note["path"]).parts[-2:]): note for note in inputs}
        for page, note in pages.items():
            if page.is_file() and _digest(page) != note["sha256"]:
                reason = f"it was made from another {page.relative_to(path.parent)}"
                yield Finding(path, State.FOREIGN, reason)
                return
        yield Finding(path, State.WHOLE)


def _verify_folder(folder: Folder) -> Iterator[Finding]:
    known: dict[Path, Inspected] = {}
    bad: dict[Path, Finding] = {}
    files = list(products(folder))
    for path in files:
        try:
            known[path] = inspect_file(path)
        except ProductError as error:
            bad[path] = Finding(path, State.DAMAGED, str(error))
    for path, content in known.items():
        reason = _why_foreign(folder, path, content, known)
        if reason:
            bad[path] = Finding(path, State.FOREIGN, reason)
    wanted = [folder.path / name for name in folder.wanted]
    for path in (*wanted[:2], *folder.chunks.values(), *wanted[2:]):
        if path not in known and path not in bad and not path.is_file():
            yield Finding(path, State.MISSING)
    for path in files:
        yield bad.get(path, Finding(path, State.WHOLE))


def _why_foreign(
    folder: Folder, path: Path, content: Inspected, known: dict[Path, Inspected]
) -> str:
    """Why a whole file does not belong to those beside it, "" if it does."""
    problem, labels = known.get(folder.path / "problem.h5"), content.labels
    answers = labels.get("problem_identity")
    if problem is not None and answers not in (None, problem.labels.get("identity")):
        return f"it answers problem {answers[:12]}, not {problem.labels['identity'][:12]}"
    if path.parent == folder.path / "chunks":
        return _why_foreign_chunk(folder, path, labels)
    return "" if answers else _why_other_inputs(folder, content)


def _why_foreign_chunk(folder: Folder, path: Path, labels: dict) -> str:
    if folder.plan is None:
        return ""
    if path.stem not in folder.chunks:
        return f"the plan has {folder.plan.n_chunks} chunks and none of this name"
    if labels.get("plan_identity") != folder.plan.identity:
        return "it was made with another plan (other pixels, chunks or fit options)"
    if labels.get("index") != int(path.stem.split("-")[0]):
        return f"it holds chunk {labels.get('index')}"
    return ""


def _why_other_inputs(folder: Folder, content: Inspected) -> str:
    """Compare the inputs that lie in the same folder with the checksums that were noted."""
    for note in _inputs(content.record):
        name = Path(note["path"])
        path = folder.path / name.name
        is_here = name.parent.name == folder.path.name and path.is_file()
        if is_here and _digest(path) != note["sha256"]:
            return f"it was made from another {name.name}"
    return ""


def _inputs(record: dict) -> list[dict]:
    """Inputs in a record, or in the last of several records that a file has by stage."""
    stages = [value for value in record.values() if isinstance(value, dict) and "inputs" in value]
    return record.get("inputs") or (stages[-1]["inputs"] if stages else [])


def _digest(path: Path) -> str:
    return _digest_once(path, stat_key(path))


@lru_cache(maxsize=64)
def _digest_once(path: Path, _state: str) -> str:
    """Digest of a file that is an input of many, read once."""
    return file_digest(path)


def _made_as_a_whole(path: Path) -> Path:
    return path.parent if path.parent.name in FOLDERS else path


def _analysis_folder(path: Path) -> Path:
    """Folder of the analysis that has a file; that of the file itself if it is of none."""
    found = (parent for parent in path.parents if (parent / "config.yaml").is_file())
    return next(found, path.parent)
