# Stage 0, only with `simulation:`: the files of a simulated telescope and its sources.


include: "../inputs/simulate.smk"


rule simulate:
    input:
        maps=settings.simulation.paths(),
    output:
        files=simulated_files(),
    log:
        inputs("logs/simulate.log"),
    benchmark:
        inputs("benchmarks/simulate.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime_min(120),
    params:
        config=inputs_config(),
        settings=canonical_json(settings.simulation.model_dump(mode="json")),
    message:
        "simulating the files in {settings.simulation.folder}"
    shell:
        "skyquilt simulate --config {params.config:q} 2>&1 | tee {log:q}"
