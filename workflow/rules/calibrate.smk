# Stage 6, only with `calibrate:`: simulated skies, and what they say of the analysis.


include: "../inputs/calibrate.smk"


rule prepare_model:
    input:
        data=data_files,
        table=files_of("table"),
    output:
        model=results("model.h5"),
    log:
        results("logs/prepare_model.log"),
    benchmark:
        results("benchmarks/prepare_model.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime_min(10, per_mb=0.002),
    params:
        config=config_file,
        settings=settings_of("model"),
    message:
        "{wildcards.analysis}: model of all bins"
    shell:
        "skyquilt prepare --all-bins --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {output.model:q} 2> {log:q}"


rule simulate_skies:
    input:
        model=results("model.h5"),
    output:
        skies=results("skies/{kind}-{index}-of-{n_jobs}.h5"),
    log:
        results("logs/simulate_skies/{kind}-{index}-of-{n_jobs}.log"),
    benchmark:
        results("benchmarks/simulate_skies/{kind}-{index}-of-{n_jobs}.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=2),
        runtime=skies_runtime_min,
    params:
        config=config_file,
        settings=settings_of("skies"),
    message:
        "{wildcards.analysis}: simulating skies, {wildcards.kind} {wildcards.index} of {wildcards.n_jobs}"
    shell:
        "skyquilt simulate-skies --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --model {input.model:q} --kind {wildcards.kind} --job {wildcards.index}"
        " --output {output.skies:q} 2>&1 | tee {log:q}"


rule calibrate_analysis:
    input:
        model=results("model.h5"),
        skies=skies_files,
    output:
        summary=results("calibration.json"),
        table=results("calibration.h5"),
        plots=directory(results("calibration-plots")),
    log:
        results("logs/calibrate_analysis.log"),
    benchmark:
        results("benchmarks/calibrate_analysis.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(1000, per_mb=10),
        runtime=runtime_min(10),
    params:
        config=config_file,
        settings=settings_of("calibration"),
    message:
        "{wildcards.analysis}: p-value, detection and coverage from simulated skies"
    shell:
        "skyquilt calibrate --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --model {input.model:q} --output {output.summary:q} --table {output.table:q}"
        " --plots {output.plots:q} {input.skies:q} 2> {log:q}"
