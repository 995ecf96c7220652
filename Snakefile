# skyquilt: full-sky TS and flux maps of every analysis of a configuration.
#
#   snakemake --profile profiles/local --configfile config/demo.yaml
#
# Settings say what is computed (config/), profiles how and where it runs (profiles/).
from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"


if settings.simulation:

    include: "workflow/rules/simulate.smk"


include: "workflow/rules/bin.smk"
include: "workflow/rules/showers.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/merge.smk"
include: "workflow/rules/refine.smk"
include: "workflow/rules/localise.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/plot.smk"
include: "workflow/rules/calibrate.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/populations.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/run.smk"


wildcard_constraints:
    analysis=one_of(staged_analyses() or ["none"]),
    small=one_of(sorted(settings.one_job) or ["none"]),
    fit=one_of(all_fits() or ["none"]),
    index=r"\d+",
    n_chunks=r"\d+",
    step=r"\d+",
    n_jobs=r"\d+",
    part=r"\d+",
    n_parts=r"\d+",
    kind="null|injected",
    runs=one_of(shower_sets() or ["none"]),
    run="[^/]+",


localrules:
    all,
    calibrate,
    targets,


look_before_planning()


# Products on the way are named, too: one that was deleted or set aside is made again.
rule all:
    default_target: True
    input:
        *all_products(),
        showers=all_showers,
        small=small_summaries(),
        index=index_page(),
    message:
        "all analyses are done"


rule targets:
    input:
        seds=of_each_analysis(files_of("seds")),
        plots=of_each_analysis(files_of("target_plots")),
    message:
        "spectra of all targets are done"


rule calibrate:
    input:
        calibrations=of_each_analysis(files_of("calibration", "calibration.json")),
