# What the sources do: linked parameters over time bins, data sets and sources.


include: "../inputs/model.smk"


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


rule fit_model:
    input:
        problem=results("model/problem.h5"),
        earlier=earlier_fit,
        summary=best_position,
    output:
        fit=results("model/{fit}.h5"),
        table=results("model/{fit}.ecsv"),
        bins=results("model/{fit}-bins.ecsv"),
    log:
        results("logs/fit_model/{fit}.log"),
    benchmark:
        results("benchmarks/fit_model/{fit}.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=3),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of_fit,
        folder=model_folder,
    message:
        "{wildcards.analysis}: fit {wildcards.fit} of the model"
    shell:
        "skyquilt model fit --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --fit {wildcards.fit:q} --output {params.folder:q} 2> {log:q}"


rule collect_model:
    input:
        problem=results("model/problem.h5"),
        fits=model_files,
    output:
        comparison=results("model/comparison.json"),
    log:
        results("logs/collect_model.log"),
    benchmark:
        results("benchmarks/collect_model.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=3),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("model_comparison"),
        folder=model_folder,
    message:
        "{wildcards.analysis}: fits of the model compared"
    shell:
        "skyquilt model collect --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {params.folder:q} 2> {log:q}"
