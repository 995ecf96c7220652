# Stage 3: chunks into maps.


rule merge_chunks:
    input:
        problem=results("problem.h5"),
        plan=results("plan.json"),
        chunks=chunk_files,
    output:
        maps=results("maps.fits"),
    log:
        results("logs/merge_chunks.log"),
    benchmark:
        results("benchmarks/merge_chunks.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=merge_mem_mb,
        runtime=runtime_min(10, per_mb=0.01),
    message:
        "{wildcards.analysis}: merging the chunks"
    shell:
        "skyquilt merge --problem {input.problem:q} --plan {input.plan:q} --output {output.maps:q}"
        " {input.chunks:q} 2> {log:q}"
