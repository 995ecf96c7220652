"""Check a tree of results: what is whole, missing, foreign, damaged, or not skyquilt's.

Whole is a file whose content is that which was written, and that answers what lies beside it: a
chunk its problem and plan, maps their problem, everything else the inputs whose checksums its
provenance names. A file that skyquilt did not write, and that lies where it writes none, is left to
whoever put it there.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from skyquilt.errors import ProductError
from skyquilt.fit.file import read_plan
from skyquilt.io.answers import find_answers, why_other_problem
from skyquilt.io.digest import file_digest, stat_key
from skyquilt.io.inspect import Inspected, inspect_file
from skyquilt.products import INDEX, PRODUCTS, fit_of, kinds_at
from skyquilt.runs.answers import Digests, Questions, why_other_fit
from skyquilt.runs.aside import move_aside
from skyquilt.runs.freshness import why_stale
from skyquilt.runs.tree import (
    CLOSED,
    CONFIG,
    Folder,
    closed_folders,
    is_path_of_product,
    made_with,
    open_tree,
    products,
)

_WRITTEN = "a run writes it again at its start."


class State(StrEnum):
    """State of a file."""

    WHOLE = "whole"
    MISSING = "missing"
    FOREIGN = "foreign"
    DAMAGED = "damaged"
    OTHERS = "not skyquilt's"


_OTHERS = (State.OTHERS, "left as it is")


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
    folder : Path or None
        The folder that is made again with it, if there is one.
    """

    path: Path
    state: State
    reason: str = ""
    folder: Path | None = None


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
    findings = list(_verify_index(Path(results)))
    findings += [Finding(path, State.DAMAGED, CLOSED) for path in closed_folders(results)]
    for number, folder in enumerate(folders, 1):
        findings += [_with_folder(folder, found) for found in _verify_folder(folder)]
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
    bad = (item.folder or item.path for item in findings if needs_repair(item))
    return move_aside(dict.fromkeys(bad))


def needs_repair(finding: Finding) -> bool:
    """Whether the next run makes a file again only after `set_aside`: not what is just away."""
    if finding.state is State.MISSING:
        return finding.folder is not None and finding.folder.is_dir()
    is_bad = finding.state in (State.FOREIGN, State.DAMAGED)
    return is_bad and finding.path.name != CONFIG and not finding.path.is_dir()


def _verify_index(results: Path) -> Iterator[Finding]:
    """State of the page of all analyses, which is no file of one; the workflow makes it."""
    path = results / INDEX
    if not path.exists() and (results / "_inputs" / CONFIG).is_file():
        yield Finding(path, State.MISSING)
    elif path.exists():
        try:
            inputs = inspect_file(path).record["inputs"]
        except ProductError as error:
            yield Finding(path, State.DAMAGED, str(error))
            return
        pages = {path.parent / Path(*Path(note["path"]).parts[-2:]): note for note in inputs}
        for page, note in pages.items():
            if page.is_file() and _is_other(page, note):
                reason = f"it was made from another {page.relative_to(path.parent)}"
                yield Finding(path, State.FOREIGN, reason)
                return
        yield Finding(path, State.WHOLE)


def _verify_folder(folder: Folder) -> Iterator[Finding]:
    yield from _verify_config(folder)
    known: dict[Path, Inspected] = {}
    bad: dict[Path, Finding] = {}
    files = list(products(folder))
    for path in files:
        found = _inspect(folder, path)
        if isinstance(found, Finding):
            bad[path] = found
        else:
            known[path] = found
    answers = {path: find_answers(content.record) for path, content in known.items()}
    questions = _questions(folder, answers)
    for path, content in known.items():
        reason = _why_foreign(folder, path, content, known)
        reason = reason or _why_other_name(folder, path, answers[path])
        reason = reason or _why_other_question(folder, answers[path], questions)
        if reason:
            bad[path] = Finding(path, State.FOREIGN, reason)
    for path in folder.wanted:
        if path not in known and path not in bad and not path.is_file():
            yield Finding(path, State.MISSING)
    for path in files:
        yield bad.get(path, Finding(path, State.WHOLE))


def _verify_config(folder: Folder) -> Iterator[Finding]:
    """State of the configuration beside the products, if there is something to say."""
    path = folder.path / CONFIG
    if folder.fault:
        reason = f"{folder.fault} Products are not compared with it; {_WRITTEN}"
        yield Finding(path, State.DAMAGED, reason)
    elif folder.config is None:
        yield Finding(path, State.MISSING, f"products are not compared with it; {_WRITTEN}")


def _inspect(folder: Folder, path: Path) -> Inspected | Finding:
    """What a file says of itself, or what is wrong with it."""
    is_own = is_path_of_product(folder, path)
    try:
        content = inspect_file(path)
    except ProductError as error:
        return Finding(path, State.DAMAGED, str(error)) if is_own else Finding(path, *_OTHERS)
    if content.schema.startswith("skyquilt/"):
        return content
    reason = "a file of another program in the place of a product"
    return Finding(path, State.DAMAGED, reason) if is_own else Finding(path, *_OTHERS)


