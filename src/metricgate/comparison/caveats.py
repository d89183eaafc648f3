"""Warnings about a comparison: test data that changed, files that cannot be read, numbers that disagree."""

from collections.abc import Iterable

from metricgate.comparison.evidence import Evidence
from metricgate.comparison.file_numbers import disagreeing_numbers
from metricgate.comparison.measurement import evaluate_or_none
from metricgate.comparison.subject import Subject
from metricgate.models.result import MetricRow, Pairing, Warning_
from metricgate.predictions import count_rows
from metricgate.settings.selection import PolicyChoice
from metricgate.stats.registry import list_metrics, main_metrics


def list_caveats(evidence: Evidence, rows: Iterable[MetricRow], choice: PolicyChoice) -> tuple[Warning_, ...]:
    """Return what a reader must know about the comparison before trusting its numbers."""
    test_set = [
        Warning_(code="test_set_changed", text=f"The test data changed: {note}{_describe_added(subject)}")
        for subject in evidence.subjects.values()
        if subject.pairing and subject.pairing.test_set_changed
        for note in subject.pairing.notes[:1]
    ]
    test_set += [
        Warning_(
            code="other_test", text=f"Not the same test: {subject.pairing.other_test}. The scores are not comparable."
        )
        for subject in evidence.subjects.values()
        if subject.pairing and subject.pairing.other_test
    ]
    test_set += _list_question_caveats(evidence.pairings)
    problems = [
        Warning_(code="unreadable", text=f"{problem.what} of the {side} is unreadable: {problem.reason}")
        for side, snapshot in (("baseline", evidence.baseline), ("candidate", evidence.candidate))
        if snapshot
        for problem in snapshot.problems
    ]
    lost = [
        Warning_(code="no_baseline_predictions", text="The baseline has no predictions; only absolute gates judge.")
        for subject in evidence.subjects.values()
        if subject.paired is None and evidence.baseline is not None and not subject.baseline_problem
    ]
    broken = [
        Warning_(code="unreadable_baseline", text=f"No comparison with the baseline: {subject.baseline_problem}")
        for subject in evidence.subjects.values()
        if subject.baseline_problem
    ]
    # A file's numbers are those of all test rows: of fewer rows, the computed ones must differ.
    whole = {name for name, subject in evidence.subjects.items() if _is_whole(subject.pairing)}
    disagreeing = disagreeing_numbers([row for row in rows if row.source != "predictions" or row.set in whole])
    return (*test_set, *lost, *broken, *problems, *disagreeing, *_find_changed_content(evidence, choice))


def _list_question_caveats(pairings: Iterable[Pairing]) -> list[Warning_]:
    """Return warnings about questions whose text changed, and about answers without a grade."""
    found = []
    for pairing in pairings:
        if pairing.changed_inputs:
            what = f"{pairing.changed_inputs:,} of {pairing.rows:,} questions read differently behind the same ids"
            found.append(
                Warning_(code="questions_changed", text=f"{what}: compare them, or give new questions new ids.")
            )
        sides = {
            "baseline": (pairing.baseline_ungraded, pairing.baseline_answers),
            "candidate": (pairing.candidate_ungraded, pairing.candidate_answers),
        }
        for side, (ungraded, answers) in sides.items():
            if ungraded:
                what = f"{ungraded:,} of {answers or 0:,} answers of the {side} failed or could not be graded"
                found.append(Warning_(code="answers_ungraded", text=f"{what}: they count at their worst."))
    return found


def _describe_added(subject: Subject) -> str:
    """Return the candidate's own values on the rows that only it has, which judge nothing; empty where it has none."""
    added = subject.paired.added if subject.paired else None
    if added is None:
        return ""
    metrics = [subject.find(name) for name in main_metrics(added.task)] or list(list_metrics(added))
    values = [(metric.label, evaluate_or_none(added, metric)) for metric in metrics]
    told = [f"{label} {value:.3g}" for label, value in values if value is not None]
    whose = f" On the {count_rows(added.rows)} that only the candidate has, its own values are"
    return f"{whose} {', '.join(told)}." if told else ""


def _is_whole(pairing: Pairing | None) -> bool:
    return pairing is None or pairing.rows == pairing.candidate_rows


def _find_changed_content(evidence: Evidence, choice: PolicyChoice) -> tuple[Warning_, ...]:
    """Return a warning where the test data of `evaluation` changed behind the same ids and labels."""
    old, new = choice.baseline.evaluation, choice.candidate.evaluation
    unchanged_rows = not any(pairing.test_set_changed for pairing in evidence.pairings)
    if evidence.baseline is None or old is None or new is None or not unchanged_rows:
        return ()
    before, after = evidence.baseline.hash_of(old.data), evidence.candidate.hash_of(new.data)
    if before is None or after is None or before == after:
        return ()
    text = (
        f"The content of {new.data} changed behind the same ids and labels: "
        "each model is judged on its own version of it."
    )
    return (Warning_(code="test_data_changed", text=text),)
