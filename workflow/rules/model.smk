# What the sources do: linked parameters over time bins, data sets and sources.


rule prepare_model_data:
    input:
        data=data_files,
    output:
        problem=results("model/problem.h5"),
    log:
        results("logs/prepare_model_data.log"),
    benchmark:
        results("benchmarks/prepare_model_data.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime_min(10, per_mb=0.002),
    params:
        config=config_file,
        settings=settings_of("model_problem"),
    message:
        "{wildcards.analysis}: time bins and data sets of the model"
    shell:
        "skyquilt model prepare --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {output.problem:q} 2> {log:q}"
