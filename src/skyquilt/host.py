"""Name of the machine that this process runs on."""

import os


def host_name() -> str:
    """Name of the node as SLURM knows it, otherwise that of the machine."""
    return os.environ.get("SLURMD_NODENAME") or os.uname().nodename
