# Stage 2: the pixels, chunk by chunk.


include: "../inputs/fit.smk"


checkpoint plan_sky:
    input:
        problem=results("problem.h5"),
    output:
        plan=results("plan.json"),
    log:
        results("logs/plan_sky.log"),
    benchmark:
        results("benchmarks/plan_sky.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=2),
        runtime=runtime_min(10),
    params:
        config=config_file,
        settings=settings_of("plan"),
    message:
        "{wildcards.analysis}: planning the chunks"
    shell:
        "skyquilt plan --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --problem {input.problem:q} --output {output.plan:q} 2> {log:q}"


rule fit_chunk:
    input:
        problem=results("problem.h5"),
        plan=results("plan.json"),
    output:
        chunk=results("chunks/{index}-of-{n_chunks}.h5"),
    log:
        results("logs/fit_chunk/{index}-of-{n_chunks}.log"),
    benchmark:
        results("benchmarks/fit_chunk/{index}-of-{n_chunks}.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: fit_threads
    resources:
        tasks=1,
        mem_mb_per_cpu=mem_mb(1000, per_mb=1),
        runtime=fit_runtime_min,
    params:
        launcher=launcher,
        options=fit_options,
    message:
        "{wildcards.analysis}: fitting chunk {wildcards.index} of {wildcards.n_chunks}"
    shell:
        "{params.launcher} skyquilt fit-chunk --problem {input.problem:q} --plan {input.plan:q}"
        " --chunk {wildcards.index} --output {output.chunk:q} {params.options} 2>&1 | tee {log:q}"
