"""Files that jobs of their own make, as the workflow asks for them: chunks and steps.

Where only a plan tells which there are, it is asked for by a function, so that Snakemake can make
it first and come back.
"""

from collections.abc import Callable
from pathlib import Path

from skyquilt.config.analysis import Analysis
from skyquilt.fit.plan import Plan
from skyquilt.sky.chunks import chunk_files


def list_chunks(folder: str | Path, analysis: Analysis, read_plan: Callable[[], Plan]) -> list[str]:
    """Files of all chunks of a map.

    Their number is known beforehand if the analysis sets it and fits the whole sky; otherwise the
    plan tells.

    Parameters
    ----------
    folder : str or Path
        Folder of the chunks.
    analysis : Analysis
        The analysis.
    read_plan : callable
        Gives its plan.
    """
    n_chunks = analysis.fit.chunks
    if n_chunks == "auto" or analysis.map.region is not None:
        return _texts(read_plan().chunk_files(folder))
    return _texts(chunk_files(folder, n_chunks, range(n_chunks)))


def list_steps(read_plan: Callable[[int], Plan]) -> list[Plan]:
    """Plans of the steps of a refinement, up to the one that has nothing left to fit.

    Parameters
    ----------
    read_plan : callable
        Gives the plan of a step by its number.
    """
    plans: list[Plan] = []
    while (plan := read_plan(len(plans))).chunks:
        plans.append(plan)
    return plans


def list_step_chunks(folder: str | Path, plans: list[Plan]) -> list[str]:
    """Files of the chunks of some steps, which lie in folders of their numbers."""
    return [
        file
        for step, plan in enumerate(plans)
        for file in _texts(plan.chunk_files(Path(folder, str(step))))
    ]


def is_refined_in_chunks(analysis: Analysis, read_plan: Callable[[], Plan]) -> bool:
    """Whether a refinement is so much work that its cells are fitted in chunks."""
    from skyquilt.localisation.refine.steps import is_worth_chunks

    in_chunks = analysis.refine.chunks
    return is_worth_chunks(read_plan().seconds_per_pixel) if in_chunks == "auto" else in_chunks


def _texts(files: dict[int, Path]) -> list[str]:
    return list(map(str, files.values()))
