"""A real SLURM on this machine for the tests: munged, slurmctld, and several slurmd as its nodes.

Needs root and Debian's packages (`why_not` installs them); no systemd, no accounting. All files,
sockets and logs lie in one folder, ports are free ones on the loopback. Every process that is
started is recorded with its number, and ended by it, and only if it still runs that program.

    python tests/cluster/lab.py FOLDER up      start; then: . FOLDER/env.sh
    python tests/cluster/lab.py FOLDER down    cancel all jobs, end all processes
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")
NODES = ("n1", "n2", "n3")
CPUS = 2  # per node; SLURM is told so, whatever the machine has
MEMORY_MB = 4000  # per node
PARTITION, URGENT = "main", "urgent"  # jobs of the second one take the place of others

_CLIENTS = ("srun", "sbatch", "squeue", "scancel", "scontrol", "sinfo", "sacct")
_CONFIGURATION = """\
ClusterName=lab
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.sock
CredType=cred/munge
MpiDefault=pmi2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
KillOnBadExit=1
SlurmdParameters=config_overrides
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
SlurmctldDebug=info
SlurmdDebug=info
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=0,defer_batch
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/log/jobs.log
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,UsePss
AccountingStorageType=accounting_storage/none
SlurmctldTimeout=60
SlurmdTimeout=60
KillWait=2
OverTimeLimit=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
EnforcePartLimits=ALL
MinJobAge=3600
FirstJobId={first_job}
JobRequeue=1
"""


def why_not() -> str:
    """Install the packages that are missing; the reason why SLURM cannot run here, "" if it can."""
    if os.geteuid() != 0:
        return "SLURM of the tests needs root"
    missing = _missing()
    if not missing:
        return ""
    if shutil.which("apt-get") is None:
        return f"no apt-get to install {', '.join(missing)}"
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing]
    command += ["-o", "DPkg::Lock::Timeout=300"]  # several processes of tests may want them
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    return f"{' '.join(command)} failed (is `apt-get update` needed?): {done.stderr.strip()}"


def _missing() -> list[str]:
    state = ("dpkg-query", "--show", "--showformat=${db:Status-Status}")
    return [
        name
        for name in PACKAGES
        if subprocess.run([*state, name], capture_output=True, text=True).stdout != "installed"
    ]


def wait_until(condition: Callable[[], bool], what: str, limit_s: float = 300.0) -> None:
    """Wait for a condition, and raise if it does not come true, even on a busy machine."""
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {limit_s:g} s")
        time.sleep(0.1)


class Lab:
    """A SLURM of several nodes, all of them on this machine.

    Parameters
    ----------
    folder : Path
        Place of everything it writes.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.configuration = folder / "etc/slurm.conf"

    def up(self) -> None:
        """Start what is not running, and wait until all nodes take jobs."""
        for name in ("etc", "state", "spool", "log", "run", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if not self.configuration.exists():
            self._configure()
        self._start_munge()
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        wait_until(lambda: self.states() == ["idle"] * len(NODES), "idle nodes")

    def down(self) -> None:
        """Cancel all jobs, so that no step outlives its node, and end all processes."""
        if not self.configuration.exists():
            return
        if self._pid("slurmctld.pid", "slurmctld"):
            self.cancel_all()
        for node in NODES:
            self.stop_node(node)
        self.stop_controller()
        self._stop("munged.pid", "munged")

    def environment(self) -> dict[str, str]:
        """Environment in which SLURM's commands talk to this SLURM."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"PATH": path, "SLURM_CONF": str(self.configuration)}

    def call(self, *command: str) -> str:
        """Output of one of SLURM's commands."""
        done = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout.strip()

    def states(self) -> list[str]:
        """State of each node; none while the controller does not answer."""
        with contextlib.suppress(subprocess.SubprocessError):
            command = ("sinfo", "--noheader", "--Node", "--partition", PARTITION, "--format=%T")
            return self.call(*command).split()
        return []

    def jobs(self) -> list[dict[str, str]]:
        """Jobs that are waiting or running, oldest first."""
        text = self.call("squeue", "--noheader", "--format=%i|%T|%k|%N", "--sort=i")
        names = ("id", "state", "comment", "nodes")
        return [dict(zip(names, line.split("|"), strict=True)) for line in text.splitlines()]

    def state_of(self, number: str) -> str:
        """State of a job that waits or runs, "" of others."""
        return next((job["state"] for job in self.jobs() if job["id"] == number), "")

    def cancel_all(self) -> None:
        """Cancel all jobs and wait for their end."""
        ids = [job["id"] for job in self.jobs()]
        if ids:
            self.call("scancel", *ids)
            wait_until(lambda: not self.jobs(), "end of the cancelled jobs")

    def start_controller(self) -> None:
        """Start slurmctld."""
        if not self._pid("slurmctld.pid", "slurmctld"):
            self._run("slurmctld", "-f", str(self.configuration))
            wait_until(self._answers, "answer of slurmctld")

    def stop_controller(self) -> None:
        """End slurmctld; jobs run on."""
        self._stop("slurmctld.pid", "slurmctld")

    def start_node(self, node: str) -> None:
        """Start the slurmd of a node."""
        if not self._pid(f"slurmd-{node}.pid", "slurmd"):
            self._run("slurmd", "-f", str(self.configuration), "-N", node)

    def stop_node(self, node: str) -> None:
        """End the slurmd of a node; steps that run on it are left alone."""
        self._stop(f"slurmd-{node}.pid", "slurmd")

    def crash_node(self, node: str) -> None:
        """End a node as a power failure does: its slurmd and all it started are gone at once."""
        slurmd = psutil.Process(self._pid(f"slurmd-{node}.pid", "slurmd"))
        for process in [slurmd, *self._steps_of(node)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                maps = process.memory_maps()
                process.kill()
                for part in maps:  # the memory that a node's processes share does not outlive it
                    if part.path.startswith("/dev/shm/"):
                        Path(part.path).unlink(missing_ok=True)
        # what SLURM finds out by itself after SlurmdTimeout
        self.call("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=crash")

    def _steps_of(self, node: str) -> Iterator[psutil.Process]:
        """Processes of all steps on a node: each slurmstepd of this SLURM, and what it started."""
        wanted = {"SLURMD_NODENAME": node, "SLURM_CONF": str(self.configuration)}
        for step in psutil.process_iter(["name"]):
            if step.info["name"] == "slurmstepd":
                with contextlib.suppress(psutil.NoSuchProcess):
                    tasks = step.children(recursive=True)
                    if any(wanted.items() <= task.environ().items() for task in tasks):
                        yield from (step, *tasks)

    def _configure(self) -> None:
        ports = _free_ports(1 + len(NODES))
        host = socket.gethostname().split(".")[0]
        # MPICH names its shared memory after the job, and what was killed leaves it behind: numbers
        # must not come again in the next lab.
        first = 1000 + secrets.randbelow(10_000_000)
        text = _CONFIGURATION.format(host=host, port=ports[0], folder=self.folder, first_job=first)
        for node, port in zip(NODES, ports[1:], strict=True):
            text += (
                f"NodeName={node} NodeAddr=127.0.0.1 NodeHostName={host} Port={port} CPUs={CPUS} "
                f"RealMemory={MEMORY_MB} State=UNKNOWN\n"
            )
        for partition, priority, default in ((PARTITION, 1, "YES"), (URGENT, 2, "NO")):
            text += (
                f"PartitionName={partition} Nodes={','.join(NODES)} Default={default} MaxTime=600 "
                f"DefaultTime=10 DefMemPerCPU=500 PriorityTier={priority} State=UP\n"
            )
        self.configuration.write_text(text)
        key = self.folder / "etc/munge.key"
        key.touch(mode=0o400)
        key.write_bytes(secrets.token_bytes(1024))
        # Inside its jobs the plugin takes all SLURM_* variables away; these put the place of the
        # configuration back, which on a cluster is where SLURM looks anyway.
        for name in _CLIENTS:
            program = shutil.which(name, path="/usr/bin:/bin")
            script = self.folder / "bin" / name
            script.write_text(f'#!/bin/sh\nSLURM_CONF="{self.configuration}" exec {program} "$@"\n')
            script.chmod(0o755)
        (self.folder / "env.sh").write_text(
            f'export SLURM_CONF="{self.configuration}" PATH="{self.folder}/bin:$PATH"\n'
        )

    def _start_munge(self) -> None:
        socket_path = self.folder / "run/munge.sock"
        if not self._pid("munged.pid", "munged"):
            self._run(
                "munged",
                "--force",
                f"--key-file={self.folder}/etc/munge.key",
                f"--socket={socket_path}",
                f"--pid-file={self.folder}/run/munged.pid",
                f"--log-file={self.folder}/log/munged.log",
                f"--seed-file={self.folder}/run/munge.seed",
            )
        wait_until(socket_path.exists, "socket of munged")

    def _answers(self) -> bool:
        with contextlib.suppress(subprocess.SubprocessError):
            return "UP" in self.call("scontrol", "ping")
        return False

    def _run(self, *command: str) -> None:
        """Start a daemon; it puts itself into the background and writes its number."""
        environment = {
            name: value
            for name, value in self.environment().items()
            if name not in ("PYTHONUNBUFFERED", "VIRTUAL_ENV")
        }
        with (self.folder / "log" / f"{command[0]}.err").open("a") as log:
            subprocess.run(
                command,
                env=environment,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                timeout=60,
            )

    def _pid(self, record: str, program: str) -> int:
        """Recorded process number, 0 if that process does not run this program (any more)."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.folder / "run" / record).read_text())
            if Path(os.readlink(f"/proc/{pid}/exe")).name.startswith(program):  # slurmd-wlm
                return pid
        return 0

    def _stop(self, record: str, program: str) -> None:
        pid = self._pid(record, program)
        if pid:
            os.kill(pid, signal.SIGTERM)
            try:
                wait_until(lambda: not self._pid(record, program), f"end of {program}", 30)
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
        (self.folder / "run" / record).unlink(missing_ok=True)


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for item in sockets:
            item.bind(("127.0.0.1", 0))
        return [item.getsockname()[1] for item in sockets]


def main(folder: str, action: str) -> None:
    lab = Lab(Path(folder).resolve())
    if action == "up":
        reason = why_not()
        if reason:
            sys.exit(reason)
        lab.up()
        print(lab.call("sinfo", "--Node", "--long"))
        print(f". {lab.folder}/env.sh")
    else:
        lab.down()


if __name__ == "__main__":
    main(*sys.argv[1:])
