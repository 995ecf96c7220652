# For each analysis with `targets:`: spectra of a list of targets in bands of energy.


include: "../inputs/targets.smk"


rule prepare_target_data:
    input:
        data=data_files,
    output:
        problem=results("targets/problem.h5"),
    log:
        results("logs/prepare_target_data.log"),
    benchmark:
        results("benchmarks/prepare_target_data.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000),
        runtime=runtime_min(10, per_mb=0.002),
    params:
        config=config_file,
        settings=settings_of("target_problem"),
    message:
        "{wildcards.analysis}: data of the targets"
    shell:
        "skyquilt targets prepare --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {output.problem:q} 2> {log:q}"


rule fit_baseline:
    input:
        problem=results("targets/problem.h5"),
        sources=files_of("sources", "sources.fits"),
        rosters=roster_files,
    output:
        baseline=results("targets/baseline.h5"),
    log:
        results("logs/fit_baseline.log"),
    benchmark:
        results("benchmarks/fit_baseline.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=10),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("target_baseline"),
        sources=sources_argument,
    message:
        "{wildcards.analysis}: fluxes of listed sources"
    shell:
        "skyquilt targets baseline --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --problem {input.problem:q} {params.sources} --output {output.baseline:q} 2> {log:q}"


checkpoint list_targets:
    input:
        problem=results("targets/problem.h5"),
        baseline=results("targets/baseline.h5"),
        rosters=roster_files,
    output:
        plan=results("targets/plan.json"),
        table=results("targets/targets.ecsv"),
    log:
        results("logs/list_targets.log"),
    benchmark:
        results("benchmarks/list_targets.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=5),
        runtime=runtime_min(10, per_mb=0.02),
    params:
        config=config_file,
        settings=settings_of("target_list"),
        folder=target_folder,
    message:
        "{wildcards.analysis}: targets of all rosters"
    shell:
        "skyquilt targets list --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {params.folder:q} 2> {log:q}"


rule fit_targets:
    input:
        problem=results("targets/problem.h5"),
        baseline=results("targets/baseline.h5"),
        plan=results("targets/plan.json"),
    output:
        seds=results("targets/seds/{index}-of-{n_jobs}.h5"),
    log:
        results("logs/fit_targets/{index}-of-{n_jobs}.log"),
    benchmark:
        results("benchmarks/fit_targets/{index}-of-{n_jobs}.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=10),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("target_seds"),
        folder=target_folder,
    message:
        "{wildcards.analysis}: fitting targets, job {wildcards.index} of {wildcards.n_jobs}"
    shell:
        "skyquilt targets fit --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --job {wildcards.index} --folder {params.folder:q} --output {output.seds:q} 2> {log:q}"


rule merge_targets:
    input:
        problem=results("targets/problem.h5"),
        plan=results("targets/plan.json"),
        seds=target_files,
    output:
        fits=results("targets/seds.fits"),
        table=results("targets/seds.ecsv"),
        spectra=results("targets/spectra.ecsv"),
        folder=directory(results("targets/sed")),
    log:
        results("logs/merge_targets.log"),
    benchmark:
        results("benchmarks/merge_targets.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=10),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("seds"),
        folder=target_folder,
    message:
        "{wildcards.analysis}: spectra of all targets"
    shell:
        "skyquilt targets merge --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {params.folder:q} 2> {log:q}"


rule plot_targets:
    input:
        problem=results("targets/problem.h5"),
        plan=results("targets/plan.json"),
        seds=target_files,
        spectra=results("targets/spectra.ecsv"),
    output:
        plots=directory(results("targets/plots")),
    log:
        results("logs/plot_targets.log"),
    benchmark:
        results("benchmarks/plot_targets.tsv")
    conda:
        "../../envs/skyquilt.yaml"
    threads: 1
    resources:
        mem_mb=mem_mb(2000, per_mb=10),
        runtime=runtime_min(30, per_mb=0.1),
    params:
        config=config_file,
        settings=settings_of("target_plots"),
        folder=target_folder,
    message:
        "{wildcards.analysis}: figures of targets"
    shell:
        "skyquilt targets plot --config {params.config:q} --analysis {wildcards.analysis:q}"
        " --output {params.folder:q} 2> {log:q}"
