# Stage 0, with `showers:`: each raw run into images, parameters, showers.


include: "../inputs/showers.smk"


rule reconstruct_showers:
    input:
        run=raw_run,
    output:
        showers=os.path.join(settings.results, FOLDER, "{runs}", "runs", "{run}.h5"),
    log:
        os.path.join(settings.results, FOLDER, "{runs}", "logs", "{run}.log"),
    benchmark:
        os.path.join(settings.results, FOLDER, "{runs}", "benchmarks", "{run}.tsv")
    group:
        "showers"
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000),
        runtime=runtime_min(5, per_mb=0.02),
    params:
        config=inputs_config(),
        settings=shower_settings,
        folder=lambda wildcards: runs_folder(settings, wildcards.runs),
    message:
        "showers of {input.run}"
    shell:
        "skyquilt showers reconstruct --config {params.config:q} --runs {wildcards.runs:q}"
        " --file {input.run:q} --output {params.folder:q} 2> {log:q}"
