"""The machine that this process runs on: its name, its cores."""

import os


def host_name() -> str:
    """Name of the node as SLURM knows it, otherwise that of the machine."""
    return os.environ.get("SLURMD_NODENAME") or os.uname().nodename


def n_cores() -> int:
    """Cores that this process may use; batch systems grant some of the machine's."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
