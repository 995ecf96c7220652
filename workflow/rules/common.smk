# Configuration, paths, and what a job needs: the only Python of the workflow.
import json
import os
import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from skyquilt.config import Config, merge_settings, parse_config
from skyquilt.errors import SkyquiltError
from skyquilt.io.digest import canonical_json
from skyquilt.runs.answers import own_settings
from skyquilt.runs.freshness import all_files, describe_stale
from skyquilt.runs.guard import check_no_jobs, claim, remove_leftovers
from skyquilt.runs.jobs import list_jobs
from skyquilt.steps.settings import write_analysis_settings, write_settings
from skyquilt.steps.start import find_all_stale, set_all_stale_aside


def load_settings():
    """Configuration of this run; a mistake in it ends Snakemake with one line.

    The files are read again by skyquilt's reader, which refuses what Snakemake's would take, as a
    key that is given twice; `--config key=value` is put over them.
    """
    files, changes = workflow.configfiles, workflow.config_settings.config
    if not config:
        raise WorkflowError(
            "no configuration: add --configfile, as in config/demo.yaml"
        )
    try:
        source = ", ".join(map(str, files)) or "--config"
        return parse_config(merge_settings(files, changes), source=source)
    except SkyquiltError as error:
        raise WorkflowError(str(error)) from None


settings = load_settings()


# --- before anything is planned ---

claimed = []  # holds the results for this process until its end


def begin_run(is_local):
    """Claim the results, clear what killed processes left, and set aside what is stale.

    Called once, by the process that the user started. While another run works on the results, or
    jobs of one that was killed do, it ends with one line.
    """
    try:
        claimed.append(claim(settings.results))
        check_no_jobs(settings.results, list_jobs(is_needed=not is_local))
        stale = find_all_stale(settings)
        remove_leftovers(settings.results)
        for line in set_all_stale_aside(stale):
            logger.warning(line)
        write_configs()
    except SkyquiltError as error:
        raise WorkflowError(str(error)) from None


def show_stale():
    """Let a dry run plan what a run would set aside first; nothing is changed."""
    try:
        stale = find_all_stale(settings, is_dry=True)
    except SkyquiltError as error:
        raise WorkflowError(str(error)) from None
    for line in describe_stale(stale):
        logger.warning(f"stale, will be made again: {line}")
    files = {str(file) for item in stale for file in all_files(item)}
    build = workflow._build_dag

    def build_with_stale():
        workflow.dag.forcefiles.update(files)
        build()

    workflow._build_dag = build_with_stale


def look_before_planning():
    """Let Snakemake look at what results answer before it plans by times and its own memory.

    `onstart` would be too late: the jobs are chosen by then. Nothing happens where no job is run
    (`--summary`, `--unlock`, `--lint`), nor in the jobs themselves.
    """
    execute = workflow.execute

    def look_and_execute(*arguments, **options):
        kind = options["executor_plugin"].common_settings
        if workflow.is_main_process and kind.dryrun_exec:
            show_stale()
        elif workflow.is_main_process and not kind.touch_exec:
            begin_run(kind.local_exec)
        return execute(*arguments, **options)

    workflow.execute = look_and_execute


# --- configuration handed to the verbs ---


def write_configs():
    """Write the resolved configuration, defaults filled in, for the verbs to read.

    Jobs on other nodes find it written. Each analysis has a file of its own, so that results
    tell how they were made.
    """
    write_settings(inputs_config(), settings)
    for name in settings.analyses:
        write_analysis_settings(settings, name)


@cache
def dumped(analysis):
    """Settings of an analysis as plain values."""
    return settings.analyses[analysis].model_dump(mode="json")


def settings_of(product):
    """Parameter of a rule: the settings that its product takes, as `skyquilt.products` has them.

    Snakemake compares it with that of the last run, so a job is done again when one of these
    settings has changed, and left alone when any other has. A version of skyquilt that gives
    other numbers counts as such a change.
    """

    def text(wildcards):
        return canonical_json(own_settings(dumped(wildcards.analysis), product))

    return text


# --- paths ---


def results(name):
    """Pattern of a file of an analysis; names must not hold braces."""
    return os.path.join(settings.results, "{analysis}", name)


def results_folder(wildcards):
    """Folder of an analysis, for a verb that writes several files there."""
    return os.path.join(settings.results, wildcards.analysis)


def of_analysis(analysis, name):
    """File of one analysis."""
    return os.path.join(settings.results, analysis, name)


def of_all_analyses(name):
    """The file of this name of every analysis."""
    return [of_analysis(analysis, name) for analysis in settings.analyses]


def config_file(wildcards):
    """Resolved configuration of an analysis."""
    return of_analysis(wildcards.analysis, "config.yaml")


def inputs(name):
    """File about the input data; no analysis has such a name, for none begins with `_`."""
    return os.path.join(settings.results, "_inputs", name)


def inputs_config():
    """Resolved configuration of the whole run, for the rules that make input data."""
    return inputs("config.yaml")


def data_files(wildcards):
    """All files that an analysis reads its data from."""
    return [
        os.path.normpath(path) for path in settings.analyses[wildcards.analysis].paths()
    ]


def response_files(wildcards):
    """Responses of all data sets of an analysis, each once."""
    responses = settings.analyses[wildcards.analysis].responses()
    return list(dict.fromkeys(map(os.path.normpath, responses)))


def table_file(wildcards):
    """Note of the contracted responses, if the analysis has any."""
    has_any = settings.analyses[wildcards.analysis].responses()
    return of_analysis(wildcards.analysis, "table.json") if has_any else []


