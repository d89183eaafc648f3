"""What the pipeline plants in the report folder is replaced, never followed: MetricGate may be root, and it is not."""

from pathlib import Path

import pytest

from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Verdict
from metricgate.processes.process_output import OutputLog
from metricgate.processes.safe_files import make_ignored_folder
from metricgate.publish.files import write_report
from metricgate.report.value import Report

REPORT = Report(metricgate="0.1.0", verdict=Verdict.SKIPPED, reason="nothing", exit_code=0)


@pytest.mark.parametrize("planted", ["report.json", "report.md", "report.html", ".gitignore"])
def test_a_planted_link_is_not_written_through(tmp_path: Path, planted: str) -> None:
    victim = tmp_path / "set_env"
    victim.write_text("PATH=/usr/bin\n", encoding="utf-8")
    folder = tmp_path / "metricgate-report"
    folder.mkdir()
    (folder / planted).symlink_to(victim)

    write_report(REPORT, folder)

    assert victim.read_text(encoding="utf-8") == "PATH=/usr/bin\n"
    assert not (folder / planted).is_symlink()
    assert (folder / planted).stat().st_size > 0


@pytest.mark.parametrize("planted", [".", "logs", "charts"])
def test_a_planted_folder_is_not_written_into(tmp_path: Path, planted: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    folder = tmp_path / "metricgate-report"
    link = folder if planted == "." else folder / planted
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(victim, target_is_directory=True)

    write_report(REPORT, folder)

    assert list(victim.iterdir()) == []
    assert (folder / "report.json").is_file()


def test_a_log_is_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.touch()
    (tmp_path / "candidate.log").symlink_to(victim)

    with OutputLog(tmp_path / "candidate.log") as log:
        log.write("training\n")

    assert victim.read_text(encoding="utf-8") == ""
    assert "training" in (tmp_path / "candidate.log").read_text(encoding="utf-8")


def test_a_file_in_the_place_of_the_folder_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "metricgate-report").touch()

    with pytest.raises(ConfigurationError, match="cannot be created"):
        write_report(REPORT, tmp_path / "metricgate-report")


@pytest.mark.parametrize("planted", ["ours", "ours/cache", "ours/.gitignore"])
def test_a_folder_of_ours_in_a_checkout_is_made_through_no_link(tmp_path: Path, planted: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / planted).parent.mkdir(exist_ok=True)
    (tmp_path / planted).symlink_to(victim / ".gitignore" if planted.endswith("ignore") else victim)

    made = make_ignored_folder(tmp_path, "ours/cache", None)

    assert made == tmp_path / "ours/cache"
    assert made.is_dir()
    assert not made.is_symlink()
    assert (tmp_path / "ours/.gitignore").read_text(encoding="utf-8") == "*\n"
    assert list(victim.iterdir()) == []
