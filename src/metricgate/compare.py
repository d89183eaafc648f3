"""Two prediction files in, a report out: the same comparison and verdict as in a run, without Git and DVC."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metricgate.comparison.evidence import gather
from metricgate.errors import ConfigurationError, MetricgateError
from metricgate.gates.assessment import RulePower
from metricgate.gates.judge import assess_policy
from metricgate.judging import Case, judge
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.predictions import ColumnOptions, infer_spec
from metricgate.report.failure import report_failure
from metricgate.report.formats.power_table import render_power
from metricgate.report.value import Report
from metricgate.settings.policy import Policy
from metricgate.settings.policy_file import read_policy
from metricgate.settings.selection import PolicyChoice, read_policy_text


def compare_files(
    baseline: Path,
    candidate: Path,
    *,
    policy: Path | None,
    columns: Mapping[str, Any],
    names: tuple[str, str] | None = None,
) -> Report:
    """Compare two files. ``columns``: the command's options, which stand in for a policy; ``names``: to be shown."""
    try:
        given = {name: value for name, value in columns.items() if value}
        choice = _infer_choice(baseline, given) if policy is None else _read_choice(policy, given)
    except MetricgateError as error:
        return report_failure(error)
    (name,) = choice.judging.prediction_sets
    shown, other = names or (str(baseline), str(candidate))
    sides = _snapshot(baseline, name, shown), _snapshot(candidate, name, other)
    return judge(Case(baseline=sides[0], candidate=sides[1], choice=choice))


def _snapshot(path: Path, set_name: str, shown: str = "") -> Snapshot:
    return Snapshot(info=RevisionInfo(name=shown or str(path), source=Source.FILE), predictions={set_name: path})


def _infer_choice(baseline: Path, given: Mapping[str, Any]) -> PolicyChoice:
    """Return the columns of the baseline's file: a candidate that lacks one must not change what is judged."""
    options = {("id" if name == "id_" else name): value for name, value in given.items()}
    options |= {"where": _read_choices(given["where"])} if "where" in given else {}
    policy = Policy(predictions=infer_spec(baseline, ColumnOptions(**options)))
    return PolicyChoice(
        judging=policy,
        baseline=policy,
        candidate=policy,
        origin="no policy: default guardrails",
        is_default=True,
    )


def _read_choices(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the values that ``COLUMN=VALUE`` name, by column."""
    chosen: dict[str, tuple[str, ...]] = {}
    for text in texts:
        column, sign, value = text.partition("=")
        if not (column and sign):
            raise ConfigurationError(
                f"--where {text} has no value.",
                expected="a column and a value: --where filter=flexible-extract.",
                fix="Write COLUMN=VALUE.",
                topic="options-and-a-policy",
            )
        chosen[column] = (*chosen.get(column, ()), value)
    return chosen


def _read_choice(path: Path, given: Mapping[str, Any]) -> PolicyChoice:
    if given:
        options = ", ".join(f"--{name.rstrip('_').removesuffix('s')}" for name in given)
        raise ConfigurationError(
            f"{options} and --policy are given together.",
            expected="the columns in one place: the policy's `predictions:`, or the options.",
            fix="Leave out the options or the policy.",
            topic="options-and-a-policy",
        )
    policy = read_policy(read_policy_text(path), origin=str(path))
    if len(policy.prediction_sets) != 1:
        raise ConfigurationError(
            f"{path} names {len(policy.prediction_sets)} prediction sets.",
            expected="one, whose columns are those of the two files.",
            fix="Pass a policy with a single `predictions:` section.",
            topic="options-and-a-policy",
        )
    return PolicyChoice(judging=policy, baseline=policy, candidate=policy, origin=str(path))


def assess_files(files: Sequence[Path], *, policy: Path, details: bool = False) -> str:
    """Return in sentences, and with ``details`` as a table too, what the policy's gates can catch on one or two models' predictions of one test set."""
    choice = _read_choice(policy, {})
    ((name, spec),) = choice.judging.prediction_sets.items()
    first, *others = files or (policy.parent / spec.path,)
    return render_power(_assess(first, others[0] if others else first, name, choice), details=details)


def assess_rows(file: Path, policy: Policy) -> tuple[RulePower, ...]:
    """Return what the gates of a policy with one prediction set can catch, from one model's predictions."""
    (name,) = policy.prediction_sets
    choice = PolicyChoice(judging=policy, baseline=policy, candidate=policy, origin="")
    return _assess(file, file, name, choice)


def _assess(first: Path, last: Path, name: str, choice: PolicyChoice) -> tuple[RulePower, ...]:
    return assess_policy(choice.judging, gather(_snapshot(first, name), _snapshot(last, name), choice))
