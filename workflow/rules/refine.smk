# Stage 4: the map made finer where the source may be; in steps of chunks if that is much work.


include: "../inputs/refine.smk"


checkpoint plan_refinement:
    input:
        problem=results("problem.h5"),
        maps=results("maps.fits"),
        steps=earlier_plans,
        chunks=earlier_chunks,
    output:
        plan=results("refine/{step}.json"),
    log:
        results("logs/plan_refinement/{step}.log"),
    benchmark:
        results("benchmarks/plan_refinement/{step}.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=5),
        runtime=runtime_min(10, per_mb=0.01),
    params:
        config=config_file,
        settings=settings_of("steps"),
    message:
        "{wildcards.analysis}: planning step {wildcards.step} of the refinement"
    shell:
        "skyquilt plan-refinement --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --problem {input.problem:q} --maps {input.maps:q} --output {output.plan:q}"
        " --steps {input.steps:q} 2> {log:q}"


use rule fit_chunk as fit_refinement with:
    input:
        problem=results("problem.h5"),
        plan=results("refine/{step}.json"),
    output:
        chunk=results("refine/{step}/{index}-of-{n_chunks}.h5"),
    log:
        results("logs/fit_refinement/{step}/{index}-of-{n_chunks}.log"),
    benchmark:
        results("benchmarks/fit_refinement/{step}/{index}-of-{n_chunks}.tsv")
    message:
        "{wildcards.analysis}: fitting chunk {wildcards.index} of {wildcards.n_chunks}, step {wildcards.step}"


rule refine_map:
    input:
        problem=results("problem.h5"),
        maps=results("maps.fits"),
        steps=refinement_plans,
        chunks=refinement_chunks,
        end=refinement_end,
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
        mem_mb=mem_mb(1000, per_mb=5),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("refined"),
    message:
        "{wildcards.analysis}: refining the map"
    shell:
        "skyquilt refine --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --problem {input.problem:q} --maps {input.maps:q} --output {output.refined:q}"
        " --threads {threads} --steps {input.steps:q} 2>&1 | tee {log:q}"
