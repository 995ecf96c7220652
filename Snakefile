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
include: "workflow/rules/prepare.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/merge.smk"
include: "workflow/rules/refine.smk"
include: "workflow/rules/localise.smk"
include: "workflow/rules/sources.smk"
include: "workflow/rules/plot.smk"
include: "workflow/rules/calibrate.smk"
include: "workflow/rules/report.smk"


wildcard_constraints:
    analysis=one_of(settings.analyses),
    index=r"\d+",
    n_chunks=r"\d+",
    step=r"\d+",
    n_jobs=r"\d+",
    kind="null|injected",


localrules:
    all,
    calibrate,


look_before_planning()


# Products on the way are named, too: one that was deleted or set aside is made again.
rule all:
    default_target: True
    input:
        tables=of_each_analysis(table_file),
        problems=of_all_analyses("problem.h5"),
        plans=of_all_analyses("plan.json"),
        chunks=of_each_analysis(chunk_files),
        maps=of_all_analyses("maps.fits"),
        steps=of_each_analysis(refinement_plans),
        step_chunks=of_each_analysis(refinement_chunks),
        refined=of_all_analyses("refined.fits"),
        summaries=of_all_analyses("summary.json"),
        skymaps=of_all_analyses("skymap.multiorder.fits"),
        flat_skymaps=of_all_analyses("skymap.fits"),
        regions=of_all_analyses("regions"),
        plots=of_all_analyses("plots"),
        pages=of_all_analyses("report.html"),
        index=rules.list_reports.output.index,
        sources=of_searched_analyses("sources.ecsv"),
        source_tables=of_searched_analyses("sources.fits"),
        models=of_calibrated_analyses("model.h5"),
        skies=of_each_analysis(skies_files),
        calibrations=of_calibrated_analyses("calibration.json"),
        calibration_tables=of_calibrated_analyses("calibration.h5"),
        calibration_plots=of_calibrated_analyses("calibration-plots"),
    message:
        "all analyses are done"


rule calibrate:
    input:
        calibrations=of_calibrated_analyses("calibration.json"),
