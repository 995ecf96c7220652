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
        settings=settings_of_fit("model_fits"),
        folder=model_folder,
    message:
        "{wildcards.analysis}: fit {wildcards.fit} of the model"
    shell:
        "skyquilt model fit --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --fit {wildcards.fit:q} --output {params.folder:q} 2> {log:q}"


rule profile_model:
    input:
        problem=results("model/problem.h5"),
        fit=results("model/{fit}.h5"),
    output:
        profile=results("model/{fit}/profile-{part}-of-{n_parts}.h5"),
    log:
        results("logs/profile_model/{fit}-{part}-of-{n_parts}.log"),
    benchmark:
        results("benchmarks/profile_model/{fit}-{part}-of-{n_parts}.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=3),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of_fit("model_profiles"),
        folder=model_folder,
    message:
        "{wildcards.analysis}: profiles of fit {wildcards.fit}, part {wildcards.part} of {wildcards.n_parts}"
    shell:
        "skyquilt model profile --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --fit {wildcards.fit:q} --part {wildcards.part}/{wildcards.n_parts}"
        " --output {params.folder:q} 2> {log:q}"


rule sample_model:
    input:
        problem=results("model/problem.h5"),
        fit=results("model/{fit}.h5"),
    output:
        ensemble=results("model/{fit}/ensemble-{part}-of-{n_parts}.h5"),
    log:
        results("logs/sample_model/{fit}-{part}-of-{n_parts}.log"),
    benchmark:
        results("benchmarks/sample_model/{fit}-{part}-of-{n_parts}.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=3),
        runtime=runtime_min(120, per_mb=1),
    params:
        config=config_file,
        settings=settings_of_fit("model_ensembles"),
        folder=model_folder,
    message:
        "{wildcards.analysis}: samples of fit {wildcards.fit}, ensemble {wildcards.part} of {wildcards.n_parts}"
    shell:
        "skyquilt model sample --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --fit {wildcards.fit:q} --ensemble {wildcards.part} --output {params.folder:q} 2> {log:q}"


rule collect_samples:
    input:
        problem=results("model/problem.h5"),
        fit=results("model/{fit}.h5"),
        ensembles=ensembles,
    output:
        samples=results("model/{fit}-samples.h5"),
        table=results("model/{fit}-samples.ecsv"),
    log:
        results("logs/collect_samples/{fit}.log"),
    benchmark:
        results("benchmarks/collect_samples/{fit}.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=6),
        runtime=runtime_min(10),
    params:
        config=config_file,
        settings=settings_of_fit("model_samples"),
        folder=model_folder,
    message:
        "{wildcards.analysis}: samples of fit {wildcards.fit} joined"
    shell:
        "skyquilt model collect --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --fit {wildcards.fit:q} --output {params.folder:q} 2> {log:q}"


rule collect_model:
    input:
        problem=results("model/problem.h5"),
        fits=files_of_fits("model_fits", ".h5"),
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


rule plot_model:
    input:
        problem=results("model/problem.h5"),
        fits=files_of_fits("model_fits", ".h5"),
        profiles=files_of_fits("model_profiles"),
        samples=files_of_fits("model_samples", ".h5"),
    output:
        plots=directory(results("model/plots")),
    log:
        results("logs/plot_model.log"),
    benchmark:
        results("benchmarks/plot_model.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=6),
        runtime=runtime_min(10, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("model_plots"),
        folder=model_folder,
    message:
        "{wildcards.analysis}: figures of the model"
    shell:
        "skyquilt model plot --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {params.folder:q} 2> {log:q}"
