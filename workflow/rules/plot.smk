# Stage 6: figures.


rule plot_maps:
    input:
        problem=results("problem.h5"),
        maps=results("maps.fits"),
        skymap=results("skymap.multiorder.fits"),
        summary=results("summary.json"),
        sources=files_of("sources", "sources.fits"),
    output:
        plots=directory(results("plots")),
    log:
        results("logs/plot_maps.log"),
    benchmark:
        results("benchmarks/plot_maps.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=5),
        runtime=runtime_min(10, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("plots"),
    message:
        "{wildcards.analysis}: plots"
    shell:
        "skyquilt plot --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --problem {input.problem:q} --maps {input.maps:q} --skymap {input.skymap:q}"
        " --summary {input.summary:q} --output {output.plots:q} --sources {input.sources:q} 2> {log:q}"
