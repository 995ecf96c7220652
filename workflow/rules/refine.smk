# Stage 4: the map made finer where the source may be.


rule refine_map:
    input:
        problem=results("problem.h5"),
        maps=results("maps.fits"),
    output:
        refined=results("refined.fits"),
    log:
        results("logs/refine_map.log"),
    benchmark:
        results("benchmarks/refine_map.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=10),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=refine_settings,
    message:
        "{wildcards.analysis}: refining the map"
    shell:
        "skyquilt refine --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --problem {input.problem:q} --maps {input.maps:q} --output {output.refined:q}"
        " --threads {threads} 2>&1 | tee {log:q}"
