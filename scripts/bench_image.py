"""Measure the image's size and start-up: `scripts/bench_image.py [IMAGE]`, by default the one that `make container` builds.

Seconds count from the docker client's start, the least of several runs of the action on the demo's pull request, in a
container without network.
"""

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from metricgate.demo.project import MAIN, DemoProject, create_project

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from scripts.base_image import is_stand_in, read_base  # noqa: E402

RUNS = 7
SITE = "/opt/metricgate/lib/python3.13/site-packages"
MILLION = 1_000_000
# The log's first line; the line after inputs, event, Git and both policies are read; the line when the pipeline begins.
MOMENTS = {
    "MetricGate ": "to the first line",
    "::group::Candidate": "to the first step of the run",
    "running stage": "to the pipeline's first stage",
}


def main(image: str) -> int:
    if subprocess.run(["docker", "image", "inspect", image], check=False, capture_output=True).returncode:
        print(f"image: not measured, because there is no image {image} (make container builds it)")
        return 0
    size, (base, base_size) = compressed_size(image) / MILLION, measure_base()
    print(f"compressed                        {size:6.0f} MB, {size - base_size:.0f} without {base} ({base_size:.0f})")
    with tempfile.TemporaryDirectory() as folder:
        project = create_project(Path(folder) / "project")
        runs = [time_run(image, project, Path(folder) / f"run-{number}") for number in range(RUNS)]
    for text, moment in MOMENTS.items():
        print(f"seconds {moment:<26}{min(run[text] for run in runs):6.2f}")
    print(f"seconds to `python -c pass`       {measure_floor(image):6.2f}  (the engine's own part)")
    print("largest packages, MB unpacked:    " + ", ".join(largest_packages(image)))
    return 0


def measure_base() -> tuple[str, float]:
    """Return the name of the Dockerfile's base image, and its compressed size in MB."""
    name, _ = read_base()
    return ("the base's stand-in" if is_stand_in(name) else name), compressed_size(name) / MILLION


def compressed_size(image: str) -> int:
    """Return the size of all layers in bytes, compressed as registries keep them (gzip -6)."""
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        counter = Counter()
        with gzip.GzipFile(fileobj=counter, mode="wb", compresslevel=6) as packed:  # type: ignore[arg-type]
            while chunk := saving.stdout.read(MILLION):  # type: ignore[union-attr]
                packed.write(chunk)
    return counter.total


class Counter:
    """A file that only counts the bytes written to it."""

    total = 0

    def write(self, data: bytes) -> int:
        self.total += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: no byte is kept."""


def time_run(image: str, project: DemoProject, folder: Path) -> dict[str, float]:
    """Run the action on a copy of the project until its log shows every moment, and return the seconds to each."""
    workspace = folder / "workspace"
    shutil.copytree(project.repository, workspace, symlinks=True)
    event = folder / "event.json"
    event.write_text(json.dumps({"repository": {"default_branch": MAIN}}), encoding="utf-8")
    values = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_EVENT_PATH": "/event.json"}
    name = f"metricgate-bench-{time.monotonic_ns()}"
    command = ["docker", "run", "--rm", "--network", "none", "--name", name, "--workdir", "/github/workspace"]
    for key, value in {**values, "GITHUB_WORKSPACE": "/github/workspace", "GITHUB_REPOSITORY": "acme/churn"}.items():
        command += ["-e", f"{key}={value}"]
    for source, target in {
        workspace: "/github/workspace",
        event: "/event.json",
        project.remote: project.remote,
    }.items():
        command += ["-v", f"{source}:{target}"]
    found: dict[str, float] = {}
    started = time.monotonic()
    with subprocess.Popen([*command, image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
        for line in client.stdout or ():
            found |= {text: time.monotonic() - started for text in MOMENTS if text in line and text not in found}
            if len(found) == len(MOMENTS):
                subprocess.run(["docker", "kill", name], check=False, capture_output=True)
                return found
    raise SystemExit(f"the container's log never showed {set(MOMENTS) - set(found)}")


def measure_floor(image: str) -> float:
    times = []
    for _ in range(RUNS):
        started = time.monotonic()
        command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "/opt/metricgate/bin/python", image]
        subprocess.run([*command, "-c", "pass"], check=True)
        times.append(time.monotonic() - started)
    return min(times)


def largest_packages(image: str) -> list[str]:
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c"]
    listed = subprocess.run([*command, f"du -sm {SITE}/*"], check=True, capture_output=True, text=True).stdout
    sizes = sorted(((int(size), path.rsplit("/", 1)[1]) for size, path in map(str.split, listed.splitlines())))
    return [f"{name} {size}" for size, name in sizes[:-9:-1]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "metricgate-under-test"))
