# All stages in one job, for small analyses of a `for_each`.


include: "../inputs/run.smk"


rule run_analysis:
    input:
        data=small_data,
    output:
        summary=os.path.join(settings.results, "{small}", "summary.json"),
    log:
        os.path.join(settings.results, "{small}", "logs", "run_analysis.log"),
    benchmark:
        os.path.join(settings.results, "{small}", "benchmarks", "run_analysis.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime_min(20, per_mb=0.01),
    params:
        config=small_config,
        settings=small_settings,
    message:
        "{wildcards.small}: all of it in one job"
    shell:
        "skyquilt run --in-workflow --config {params.config:q} --analysis {wildcards.small:q}"
        " --threads {threads} > {log:q} 2>&1"
