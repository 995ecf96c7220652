# Chunks of a map, as its plan tells.
from skyquilt.steps.parts import list_chunks


def made_plan(analysis):
    """Function that gives the plan of an analysis, which Snakemake makes first."""
    return lambda: read_made_plan(
        checkpoints.plan_sky.get(analysis=analysis).output.plan
    )


def chunk_files(wildcards):
    """Chunks of the map of an analysis."""
    name = wildcards.analysis
    folder = of_analysis(name, "chunks")
    return list_chunks(folder, settings.analyses[name], made_plan(name))


parts["chunks"] = chunk_files
