# As many jobs as a workflow of skyquilt, one after the other, that do nothing: what Snakemake itself
# takes for them. `--config jobs=N`; the third is a checkpoint, as the plan of an analysis.
N_JOBS = int(config["jobs"])
CHECKPOINT = 2


def made_before(number):
    """Input of a job: what the one before made."""

    def files(wildcards):
        if number - 1 == CHECKPOINT:
            return checkpoints.job_2.get().output
        return f"made/{number - 1}"

    return files if number else []


rule all:
    input:
        f"made/{N_JOBS - 1}",


for number in range(N_JOBS):
    if number == CHECKPOINT:

        checkpoint:
            name:
                f"job_{number}"
            input:
                made_before(number),
            output:
                f"made/{number}",
            log:
                f"logs/{number}.log",
            benchmark:
                f"benchmarks/{number}.tsv"
            shell:
                "touch {output} 2> {log}"

    else:

        rule:
            name:
                f"job_{number}"
            input:
                made_before(number),
            output:
                f"made/{number}",
            log:
                f"logs/{number}.log",
            benchmark:
                f"benchmarks/{number}.tsv"
            shell:
                "touch {output} 2> {log}"
