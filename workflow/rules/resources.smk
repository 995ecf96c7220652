# What a job needs: memory, time, ranks and cores.
#
# The jobs of config/demo.yaml take 70 to 340 MB, nearly all of it for the libraries, and seconds
# (their benchmark files, Xeon, 2026). The numbers in the rules are three times that or more, for
# inputs of any size; a job that needs more gets it at the next attempt.
import shlex


def size_mb(files):
    """Size of the input [MB]; while a file is not made yet, Snakemake asks again later."""
    return sum(map(os.path.getsize, files)) / 1e6


def mem_mb(program, per_mb=0.0):
    """Function of the memory of a job [MB]: the program, and a multiple of the input."""

    def needed(wildcards, input, attempt):
        return round(attempt * (program + per_mb * size_mb(input)))

    return needed


def merge_mem_mb(wildcards, input, attempt):
    """Memory of merging [MB]: that of two chunks and of what follows from them, not of the map.

    A chunk takes 1.3 times its file (`benchmarks/run.py peakmem_merge`).
    """
    return round(attempt * (1000 + 3 * max(size_mb([file]) for file in input)))


def runtime_min(start, per_mb=0.0):
    """Function of the time limit of a job [min]: the start, and a time per MB of the input."""

    def needed(wildcards, input, attempt):
        return round(attempt * (start + per_mb * size_mb(input)))

    return needed


def fit_runtime_min(wildcards, input, attempt, threads):
    """Time limit of a chunk [min]; more at each attempt.

    At most, a pixel adds up all rows of the problem, and each number has 4 bytes. One core takes
    1 ns for a number that comes from memory (measured, Xeon, 2026). Cores share the pixels, but
    also the memory of their node: where there are several, each counts half. The limit is four
    times the estimate.

    `threads` are the cores of the whole job. Each profile sets them beside its ranks, because
    Snakemake does not tell a resource about the others.
    """
    nside = settings.analyses[wildcards.analysis].map.nside
    n_pixels = 12 * nside**2 / int(wildcards.n_chunks)
    seconds = n_pixels * size_mb(input) * 1e6 / 4 * 1e-9
    return round(attempt * (10 + 4 * seconds / max(1, threads / 2) / 60))


def skies_runtime_min(wildcards, input, attempt):
    """Time limit of a job of simulated skies [min]; more at each attempt.

    A pixel of a sky takes a time per bin of the model: 2 to 4 ns for the hit ones (see
    `skyquilt.fit.plan`), which are fewer; the limit is five times that.
    """
    analysis = settings.analyses[wildcards.analysis]
    options = analysis.calibrate
    n_pixels = options.skies_per_job * 12 * (options.nside or analysis.map.nside) ** 2
    n_bins = size_mb(input) * 1e6 / 4 / 768
    return round(attempt * (10 + 20e-9 * n_bins * n_pixels / 60))


def fit_threads(wildcards):
    """Cores of a chunk on one machine: one, or all for a chunk that is the only one of the run.

    A job on another machine has the cores that it asked for, not those of the machine.
    """
    is_alone = len(settings.analyses) == int(wildcards.n_chunks) == 1
    is_here = workflow.local_exec and not workflow.remote_exec
    return workflow.cores if is_alone and is_here else 1


def launcher(wildcards, resources):
    """Start of the command of a chunk: the MPI launcher; nothing for one rank without one."""
    program = resources.get("mpi", "" if resources.tasks == 1 else "mpiexec")
    return f"{program} -n {resources.tasks}" if program else ""


def rank_cores(ranks, cpus_per_task, threads):
    """Cores of a rank: as many as a profile for SLURM says, or its part of those of the job."""
    return cpus_per_task or max(1, threads // ranks)


def fit_options(wildcards, threads, resources):
    """Ranks and cores of a chunk, and where it keeps copies, as options of `skyquilt fit-chunk`."""
    ranks = resources.tasks
    cores = rank_cores(ranks, resources.get("cpus_per_task"), threads)
    options = f"--threads {cores}" + (f" --mpi --ranks {ranks}" if ranks > 1 else "")
    scratch = resources.get("scratch")
    return options + (f" --scratch {shlex.quote(scratch)}" if scratch else "")
