# Stage 5: where the source is.


rule localise_source:
    input:
        problem=results("problem.h5"),
        maps=results("maps.fits"),
        refined=results("refined.fits"),
    output:
        summary=results("summary.json"),
        skymap=results("skymap.multiorder.fits"),
        flat=results("skymap.fits"),
        regions=directory(results("regions")),
    log:
        results("logs/localise_source.log"),
    benchmark:
        results("benchmarks/localise_source.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=3),
        runtime=runtime_min(10, per_mb=0.01),
    params:
        config=config_file,
        settings=settings_of("localisation"),
        folder=results_folder,
    message:
        "{wildcards.analysis}: best position, posterior and regions"
    shell:
        "skyquilt localise --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --problem {input.problem:q} --maps {input.maps:q} --refined {input.refined:q}"
        " --output {params.folder:q} 2> {log:q}"
