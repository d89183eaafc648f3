"""Slurm on one node, from Debian's packages: its three daemons on loopback, each ended by its own handle."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.monitoring.servers import choose_port, wait_for

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun")
CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
SlurmUser=root
SlurmdUser=root
SlurmctldPort={controller}
SlurmdPort={node}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
MpiDefault=none
SwitchType=switch/none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class Slurm:
    """A cluster of one node. ``configuration`` is what SLURM_CONF names."""

    configuration: Path

    def list_jobs(self, name: str) -> list[str]:
        """Return the states of the jobs of this name, the finished ones too, in the order of their numbers."""
        listed = self._ask("scontrol", "show", "jobs", "--oneliner").splitlines()
        fields = [dict(part.partition("=")[::2] for part in line.split()) for line in listed]
        return [job["JobState"] for job in fields if job.get("JobName") == name]

    def is_idle(self) -> bool:
        return self._ask("sinfo", "--noheader", "--format=%t").strip() == "idle"

    def _ask(self, *command: str) -> str:
        environment = os.environ | {"SLURM_CONF": str(self.configuration)}
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        return done.stdout


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """Yield a running cluster."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root, and {', '.join(missing) or 'nothing else'}")
    folder = tmp_path_factory.mktemp("slurm")
    for name, mode in {"munge": 0o700, "state": 0o700, "spool": 0o755}.items():
        (folder / name).mkdir(mode=mode)
    key = folder / "munge/key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    ports = {"controller": choose_port(), "node": choose_port()}
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, host=host, **ports), encoding="utf-8")
    environment = os.environ | {"PATH": path, "SLURM_CONF": str(configuration)}
    places = [
        f"--{name}={folder}/munge/{name.partition('-')[0]}" for name in ("socket", "pid-file", "log-file", "seed-file")
    ]
    cluster = Slurm(configuration)
    with contextlib.ExitStack() as stack:
        munged = ["munged", "--foreground", "--force", f"--key-file={key}", *places]
        for command in (munged, ["slurmctld", "-D", "-c"], ["slurmd", "-D"]):
            stack.enter_context(_running(command, environment, folder / f"{command[0]}.log"))
            if command == munged:
                wait_for("munged", (folder / "munge/socket").exists)
        wait_for("the node", cluster.is_idle)
        yield cluster


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)
