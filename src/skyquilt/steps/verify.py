"""Step `verify`: the files of a tree of results against their checksums and each other."""

from collections import Counter
from pathlib import Path

from skyquilt.fit.progress import Progress
from skyquilt.io.products import find_leftovers
from skyquilt.runs.guard import check_no_jobs, claim, remove_leftovers
from skyquilt.runs.jobs import list_jobs
from skyquilt.runs.verify import Finding, State, needs_repair, set_aside, verify_tree


def verify_results(results: str | Path, repair: bool) -> tuple[str, bool]:
    """What is not whole, a line of totals, and whether all is well.

    With `repair`, damaged and foreign files and folders that miss a file are set aside, and
    half-written ones removed. No run may be at work then.
    """
    lock = claim(results) if repair else None
    if repair:
        check_no_jobs(results, list_jobs())
    findings = verify_tree(results, Progress(str(results), unit="analyses"))
    lines = [_describe(finding) for finding in findings if finding.state is not State.WHOLE]
    number = Counter(finding.state for finding in findings)
    told = [state for state in State if number[state] or state is not State.OTHERS]
    lines.append(", ".join(f"{number[state]} {state}" for state in told))
    if repair:
        moved, n_removed = set_aside(findings), remove_leftovers(results)
        lines += [f"set aside as {path}" for path in moved]
        lines.append(
            f"{len(moved)} set aside, {n_removed} half-written removed; start the run again to "
            "make what is missing."
        )
        if lock is not None:
            lock.close()
    else:
        n_leftovers = sum(1 for _ in find_leftovers(results))
        if n_leftovers:
            lines.append(f"{n_leftovers} half-written, of processes that were killed")
        if any(map(needs_repair, findings)):
            lines.append(
                "`skyquilt verify --repair` sets aside what is damaged or foreign, and folders of "
                "figures and regions that miss a file."
            )
    return "\n".join(lines), number[State.WHOLE] + number[State.OTHERS] == len(findings)


def _describe(finding: Finding) -> str:
    reason = finding.reason.removeprefix(f"{finding.path}: ")
    return f"{finding.state:8} {finding.path}{': ' if reason else ''}{reason}"
