"""A team's own detector, run in the project's Python: its number is shown, and decides only against a bar."""

import json
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metricgate.context import RunContext
from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.execution.interface import Executor, Job, ShellCommand
from metricgate.execution.local import LocalExecutor
from metricgate.execution.work_tree import WorkTree
from metricgate.models.outcome import Direction, Outcome, Role
from metricgate.models.result import GateRow
from metricgate.models.samples import FloatArray
from metricgate.models.watch import WatchedFeature
from metricgate.settings.monitor import DetectorSpec
from metricgate.settings.policy import PipelineSpec

MAX_FOUND = 10_000  # characters of its answer
KINDS = {
    "flagged": "the share of rows that it flags",
    "score": "its mean score",
    "distance": "its distance",
    "statistic": "its statistic",
}
_SCRIPT = Path(__file__).parent.parent / "execution" / "run_detector.py"


@dataclass(frozen=True, eq=False, kw_only=True)
class DetectorRows:
    """The numbers of a sample of both sides, missing ones replaced by the reference's median; ``names`` of columns."""

    reference: FloatArray
    current: FloatArray
    names: tuple[str, ...]

    @classmethod
    def of(cls, reference: FloatArray, current: FloatArray, names: tuple[str, ...]) -> "DetectorRows":
        """Fill what is missing."""
        middle = np.nan_to_num(np.nanmedian(reference, axis=0))
        filled = [np.where(np.isfinite(side), side, middle) for side in (reference, current)]
        return cls(reference=filled[0], current=filled[1], names=names)


@dataclass(frozen=True, kw_only=True)
class DetectorFinding:
    """What a report shows of it, and its gate where the policy sets a bar."""

    feature: WatchedFeature
    gates: tuple[GateRow, ...]


def run_detector(
    context: RunContext, pipeline: PipelineSpec, spec: DetectorSpec, rows: DetectorRows
) -> DetectorFinding:
    """Fit the detector to the reference, and ask it about the current rows.

    Raises
    ------
    ConfigurationError
        If no watched column holds numbers.
    WorkspaceError
        If the class cannot be imported or used.
    """
    if not rows.names:
        raise ConfigurationError(
            f"The detector {spec.name} has nothing to look at: no watched column holds numbers.",
            expected="columns of numbers.",
            fix="remove `detector:`, or watch columns of numbers.",
            topic="what-is-watched",
        )
    found = _run(context, pipeline, spec, rows)
    number, before = float(found["number"]), found.get("reference")
    compared = "" if before is None else f", {float(before):.3g} in the reference"
    what = KINDS.get(str(found.get("kind")), "its number")
    bar = "" if spec.max is not None else "; no bar is set, so it decides nothing"
    note = f"{what} is {number:.3g} in the current rows{compared}, by {len(rows.names)} columns of numbers{bar}"
    feature = WatchedFeature(name=spec.name, kind="joint", role="detector", notes=(note,))
    return DetectorFinding(
        feature=feature, gates=() if spec.max is None else (_judge(spec.name, number, spec.max, rows),)
    )


def _judge(name: str, number: float, bar: float, rows: DetectorRows) -> GateRow:
    failed = number > bar
    return GateRow(
        rule=f"{name} at most {bar:g}",
        metric="detector",
        feature=name,
        source="drift",
        role=Role.REQUIRED,
        kind="max_shift",
        direction=Direction.LOWER,
        bound=bar,
        outcome=Outcome.FAILED if failed else Outcome.PASSED,
        reason=f"the detector says {number:.3g}; {bar:g} is allowed",
        reason_code="bar_missed" if failed else "bar_cleared",
        beyond=failed,
        rows=min(len(rows.reference), len(rows.current)),
        difference=number,
        method="the detector's own number against the bar",
    )


def _run(context: RunContext, pipeline: PipelineSpec, spec: DetectorSpec, rows: DetectorRows) -> dict[str, Any]:
    tree = WorkTree(
        context=context, directory=context.checkout.directory, files=context.scratch / "detector", name="detector"
    )
    folder = tree.make_folder(tree.make_folder(tree.files) / "found")
    request: dict[str, Any] = {"class": spec.name, "options": spec.options, "found": str(folder / "found.json")}
    script, asked = context.scratch / "run_detector.py", context.scratch / "detector.json"
    for side, values in (("reference", rows.reference), ("current", rows.current)):
        request[side] = str(context.scratch / f"detector-{side}.npy")
        np.save(request[side], values, allow_pickle=False)
        Path(request[side]).chmod(0o644)
    shutil.copyfile(_SCRIPT, script)  # MetricGate's own folder may be out of the owner's reach
    asked.write_text(json.dumps(request), encoding="utf-8")
    for path in (script, asked):
        path.chmod(0o644)
    code = ShellCommand(
        text=f"python {shlex.quote(str(script))} {shlex.quote(str(asked))}",
        title="The detector",
        expected="a class with fit(), and predict(), score() or compare().",
    )
    executor: Executor = LocalExecutor()
    try:
        with executor.start(Job(tree=tree, pipeline=pipeline, code=code)) as running:
            running.wait()
        return _read(folder / "found.json")
    except WorkspaceError as error:
        problem = _read(folder / "found.json").get("problem", error.what)
        raise WorkspaceError(
            f"The detector {spec.name} cannot be used: {str(problem)[:500]}.",
            expected="a class with fit(), and predict(), score() or compare(), that the project's Python has.",
            fix="correct `monitor: detector`, or name `pipeline: {requirements: …}` for its package.",
            details=error.details,
            topic="the-detector-cannot-be-used",
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")[:MAX_FOUND])
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
