"""Compare the CPU seconds of `metricgate run` with those of the DVC commands that people run today, as ratios in one run.

Usage: python scripts/bench_workspace.py [--files 100000] [--commits 200]
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from metricgate.demo.project import create_project

BIN = Path(sys.executable).parent
ENVIRONMENT = os.environ | {
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    "DVC_NO_ANALYTICS": "1",
    "PYTHONDONTWRITEBYTECODE": "",
    "OMP_NUM_THREADS": "1",  # threads that wait for a busy core would count as work
}
REPEATS = 3
CHAIN = ("pull", "repro", "metrics diff main", "params diff main", "plots diff main")


def measure(directory: Path, *commands: Sequence[str], allowed: tuple[int, ...] = (0,)) -> float:
    """Run commands one after another, and return the CPU seconds of all their processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for command in commands:
        done = subprocess.run(command, cwd=directory, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        if done.returncode not in allowed:
            sys.exit(f"{' '.join(command)} ended with {done.returncode} in {directory}:\n{done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def dvc(*arguments: str) -> list[str]:
    return [str(BIN / "dvc"), *arguments]


def git(*arguments: str) -> list[str]:
    return ["git", "-c", "user.name=Bench", "-c", "user.email=bench@example.org", *arguments]


RUN = [str(BIN / "metricgate"), "run"]


def clone(source: Path, target: Path, branch: str = "bigger-trees") -> Path:
    """Clone as CI does: without a DVC cache, and with a local branch main beside the one checked out."""
    measure(source, git("clone", "--quiet", "--branch", "main", str(source), str(target)))
    measure(target, git("checkout", "--quiet", branch))
    return target


def report(title: str, ours: float, theirs: float, aim: float, what: str) -> None:
    print(f"{title}: {ours:.2f} CPU s, {what} {theirs:.2f} CPU s: ratio {ours / theirs:.2f} (aim: at most {aim})")


def least(times: Iterable[float]) -> float:
    """Return the least of several runs, because a busy machine only ever adds time."""
    return min(times)


def bench_pull_request(project: Path, scratch: Path) -> None:
    """Measure a fresh clone of the branch that trains again, and its two stages alone."""
    chain, ours, stages = [], [], []
    for number in range(REPEATS):
        work = clone(project, scratch / f"chain-{number}")
        chain.append(measure(work, *(dvc(*command.split()) for command in CHAIN)))
        stages.append(measure(work, *([str(BIN / "python"), f"src/{stage}.py"] for stage in ("train", "evaluate"))))
        ours.append(measure(clone(project, scratch / f"ours-{number}"), RUN, allowed=(0, 1)))
    report("churn pull request, fresh clone", least(ours), least(chain), 0.7, f"dvc {'; '.join(CHAIN)}")
    own, theirs = least(ours) - least(stages), least(chain) - least(stages)
    print(f"  its two stages alone: {least(stages):.2f} CPU s; without them {own:.2f} and {theirs:.2f} CPU s")


def bench_unchanged(project: Path, scratch: Path) -> None:
    work = clone(project, scratch / "unchanged", "main")
    measure(work, dvc("pull", "--quiet"), git("checkout", "--quiet", "-b", "words"))
    (work / "NOTES.md").write_text("nothing the pipeline reads\n", encoding="utf-8")
    measure(work, git("add", "NOTES.md"), git("commit", "--quiet", "-m", "words"))
    status = least(measure(work, dvc("status")) for _ in range(REPEATS))
    ours = least(measure(work, RUN, allowed=(0, 1)) for _ in range(REPEATS))
    report("unchanged pull request", ours, status, 3, "dvc status")


def bench_files(project: Path, scratch: Path, files: int) -> None:
    """Add a DVC-tracked folder that no stage reads, and measure the unchanged pull request."""
    for count in (1, files):
        work = clone(project, scratch / f"files-{count}", "main")
        measure(work, dvc("pull", "--quiet"), git("checkout", "--quiet", "-b", "words"))
        folder = work / "images"
        folder.mkdir()
        for number in range(count):
            (folder / f"{number}.txt").write_text(str(number), encoding="utf-8")
        measure(work, dvc("add", "--quiet", "images"), git("add", "--all"), git("commit", "--quiet", "-m", "images"))
        ours = least(measure(work, RUN, allowed=(0, 1)) for _ in range(REPEATS))
        status = measure(work, dvc("status"))
        (work / "images/0.txt").write_text("another image", encoding="utf-8")
        measure(work, dvc("add", "--quiet", "images"), git("commit", "--quiet", "--all", "-m", "another image"))
        changed = least(measure(work, [*RUN, "--baseline", "HEAD~1"], allowed=(0, 1)) for _ in range(REPEATS))
        print(f"{count:,} tracked files: {ours:.2f} CPU s; one of them changed {changed:.2f}; dvc status {status:.2f}")
        shutil.rmtree(work)


def bench_history(project: Path, scratch: Path, commits: int) -> None:
    for count in (1, commits):
        work = clone(project, scratch / f"commits-{count}", "main")
        for number in range(count):
            (work / "NOTES.md").write_text(str(number), encoding="utf-8")
            measure(work, git("add", "--all"), git("commit", "--quiet", "-m", str(number)))
        measure(work, dvc("pull", "--quiet"), git("branch", "--quiet", "words", "HEAD"))
        near = least(measure(work, [*RUN, "--baseline", "HEAD~1"], allowed=(0, 1)) for _ in range(REPEATS))
        far = least(measure(work, [*RUN, "--baseline", f"HEAD~{count}"], allowed=(0, 1)) for _ in range(REPEATS))
        print(f"{count} commits: {near:.2f} CPU s against the last one, {far:.2f} against the first")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--commits", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="metricgate-bench-") as name:
        scratch = Path(name)
        project = create_project(scratch / "demo").repository
        bench_pull_request(project, scratch)
        bench_unchanged(project, scratch)
        bench_history(project, scratch, options.commits)
        bench_files(project, scratch, options.files)


if __name__ == "__main__":
    main()
