# Stage 7: a page for each analysis, and one that lists them all.


include: "../inputs/report.smk"


rule report_analysis:
    input:
        maps=files_of("maps"),
        localisation=files_of("localisation", "summary.json", "skymap.multiorder.fits"),
        plots=files_of("plots"),
        sources=files_of("sources", "sources.fits"),
        calibration=files_of("calibration", "calibration.json", "calibration-plots"),
        problem=files_of("model_problem"),
        fits=files_of_fits("model_fits", ".h5"),
        comparison=files_of("model_comparison"),
        model=files_of("model_plots"),
    output:
        page=results("report.html"),
    log:
        results("logs/report_analysis.log"),
    benchmark:
        results("benchmarks/report_analysis.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=5),
        runtime=runtime_min(10, per_mb=0.01),
    params:
        config=config_file,
        settings=settings_of("page"),
    message:
        "{wildcards.analysis}: report"
    shell:
        "skyquilt report --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {output.page:q} 2> {log:q}"


rule list_reports:
    input:
        pages=of_all("report.html"),
    output:
        index=os.path.join(settings.results, INDEX),
    log:
        inputs("logs/list_reports.log"),
    benchmark:
        inputs("benchmarks/list_reports.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        config=inputs_config(),
    message:
        "index of all reports"
    shell:
        "skyquilt report --config {params.config:q} --output {output.index:q}"
        " --pages {input.pages:q} 2> {log:q}"
