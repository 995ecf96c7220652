# Stage 4, for each analysis with `sources:`: the sources of its map.


include: "../inputs/sources.smk"


rule find_sources:
    input:
        problem=results("problem.h5"),
        maps=results("maps.fits"),
        catalogue=catalogue_file,
    output:
        table=results("sources.ecsv"),
        fits=results("sources.fits"),
    log:
        results("logs/find_sources.log"),
    benchmark:
        results("benchmarks/find_sources.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=5),
        runtime=runtime_min(60, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("sources"),
    message:
        "{wildcards.analysis}: sources"
    shell:
        "skyquilt sources --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --problem {input.problem:q} --maps {input.maps:q} --output {output.table:q}"
        " --threads {threads} 2>&1 | tee {log:q}"
