# Inputs of the rules of targets.
from pathlib import Path

from skyquilt.io.target_files import planned_files


def target_folder(wildcards):
    """Folder of the targets of an analysis."""
    return of_analysis(wildcards.analysis, "targets")


def roster_files(wildcards):
    """Files of rosters and of the table of neighbours of an analysis."""
    targets = settings.analyses[wildcards.analysis].targets
    return [] if targets is None else list(map(os.path.normpath, targets.paths()))


def sources_argument(wildcards, input):
    """Argument of the sources of the map, where the analysis looks for them."""
    return f"--sources {shlex.quote(input.sources[0])}" if input.sources else ""


def target_files(wildcards):
    """Fits of the targets of an analysis, as the plan tells that Snakemake makes first."""
    plan = checkpoints.list_targets.get(analysis=wildcards.analysis).output.plan
    try:
        return list(map(str, planned_files(Path(plan).parent, "seds")))
    except SkyquiltError as error:
        raise WorkflowError(str(error)) from None


parts["targets/seds"] = target_files