def simulated_files():
    """All files that the simulation writes."""
    from skyquilt.config.simulation import simulation_files

    folder = settings.simulation.folder
    files = simulation_files(settings.simulation).values()
    return [os.path.normpath(os.path.join(folder, file)) for file in files]


def chunk_files(wildcards):
    """Chunks of the map of an analysis."""
    return chunks_of(wildcards.analysis)


def of_each_analysis(files):
    """The same input of every analysis: a function as those that rules of one analysis have."""

    def of_all(_):
        found = []
        for name in settings.analyses:
            paths = files(SimpleNamespace(analysis=name))
            found += [paths] if isinstance(paths, str) else paths
        return found

    return of_all


def chunks_of(name):
    """Files of all chunks of an analysis.

    Their number is known beforehand if the analysis sets it and fits the whole sky; otherwise
    the plan tells, which Snakemake makes first and then comes back.
    """
    from skyquilt.sky.chunks import chunk_name

    analysis = settings.analyses[name]
    n_chunks = analysis.fit.chunks
    if n_chunks == "auto" or analysis.map.region is not None:
        made = checkpoints.plan_sky.get(analysis=name).output.plan
        plan = json.loads(Path(made).read_text(encoding="utf-8"))
        n_chunks, indices = plan["n_chunks"], plan["chunks"]
    else:
        indices = range(n_chunks)
    folder = of_analysis(name, "chunks")
    return [os.path.join(folder, chunk_name(index, n_chunks)) for index in indices]


def refinement_plans(wildcards):
    """Plans of the steps of a refinement in chunks; none where one process does it all.

    Snakemake makes the plan of a step, and its chunks before the plan of the next.
    """
    plans = []
    if is_refined_in_chunks(wildcards.analysis):
        while chunks_of_step(wildcards.analysis, len(plans)):
            plans.append(of_analysis(wildcards.analysis, f"refine/{len(plans)}.json"))
    return plans


def refinement_end(wildcards):
    """Plan that says that nothing is left to fit; none where one process does it all.

    It is no step, but follows from all chunks: when one is made again, so is this plan, in the
    same run.
    """
    if not is_refined_in_chunks(wildcards.analysis):
        return []
    n_steps = len(refinement_plans(wildcards))
    return [of_analysis(wildcards.analysis, f"refine/{n_steps}.json")]


def refinement_chunks(wildcards):
    """Chunks of the steps of `refinement_plans`."""
    return chunks_of_steps(wildcards.analysis, len(refinement_plans(wildcards)))


def earlier_plans(wildcards):
    """Plans of the steps before one."""
    return [
        of_analysis(wildcards.analysis, f"refine/{step}.json")
        for step in range(int(wildcards.step))
    ]


def earlier_chunks(wildcards):
    """Chunks of the steps before one."""
    return chunks_of_steps(wildcards.analysis, int(wildcards.step))


def chunks_of_steps(analysis, n_steps):
    """Chunks of the first steps of a refinement."""
    return [file for step in range(n_steps) for file in chunks_of_step(analysis, step)]


def chunks_of_step(analysis, step):
    """Chunks of one step; none when it is the end."""
    from skyquilt.sky.chunks import chunk_name

    made = checkpoints.plan_refinement.get(analysis=analysis, step=step).output.plan
    plan = json.loads(Path(made).read_text(encoding="utf-8"))
    names = [chunk_name(index, plan["n_chunks"]) for index in plan["chunks"]]
    return [of_analysis(analysis, f"refine/{step}/{name}") for name in names]


def is_refined_in_chunks(analysis):
    """Whether a refinement is so much work that its cells are fitted in chunks."""
    from skyquilt.localisation.refine.steps import is_worth_chunks

    in_chunks = settings.analyses[analysis].refine.chunks
    if in_chunks != "auto":
        return in_chunks
    made = checkpoints.plan_sky.get(analysis=analysis).output.plan
    plan = json.loads(Path(made).read_text(encoding="utf-8"))
    return is_worth_chunks(plan["seconds_per_pixel"])


def skies_files(wildcards):
    """Simulated skies of an analysis; none where it does not ask for them."""
    from skyquilt.calibration.file import skies_name

    options = settings.analyses[wildcards.analysis].calibrate
    if options is None:
        return []
    return [
        of_analysis(wildcards.analysis, f"skies/{skies_name(kind, index, n_jobs)}")
        for kind in ("null", "injected")
        for n_jobs in (options.n_jobs(kind),)
        for index in range(n_jobs)
    ]


def calibration_files(wildcards):
    """Products of simulated skies of an analysis; none where it does not ask for them."""
    if settings.analyses[wildcards.analysis].calibrate is None:
        return []
    names = ("calibration.json", "calibration-plots")
    return [of_analysis(wildcards.analysis, name) for name in names]


def of_calibrated_analyses(name):
    """The file of this name of every analysis that asks for simulated skies."""
    return [
        of_analysis(analysis, name)
        for analysis, section in settings.analyses.items()
        if section.calibrate
    ]


def of_searched_analyses(name):
    """The file of this name of every analysis with a section `sources`."""
    return [
        of_analysis(analysis, name)
        for analysis, options in settings.analyses.items()
        if options.sources is not None
    ]


def sources_files(wildcards):
    """List of sources of an analysis; none where it does not ask for them."""
    if settings.analyses[wildcards.analysis].sources is None:
        return []
    return [of_analysis(wildcards.analysis, "sources.fits")]


def catalogue_file(wildcards):
    """Catalogue to compare the sources with; none when the analysis names none."""
    catalogue = settings.analyses[wildcards.analysis].sources.catalogue
    return [] if catalogue is None else [os.path.normpath(catalogue.path)]


def one_of(names):
    """Regular expression that matches these names and nothing else."""
    return "|".join(map(re.escape, names))
