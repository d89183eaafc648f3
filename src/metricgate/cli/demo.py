"""`metricgate demo`: the whole product on real data, in a new folder."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from metricgate.demo.project import DemoProject
    from metricgate.processes.progress import Progress
    from metricgate.report.value import Report


@click.command(name="demo")
@click.argument("directory", type=click.Path(path_type=Path), required=False)
@click.option("--monitor", "watches", is_flag=True, help="Watch the released model through two months instead.")
@click.option(
    "--llm", "is_llm", is_flag=True, help="A prompt and 120 questions, with simulated answers: no key needed."
)
def command(*, directory: Path | None, watches: bool, is_llm: bool) -> int:
    """Create a churn project with Git and DVC and a pull request that makes its model worse, and judge it.

    With --monitor, watch the released model instead: a month in which nothing happened, and one after a new price.
    DIRECTORY must be new or empty. The default is metricgate-demo, or the next free name.
    """
    if is_llm and watches:
        raise click.UsageError("--llm and --monitor are two demos: choose one.")
    from metricgate.cli.terminal_output import print_report  # noqa: PLC0415  `--help` stays quick
    from metricgate.cli.terminal_progress import TerminalProgress  # noqa: PLC0415
    from metricgate.demo.project import create_project, find_free_directory  # noqa: PLC0415
    from metricgate.demo.question_project import create_question_project  # noqa: PLC0415
    from metricgate.processes.signals import raise_on_signals  # noqa: PLC0415
    from metricgate.publish.files import write_report  # noqa: PLC0415
    from metricgate.run import Request, run  # noqa: PLC0415

    progress = TerminalProgress()
    # The stages call `python`: let it be this one, which has scikit-learn.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    # More threads do not train 5,634 rows faster, and are many times slower where other programs use the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with raise_on_signals():
        place = directory or find_free_directory(Path.cwd())
        if is_llm:
            with progress.step("Create a project of questions: Git, a prompt, simulated answers, a pull request"):
                project = create_question_project(place)
        else:
            with progress.step("Create a churn project: Git, DVC, a remote, a trained main, a pull request"):
                # Nothing is installed for a demo, which also runs offline.
                project = create_project(place, names_requirements=True, runs_tests=find_spec("pytest") is not None)
        if watches:
            return _watch_months(project, progress)
        progress.line(f"Now in {project.repository}, on branch {project.branch}: metricgate run")
        request = Request(directory=project.repository, output=project.repository / "metricgate-report")
        report = run(request, progress)
    files = write_report(report, request.output)
    click.echo()
    print_report(report)
    _print_next_steps(project.repository, files.html, "prompts/answer.txt" if is_llm else "params.yaml")
    return choose_exit_code(report)


def _watch_months(project: "DemoProject", progress: "Progress") -> int:
    """Watch both months, print both reports, and return 0 if the second alone drifted."""
    from metricgate.cli.terminal_output import print_report  # noqa: PLC0415  as above
    from metricgate.demo.months import CURRENT, QUIET, SHIFTED, write_months  # noqa: PLC0415
    from metricgate.models.outcome import Verdict  # noqa: PLC0415
    from metricgate.monitoring.story import WatchRequest, watch_release  # noqa: PLC0415
    from metricgate.publish.files import write_report  # noqa: PLC0415

    write_months(project)
    output, verdicts = project.repository / "metricgate-report", []
    for month in (QUIET, SHIFTED):
        (project.repository / CURRENT).write_bytes((project.repository / month).read_bytes())
        progress.line(f"Now in {project.repository}: cp {month} {CURRENT}; metricgate monitor")
        report = watch_release(WatchRequest(directory=project.repository, output=output), progress)
        click.echo()
        print_report(report)
        verdicts.append(report.verdict)
    click.echo(f"\nThe report of the second month: {write_report(report, output).html}")
    return int(verdicts != [Verdict.PASSED, Verdict.FAILED])


def choose_exit_code(report: "Report") -> int:
    """Return 0 if the worse model was blocked, as it should be; else the run's own code, and 1 where that is 0."""
    from metricgate.models.outcome import Verdict  # noqa: PLC0415

    return 0 if report.verdict is Verdict.FAILED else report.exit_code or 1


def _print_next_steps(repository: Path, preview: Path, changed: str) -> None:
    click.echo(
        f"""
This was a real run. The worse model was blocked, as it should be, so the demo succeeded (exit code 0).

  The report, for people:     {preview}
  The report, for machines:   {preview.parent / "report.json"}

Try next:
  cd {repository}
  git diff main                            # what the pull request changes
  metricgate preview                       # open the report in a browser
  git checkout main -- {changed:<20}# undo the change …
  metricgate run                           # … and see it pass
"""
    )
