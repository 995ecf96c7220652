# Settings, guard and paths; what belongs to one stage stands in the file of that stage.
import os
import re
from functools import cache
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from skyquilt.config import Config, merge_settings, parse_config
from skyquilt.errors import SkyquiltError
from skyquilt.fit.file import read_plan
from skyquilt.io.digest import canonical_json
from skyquilt.products import INDEX, PRODUCTS
from skyquilt.runs.answers import own_settings, products_of
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


def staged_analyses():
    """Analyses that are made stage by stage; those in one job each have a rule of their own."""
    return {
        name: analysis
        for name, analysis in settings.analyses.items()
        if name not in settings.one_job
    }


def of_all(name):
    """The file of this name of every analysis that is made in stages."""
    return [of_analysis(analysis, name) for analysis in staged_analyses()]


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


def files_of(product, *only):
    """Input of a rule: files of a product, or some of them; none where an analysis has it not."""

    def files(wildcards):
        name = wildcards.analysis
        if product not in products_of_analysis(name):
            return []
        return [of_analysis(name, file) for file in only or PRODUCTS[product].files]

    return files


@cache
def products_of_analysis(name):
    """Products that an analysis has."""
    return products_of(settings.analyses[name])


# --- all that a run makes ---

parts = {}
"""Functions that give the files in the folders of parts; the file of each stage adds its own."""


def all_products():
    """Inputs of `all`: every product of every analysis, also those on the way.

    One that was deleted or set aside is made again.
    """
    for product in PRODUCTS.values():
        for content in product.contents:
            is_in_parts = content.folder == "parts"
            find = parts_of if is_in_parts else files_of
            files = find(product.name, content.path)
            yield of_each_analysis(files)


def parts_of(product, folder):
    """Files in a folder of parts; none where an analysis does not have the product."""

    def files(wildcards):
        is_asked = product in products_of_analysis(wildcards.analysis)
        return parts[folder](wildcards) if is_asked else []

    return files


def of_each_analysis(files):
    """The same input of every analysis: a function as those that rules of one analysis have."""

    def of_all(_):
        found = []
        for name in staged_analyses():
            found += files(SimpleNamespace(analysis=name))
        return found

    return of_all


def read_made_plan(path):
    """Plan that a checkpoint has made; what is wrong with it ends Snakemake with one line."""
    try:
        return read_plan(path)
    except SkyquiltError as error:
        raise WorkflowError(str(error)) from None


def one_of(names):
    """Regular expression that matches these names and nothing else."""
    return "|".join(map(re.escape, names))
