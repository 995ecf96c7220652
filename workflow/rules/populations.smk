# For each analysis with `populations:`: which population the events come from.


include: "../inputs/populations.smk"


rule prepare_populations:
    input:
        data=data_files,
    output:
        problem=results("populations/problem.h5"),
    log:
        results("logs/prepare_populations.log"),
    benchmark:
        results("benchmarks/prepare_populations.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime_min(10, per_mb=0.002),
    params:
        config=config_file,
        settings=settings_of("population_problem"),
    message:
        "{wildcards.analysis}: events of the populations"
    shell:
        "skyquilt populations prepare --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {output.problem:q} 2> {log:q}"


rule marginalise_populations:
    input:
        problem=results("populations/problem.h5"),
        files=population_files,
    output:
        densities=results("populations/densities.h5"),
    log:
        results("logs/marginalise_populations.log"),
    benchmark:
        results("benchmarks/marginalise_populations.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=10),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("densities"),
    message:
        "{wildcards.analysis}: densities of the populations"
    shell:
        "skyquilt populations marginalise --config {params.config:q}"
        " --analysis {wildcards.analysis:q} --problem {input.problem:q}"
        " --output {output.densities:q} 2> {log:q}"


rule infer_populations:
    input:
        densities=results("populations/densities.h5"),
    output:
        summary=results("populations/populations.json"),
        posterior=results("populations/posterior.h5"),
    log:
        results("logs/infer_populations.log"),
    benchmark:
        results("benchmarks/infer_populations.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=10),
        runtime=runtime_min(60, per_mb=0.5),
    params:
        config=config_file,
        settings=settings_of("population_fits"),
        folder=population_folder,
    message:
        "{wildcards.analysis}: fractions of the populations"
    shell:
        "skyquilt populations infer --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {params.folder:q} 2> {log:q}"


rule classify_events:
    input:
        problem=results("populations/problem.h5"),
        densities=results("populations/densities.h5"),
        posterior=results("populations/posterior.h5"),
    output:
        classes=results("populations/classes.fits"),
    log:
        results("logs/classify_events.log"),
    benchmark:
        results("benchmarks/classify_events.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=10),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("classes"),
        folder=population_folder,
    message:
        "{wildcards.analysis}: probabilities of the events"
    shell:
        "skyquilt populations classify --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --folder {params.folder:q} --output {output.classes:q} 2> {log:q}"