def _questions(folder: Folder, answers: Mapping[Path, dict | None]) -> Questions | None:
    """What the configuration beside the products asks; None if it is of no such analysis.

    Input files that are not there are taken for those that the products were made from.
    """
    config = folder.config
    if config is None or folder.path.name not in config.analyses:
        return None
    data = [found["data"] for found in answers.values() if found]
    known = dict(chain.from_iterable(item.items() for item in data))
    memo = config.cache if Path(config.cache).is_dir() else None
    return Questions(config, folder.path.name, Digests(memo, known))


def _why_other_question(folder: Folder, answers: dict | None, questions: Questions | None) -> str:
    """Why a file is of another analysis, or of other settings or inputs, "" if it is not."""
    if not answers or answers.get("product") not in PRODUCTS:
        return ""
    if questions is not None:
        return why_stale(answers, answers["product"], questions)
    name = folder.path.resolve().name
    if answers.get("analysis") == name:
        return ""
    return f"it was made for analysis {answers.get('analysis')}, not {name}"


def _why_foreign(
    folder: Folder, path: Path, content: Inspected, known: dict[Path, Inspected]
) -> str:
    """Why a whole file does not belong to those beside it, "" if it does."""
    if reason := _why_other_kind(folder, path, content):
        return reason
    problem, labels = known.get(_problem_of(folder, path)), content.labels
    if problem is not None and (
        reason := why_other_problem(
            labels.get("problem_identity"), problem.labels.get("identity", "")
        )
    ):
        return f"it {reason}"
    fit = _fit_of(path, folder.path / "model")
    if fit is not None and fit in known:
        return _why_other_fit(content, known[fit])
    if path.parent == folder.path / "chunks":
        return _why_foreign_chunk(folder, path, labels)
    if path.parent.parent == folder.path / "refine":
        return _why_other_step(path, labels)
    return _why_other_inputs(folder, content)


def _problem_of(folder: Folder, path: Path) -> Path:
    """Problem that a file answers: that of its own question, or of the map."""
    own = (folder.path / name for name in ("model", "targets", "populations"))
    return next((one for one in own if one in path.parents), folder.path) / "problem.h5"


def _fit_of(path: Path, model: Path) -> Path | None:
    """Fit of a model that a file of samples or profiles is of; None for other files."""
    if path.parent == model and path.stem.endswith("-samples"):
        return path.with_name(f"{path.stem.removesuffix('-samples')}.h5")
    is_part = path.parent.parent == model and path.suffix == ".h5"
    return path.parent.with_suffix(".h5") if is_part else None


def _why_other_fit(content: Inspected, fit: Inspected) -> str:
    """Compare the identities of fits: one that is made again may be the same."""
    is_same = content.labels.get("fit_identity") == fit.labels.get("identity")
    return "" if is_same else "it is of another fit"


def _why_other_name(folder: Folder, path: Path, answers: dict | None) -> str:
    """Compare the fit that a file of a model is of with its name."""
    model = folder.path / "model"
    return why_other_fit(answers, fit_of(path, model)) if model in path.parents else ""


def _why_other_kind(folder: Folder, path: Path, content: Inspected) -> str:
    """Compare what a file is with what stands at its place, as after it was renamed."""
    kinds = kinds_at(path.relative_to(folder.path).as_posix())
    kind = content.schema.partition(" ")[0]
    return "" if not kinds or kind in kinds else f"it is {kind}, not {' or '.join(kinds)}"


def _why_other_step(path: Path, labels: dict) -> str:
    """Compare a chunk of a refinement with the plan of its step."""
    try:
        plan = read_plan(path.parent.with_suffix(".json"))
    except ProductError:
        return ""
    if labels.get("plan_identity") != plan.identity:
        return "it was made with another plan of this step"
    return ""


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
        parents = Path(note["path"]).parents
        home = next((one for one in parents if one.name == folder.path.name), None)
        if home is None:
            continue
        inner = Path(note["path"]).relative_to(home)
        path = folder.path / inner
        if path.is_file() and _is_other(path, note):
            return f"it was made from another {inner}"
    return ""


def _inputs(record: dict) -> list[dict]:
    """Inputs in a record, or in the last of several records that a file has by stage."""
    stages = [value for value in record.values() if isinstance(value, dict) and "inputs" in value]
    return record.get("inputs") or (stages[-1]["inputs"] if stages else [])


def _is_other(path: Path, note: dict) -> bool:
    """Whether a file is not the one that was noted; one that cannot be read has its own finding."""
    try:
        return _digest_once(path, stat_key(path)) != note["sha256"]
    except OSError:
        return False


@lru_cache(maxsize=64)
def _digest_once(path: Path, _state: str) -> str:
    """Digest of a file that is an input of many, read once."""
    return file_digest(path)


def _with_folder(folder: Folder, finding: Finding) -> Finding:
    whole = made_with(folder, finding.path)
    return finding if whole == finding.path else finding._replace(folder=whole)
