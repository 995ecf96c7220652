# Stage 1, per instrument: its files into problem.h5.


include: "../inputs/prepare.smk"


rule contract_response:
    input:
        responses=response_files,
    output:
        table=results("table.json"),
    log:
        results("logs/contract_response.log"),
    benchmark:
        results("benchmarks/contract_response.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1500),
        runtime=runtime_min(10, per_mb=0.002),
    params:
        config=config_file,
        settings=settings_of("table"),
    message:
        "{wildcards.analysis}: response times spectrum"
    shell:
        "skyquilt contract --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {output.table:q} 2> {log:q}"


rule prepare_problem:
    input:
        data=data_files,
        table=files_of("table"),
    output:
        problem=results("problem.h5"),
    log:
        results("logs/prepare_problem.log"),
    benchmark:
        results("benchmarks/prepare_problem.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime_min(10, per_mb=0.002),
    params:
        config=config_file,
        settings=settings_of("problem"),
    message:
        "{wildcards.analysis}: data and table into a fit problem"
    shell:
        "skyquilt prepare --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {output.problem:q} 2> {log:q}"
