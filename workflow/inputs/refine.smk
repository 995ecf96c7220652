# Steps of a refinement in chunks, as their plans tell.
from skyquilt.steps.parts import is_refined_in_chunks, list_step_chunks, list_steps


def step_files(wildcards):
    """Plans of the steps of a refinement in chunks, and their chunks."""
    return refinement_plans(wildcards) + refinement_chunks(wildcards)


parts["refine"] = step_files


def refinement_steps(name):
    """Plans of the steps of a refinement in chunks; none where one process does it all.

    Snakemake makes the plan of a step, and its chunks before the plan of the next.
    """
    is_in_chunks = is_refined_in_chunks(settings.analyses[name], made_plan(name))
    return list_steps(lambda step: plan_of_step(name, step)) if is_in_chunks else []


def plan_of_step(name, step):
    """Plan of a step, which Snakemake makes first."""
    made = checkpoints.plan_refinement.get(analysis=name, step=step)
    return read_made_plan(made.output.plan)


def plan_files(name, steps):
    """Files of the plans of some steps."""
    return [of_analysis(name, f"refine/{step}.json") for step in steps]


def refinement_plans(wildcards):
    """Files of the plans of all steps."""
    name = wildcards.analysis
    return plan_files(name, range(len(refinement_steps(name))))


def refinement_chunks(wildcards):
    """Chunks of all steps."""
    name = wildcards.analysis
    return list_step_chunks(of_analysis(name, "refine"), refinement_steps(name))


def refinement_end(wildcards):
    """Plan that says that nothing is left to fit; none where one process does it all.

    It is no step, but follows from all chunks: when one is made again, so is this plan, in the
    same run.
    """
    name = wildcards.analysis
    if not is_refined_in_chunks(settings.analyses[name], made_plan(name)):
        return []
    return plan_files(name, [len(refinement_steps(name))])


def earlier_plans(wildcards):
    """Plans of the steps before one."""
    return plan_files(wildcards.analysis, range(int(wildcards.step)))


def earlier_chunks(wildcards):
    """Chunks of the steps before one."""
    name = wildcards.analysis
    plans = [plan_of_step(name, step) for step in range(int(wildcards.step))]
    return list_step_chunks(of_analysis(name, "refine"), plans)
