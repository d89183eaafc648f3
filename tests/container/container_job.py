"""The same workflow with its step in the image: GitHub's runner, as far as a container action sees it.

Source: actions/runner, src/Runner.Worker/Handlers/ContainerActionHandler.cs and Container/DockerCommandManager.cs.
"""

import os
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from tests.e2e.workflow import Workflow

ACTION = YAML(typ="safe").load(Path(__file__).parents[2] / "action.yml")["runs"]
RUNNER_UID = 1001
SOCKET = "/var/run/docker.sock"
MOUNTS = {  # longest first, as the runner translates paths
    "workspace": "/github/workspace",
    "_temp/_runner_file_commands": "/github/file_commands",
    "_temp/_github_workflow": "/github/workflow",
    "_temp/_github_home": "/github/home",
    "_temp": "/github/runner_temp",
}


@dataclass
class ContainerJob(Workflow):
    """A job whose workspace and folders belong to the runner's user, and whose step is a container."""

    image: str = ""
    entrypoint: str = ""  # another program of the image, as action.yml's post-entrypoint
    container: str = ""  # the name of the one that was started last
    options: tuple[str, ...] = ()  # more of `docker run`, which GitHub's runner does not give and others do
    network: str = "host"  # the engine of the tests has no bridge; the fake GitHub listens on 127.0.0.1

    def open_pull_request(self) -> str:
        head = super().open_pull_request()
        # Without root we are an ordinary user already, as the runner is. The DVC remote is a folder here: it stands for
        # a bucket that the job's credentials can write.
        if os.geteuid() == 0:
            for path in (self.runner, self.churn.remote):
                subprocess.run(["chown", "-R", f"{RUNNER_UID}:{RUNNER_UID}", str(path)], check=True)
        return head

    def start(self, **inputs: str) -> subprocess.Popen[str]:
        """Start the step as the runner does, plus the origin's and the remote's folders, which stand for servers."""
        values = self.translate_environment(inputs)
        self.container = f"metricgate_{secrets.token_hex(3)}"
        command = [
            "docker",
            "run",
            "--name",
            self.container,
            "--label",
            "0a1b2c",
            "--workdir",
            "/github/workspace",
            "--rm",
        ]
        command += ["--entrypoint", self.entrypoint or ACTION["entrypoint"]]
        for name in values:
            command += ["-e", name]
        mounts = {str(self.runner / source): target for source, target in MOUNTS.items()}
        folders = (self.churn.repository, self.churn.remote)
        for source, target in {SOCKET: SOCKET, **mounts, **{str(path): str(path) for path in folders}}.items():
            command += ["-v", f"{source}:{target}"]
        return subprocess.Popen(
            [
                *command,
                *self.options,
                "--network",
                self.network,
                self.image,
                *(() if self.entrypoint else ACTION["args"]),
            ],
            cwd=self.workspace,
            env={**os.environ, **values},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def translate_environment(self, inputs: Mapping[str, str]) -> dict[str, str]:
        """Return the step's environment with the paths that the container sees."""
        given = {f"INPUT_{name.upper().replace('_', '-')}": value for name, value in inputs.items()}
        values = {name: self._translate(value) for name, value in {**self._env, **given}.items()}
        values |= {"HOME": "/github/home", "RUNNER_TEMP": "/github/runner_temp", "RUNNER_OS": "Linux"}
        return values | {"OMP_NUM_THREADS": "1"}

    def _translate(self, value: str) -> str:
        for source, target in MOUNTS.items():
            path = Path(value)
            if path.is_absolute() and path.is_relative_to(self.runner / source):
                return str(Path(target) / path.relative_to(self.runner / source))
        return value
