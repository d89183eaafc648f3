"""`metricgate demo`: the whole product on real data, in a new folder."""

import os
import sys
from pathlib import Path

import click


@click.command(name="demo")
@click.argument("directory", type=click.Path(path_type=Path), required=False)
def command(directory: Path | None) -> int:
    """Create a churn project under Git and DVC with a pull request that makes its model worse, and judge it.

    DIRECTORY must be new; by default it is metricgate-demo, or the next free name.
    """
    from metricgate.cli.console import TerminalProgress, print_report  # noqa: PLC0415  `--help` stays quick
    from metricgate.demo.project import create_project, find_free_directory  # noqa: PLC0415
    from metricgate.models.outcome import Verdict  # noqa: PLC0415
    from metricgate.processes.signals import raise_on_signals  # noqa: PLC0415
    from metricgate.publish.files import write_report  # noqa: PLC0415
    from metricgate.run import Request, run  # noqa: PLC0415

    progress = TerminalProgress()
    # The stages say `python`, and mean the one that has scikit-learn: ours.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    # 5,634 rows train no faster on several threads, and many times slower where other programs use the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with raise_on_signals():
        with progress.step("Create a churn project: Git, DVC, a remote, a trained main, a pull request"):
            project = create_project(directory or find_free_directory(Path.cwd()))
        progress.line(f"Now in {project.repository}, on branch {project.branch}: metricgate run")
        request = Request(directory=project.repository, output=project.repository / "metricgate-report")
        report = run(request, progress)
    files = write_report(report, request.output)
    click.echo()
    print_report(report)
    _say_what_next(project.repository, files.html)
    return 0 if report.verdict is Verdict.FAILED else report.exit_code or 1


def _say_what_next(repository: Path, preview: Path) -> None:
    click.echo(
        f"""
That was a real run: the worse model was refused, as it should be, so the demo worked (exit code 0).

  The pull request's comment, as GitHub would show it:   {preview}
  Everything in one value, for machines:                 {preview.parent / "report.json"}

Try next:
  cd {repository}
  git diff main                        # what the pull request changes
  metricgate preview                   # open the comment in a browser
  git checkout main -- params.yaml     # take the change back …
  metricgate run                       # … and see it pass
"""
    )
