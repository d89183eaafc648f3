"""What a person reads while it runs."""

import re
from dataclasses import replace
from pathlib import Path

from metricgate.execution.baseline import describe_inspection
from metricgate.execution.candidate import produce_candidate
from metricgate.execution.production import Inspections
from metricgate.processes.progress import QuietProgress
from metricgate.revisions.baseline_revision import BaselineRevision
from tests.execution.conftest import POLICY, make_context
from tests.projects import TinyProject


class RecordedProgress(QuietProgress):
    """Remembers the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended: list[str] = []

    def line(self, text: str, *, ends: bool = False) -> None:
        self.lines.append(text)
        self.ended += [text] if ends else []


def test_lines_say_what_is_read_pulled_and_run_and_how_long_each_stage_took(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.forget_cache()
    tiny.write("params.yaml", "shift: 0.2\n")
    progress = RecordedProgress()
    context = replace(make_context(tiny.root, tmp_path), progress=progress)
    main = BaselineRevision(sha=tiny.sha("main"), name="main", reason="because")
    inspections = Inspections(requests=(describe_inspection(context, main, POLICY),))

    produce_candidate(context, POLICY, inspections=inspections)

    assert [re.sub(r"\d+\.\d s$", "N s", line) for line in progress.lines] == [
        f"reading what {main.sha[:9]} recorded",
        "pulling 1 of 1: data/prepared.csv (19 bytes)",
        "running stage evaluate",
        "stage evaluate: N s",
    ]
    assert progress.ended == progress.lines[-1:]
