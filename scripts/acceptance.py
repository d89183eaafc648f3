"""Run the acceptance tests with what they need: a Docker Engine, a registry, Chromium, an SSH server, Prometheus, Slurm.

As root on Debian, this script installs and starts what is missing. At the end it names what could not run, and why; only a
failing test makes the exit code non-zero. It passes its arguments to pytest: `scripts/acceptance.py tests/container -k cancel`.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from scripts.base_image import read_base  # noqa: E402

ENGINE = ROOT / "scripts/docker_engine.sh"
# Program to Debian package. Without its program, a test skips and names it.
PROGRAMS = {
    "chromium": "chromium",
    "munged": "munge",
    "npm": "npm",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "srun": "slurm-client",
    "sshd": "openssh-server",
}

# Their packages would start services, so they are unpacked. Newer releases have promtool in a package of its own.
UNPACKED = {
    "prometheus": ("prometheus", "promtool"),
    "prometheus-pushgateway": ("prometheus-pushgateway",),
    "docker-registry": ("docker-registry",),
}


def main(arguments: list[str]) -> int:
    install_programs()
    with tempfile.TemporaryDirectory() as folder, running_engine() as environment:
        environment |= {"PATH": f"{environment.get('PATH', os.defpath)}:{unpack_programs(Path(folder))}"}
        results = Path(folder) / "results.xml"
        code = run_tests(arguments, environment, results)
        report_skips(results)
    return code


def install_programs() -> None:
    missing = {program: package for program, package in PROGRAMS.items() if find_program(program) is None}
    if not missing:
        return
    if not is_debian_root():
        print(f"acceptance: {', '.join(missing)} not found. Only root on Debian can install them: {not_run()}")
        return
    packages = sorted(missing.values())
    print(f"acceptance: installing Debian's {', '.join(packages)} …", flush=True)
    # In runlevel 1, packages start no service.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *command], env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            print(f"acceptance: apt-get {command[0]} failed: {not_run()}\n{done.stderr[-2000:]}")
            return


def unpack_programs(folder: Path) -> Path:
    """Unpack what is missing of UNPACKED below ``folder``, and return where its programs are."""
    programs = folder / "usr/bin"
    missing = [names for program, names in UNPACKED.items() if find_program(program) is None]
    if not missing:
        return programs
    packages = [name for names in missing for name in names]
    if not is_debian_root():
        print(f"acceptance: {', '.join(packages)} not found. Only root on Debian can fetch them: {not_run()}")
        return programs
    print(f"acceptance: unpacking Debian's {', '.join(packages)} …", flush=True)
    for name in packages:
        subprocess.run(["apt-get", "download", name], cwd=folder, check=False, capture_output=True)
    for package in sorted(folder.glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, folder], check=False, capture_output=True)
    absent = [name for names in missing for name in names if not (programs / name).exists()]
    if absent:
        print(f"acceptance: {', '.join(absent)} could not be fetched: {not_run()}")
    return programs


def find_program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def is_debian_root() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and find_program("apt-get") is not None


def not_run() -> str:
    return "tests that need them will not run"


@contextlib.contextmanager
def running_engine() -> Iterator[dict[str, str]]:
    """Yield an environment in which `docker` answers, if possible; stop the engine if this function started it."""
    environment = dict(os.environ)
    if has_engine(environment):
        print("acceptance: using the running Docker Engine")
        ensure_base_image(environment)
        yield environment
        return
    if not is_debian_root():
        print(f"acceptance: no Docker Engine answers `docker info`. Only root on Debian can start one: {not_run()}")
        yield environment
        return
    started = subprocess.run([ENGINE, "start"], check=False, stdout=subprocess.PIPE, text=True)
    if started.returncode:
        print(f"acceptance: no Docker Engine could be started: {not_run()}")
        yield environment
        return
    name, _, value = started.stdout.strip().partition("=")
    environment |= {name: value}
    try:
        ensure_base_image(environment)
        yield environment
    finally:
        subprocess.run([ENGINE, "stop"], check=False)


def has_engine(environment: dict[str, str]) -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], env=environment, check=False, capture_output=True).returncode == 0


def ensure_base_image(environment: dict[str, str]) -> None:
    """Pull the Dockerfile's base image, or build a stand-in if that fails; do nothing unless root on Debian."""
    if is_debian_root():
        subprocess.run([ENGINE, "base", *read_base()], env=environment, check=False)


def run_tests(arguments: list[str], environment: dict[str, str], results: Path) -> int:
    workers = os.environ.get("WORKERS", "2")
    command = [sys.executable, "-m", "pytest", "-n", workers, "-m", "acceptance", f"--junitxml={results}", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def report_skips(results: Path) -> None:
    """Print each reason why acceptance tests did not run, and their names."""
    if not results.exists():
        return
    reasons: dict[str, list[str]] = {}
    cases = list(ET.parse(results).iter("testcase"))  # noqa: S314 - written by our own pytest a moment ago
    for case in cases:
        for skipped in case.iter("skipped"):
            reasons.setdefault(skipped.get("message", ""), []).append(f"{case.get('classname')}::{case.get('name')}")
    if not reasons:
        print(f"acceptance: everything ran ({len(cases)} tests)")
        return
    print("\n" + "=" * 100)
    for reason, names in sorted(reasons.items()):
        print(f"NOT RUN ({len(names)} tests): {reason}")
        for name in sorted(names):
            print(f"    {name}")
    print("=" * 100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
