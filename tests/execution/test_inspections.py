"""Both revisions are read by one worker, before code of either runs."""

import shutil
from pathlib import Path

import pytest

from metricgate.errors import WorkspaceError
from metricgate.execution.baseline import describe_inspection, fetch_baseline
from metricgate.execution.candidate import produce_candidate
from metricgate.execution.production import Inspections
from metricgate.models.snapshot import Snapshot
from metricgate.revisions.baseline_revision import BaselineRevision
from tests.execution.conftest import POLICY, make_context, states, values
from tests.projects import TinyProject


def produce_both(project: TinyProject, tmp_path: Path) -> tuple[Snapshot, Snapshot]:
    """Produce the candidate and fetch main's results, as a run does."""
    context = make_context(project.root, tmp_path)
    main = BaselineRevision(sha=project.sha("main"), name="main", reason="because")
    inspections = Inspections(requests=(describe_inspection(context, main, POLICY),))
    candidate = produce_candidate(context, POLICY, inspections=inspections)
    return candidate, fetch_baseline(context, main, POLICY, inspections=inspections)


def test_no_second_worker_is_started_for_the_baseline(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.start_branch()
    tiny.write("NOTES.md", "words")
    tiny.commit()

    candidate, baseline = produce_both(tiny, tmp_path)

    assert set(states(candidate).values()) == {"unchanged"}
    assert values(candidate) == values(baseline)
    assert values(baseline)["metrics.json:accuracy"] == 1.0
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["candidate.log"]


def test_stage_that_overwrites_what_was_read_of_the_baseline_changes_nothing(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.start_branch()
    reach = tmp_path / "scratch/baseline"
    tampering = f"import pathlib\nfor file in pathlib.Path({str(reach)!r}).rglob('*.*'): file.write_text('{{}}')\n"
    tiny.write("src/evaluate.py", tampering + tiny.read("src/evaluate.py"))
    tiny.commit()

    _, baseline = produce_both(tiny, tmp_path)

    assert (reach / "metrics.json").read_text() == "{}"
    assert values(baseline)["metrics.json:accuracy"] == 1.0


def test_baseline_that_nobody_can_read_is_told_before_anything_runs(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.start_branch()
    tiny.write("src/evaluate.py", "open('ran', 'w')\n" + tiny.read("src/evaluate.py"))
    tiny.commit()
    shutil.rmtree(tiny.root / ".dvc/cache")  # the inputs of the stage still lie there
    tiny.use_remote(str(tmp_path / "nowhere"))

    with pytest.raises(WorkspaceError, match="is a folder that does not exist here"):
        produce_both(tiny, tmp_path)

    assert not (tiny.root / "ran").exists()
