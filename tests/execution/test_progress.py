"""What a person reads while it runs."""

import re
from dataclasses import replace
from pathlib import Path

from metricgate.execution.baseline import describe_inspection
from metricgate.execution.candidate import ProduceOptions, produce_candidate
from metricgate.execution.inspections import Inspections
from metricgate.processes.progress import QuietProgress
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.checkout import Checkout
from tests.execution.conftest import POLICY
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
    checkout, progress = Checkout.open(tiny.root), RecordedProgress()
    main = BaselineRevision(sha=tiny.sha("main"), name="main", reason="because")
    options = ProduceOptions(scratch=tmp_path / "scratch")
    inspections = Inspections(requests=(describe_inspection(checkout, main, POLICY, options),))

    with_others = replace(options, inspections=inspections)
    produce_candidate(checkout, POLICY, with_others, progress=progress, logs=tmp_path / "logs")

    assert [re.sub(r"\d+\.\d s$", "N s", line) for line in progress.lines] == [
        f"reading what {main.sha[:9]} recorded",
        "pulling 1 of 1: data/prepared.csv (19 bytes)",
        "running stage evaluate",
        "stage evaluate: N s",
    ]
    assert progress.ended == progress.lines[-1:]
