"""The report folder."""

import json
import subprocess
from pathlib import Path

import pytest

from metricgate.models.outcome import Verdict
from metricgate.models.result import ChartData
from metricgate.publish.files import chart_files, write_report
from metricgate.report.value import Report
from tests.github.job import make_chart, make_report

PNG = b"\x89PNG\r\n\x1a\n"


def test_every_view_is_written_and_the_json_reads_back(tmp_path: Path) -> None:
    report = make_report(
        Verdict.FAILED, charts=(make_chart(), ChartData(name="roc", kind="curves", title="R", alt="R"))
    )

    files = write_report(report, tmp_path / "out")

    light, dark = files.charts["forest"]
    assert (light.name, dark.name) == ("forest.png", "forest-dark.png")
    assert light.read_bytes()[:8] == dark.read_bytes()[:8] == PNG
    assert light.read_bytes() != dark.read_bytes()
    assert Report.model_validate(json.loads(files.json.read_text(encoding="utf-8"))) == report
    assert "Blocked" in files.markdown.read_text(encoding="utf-8")
    assert "data:image/png;base64" in files.html.read_text(encoding="utf-8")
    assert (tmp_path / "out" / "logs").is_dir()


def test_git_does_not_see_the_folder(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)

    write_report(make_report(), tmp_path / "metricgate-report")

    status = subprocess.run(["git", "-C", tmp_path, "status", "--porcelain"], check=True, capture_output=True)
    assert status.stdout == b""


def test_a_chart_that_cannot_be_drawn_costs_only_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = make_chart().model_copy(update={"name": "broken", "kind": "no such kind"})

    files = write_report(make_report(charts=(broken, make_chart())), tmp_path)

    assert list(files.charts) == ["forest"]
    assert "could not be drawn" in caplog.text


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "a/b", "C:\\x", "", "\u202e" * 200])
def test_a_charts_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    """A publishing job reads names from an artifact that a pull request wrote."""
    report = make_report(charts=(make_chart().model_copy(update={"name": name}),))

    for file in chart_files(report, tmp_path)[name]:
        assert file.resolve().parent == tmp_path / "charts"


def test_a_second_report_replaces_the_first(tmp_path: Path) -> None:
    write_report(make_report(Verdict.FAILED), tmp_path)

    files = write_report(make_report(Verdict.PASSED), tmp_path)

    assert "Blocked" not in files.markdown.read_text(encoding="utf-8")


def test_a_person_keeps_what_git_ignores(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("secret.env\n", encoding="utf-8")

    write_report(make_report(), tmp_path)

    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "secret.env\n"
