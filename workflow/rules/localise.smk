# Stage 5: where the source is.


rule localise_source:
    input:
        maps=results("maps.fits"),
    output:
        summary=results("summary.json"),
    log:
        results("logs/localise_source.log"),
    benchmark:
        results("benchmarks/localise_source.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=10),
        runtime=runtime_min(10, per_mb=0.01),
    params:
        config=config_file,
        settings=settings_of("localise"),
    message:
        "{wildcards.analysis}: best position and containment regions"
    shell:
        "skyquilt localise --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --maps {input.maps:q} --output {output.summary:q} 2> {log:q}"
