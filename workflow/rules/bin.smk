# Stage 0, for each entry of `binning:`: unbinned events into a histogram.

for name, binning in settings.binning.items():

    rule:
        name:
            f"bin_events_{name}"
        input:
            events=os.path.normpath(binning.events),
            orientation=[os.path.normpath(path) for path in binning.paths()[1:]],
        output:
            histogram=os.path.normpath(binning.output),
        log:
            inputs(f"logs/bin_events/{name}.log"),
        benchmark:
            inputs(f"benchmarks/bin_events/{name}.tsv")
        conda:
            "../../envs/skyquilt.yaml"
        threads: 1
        resources:
            mem_mb=mem_mb(1000),
            runtime=runtime_min(10, per_mb=0.02),
        params:
            config=inputs_config(),
            binning=name,
            settings=canonical_json(binning.model_dump(mode="json")),
        message:
            "binning {input.events}"
        shell:
            "skyquilt bin-events --config {params.config:q} --binning {params.binning:q} 2> {log:q}"
