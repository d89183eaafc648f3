"""What a gate's outcome becomes where the candidate's rows or labels are not the baseline's.

A gate passes only if it does by every reading (comparison/readings.py). It fails if it fails by the baseline's labels
and by the candidate's; absent rows cannot excuse a failure on the others.
"""

from metricgate.comparison.readings import Reading
from metricgate.models.outcome import Outcome, ReasonCode
from metricgate.models.result import GateRow, Pairing
from metricgate.predictions import count_rows

ROW_CODES = frozenset({"rows_absent", "rows_added", "rows_relabelled"})
_VERBS = {
    Outcome.PASSED: "passes",
    Outcome.FAILED: "fails",
    Outcome.INCONCLUSIVE: "is undecided",
    Outcome.SKIPPED: "cannot be judged",
    Outcome.ERROR: "cannot be judged",
}


def combine(row: GateRow, other: GateRow | None, reading: Reading, pairing: Pairing | None) -> GateRow:
    """Return the row with the outcome of both readings; None for ``other`` where absent rows have no worst answer.

    The interval becomes the union of both, so that what is shown is what decided.
    """
    assert pairing is not None  # noqa: S101  # there are other readings
    if row.outcome is Outcome.ERROR or (other is not None and other.outcome is Outcome.SKIPPED):
        return row
    if row.outcome is Outcome.FAILED and reading.startswith("absent"):
        return row
    wide = row if other is None else other if row.outcome is Outcome.SKIPPED else _widen(row, other)
    if _is_settled(row, other, reading):
        return wide
    code, reason = _explain(row, other, reading, pairing)
    return wide.model_copy(
        update={
            "outcome": Outcome.INCONCLUSIVE,
            "reason": reason,
            "reason_code": code,
            "beyond": other is None or row.beyond or other.beyond,
            "rows_needed": None,  # more rows would not settle it
        }
    )


def _is_settled(row: GateRow, other: GateRow | None, reading: Reading) -> bool:
    """Return whether the other reading leaves the outcome as it is, or judges what this one had to skip."""
    if row.reason_code in ROW_CODES:
        return True
    if other is None:
        return False
    if row.outcome is Outcome.INCONCLUSIVE:
        return other.outcome is not Outcome.FAILED and not reading.startswith("absent")
    agreeing = {row.outcome} if row.outcome is Outcome.FAILED else {row.outcome, Outcome.PASSED}
    return other.outcome in agreeing


def _explain(row: GateRow, other: GateRow | None, reading: Reading, pairing: Pairing) -> tuple[ReasonCode, str]:
    usual, changed = _VERBS[row.outcome], _VERBS[other.outcome] if other else ""
    if reading.startswith("absent"):
        rows = f"{count_rows(pairing.only_baseline, 'is')} missing that the baseline's test set has"
        if other is None:
            return "rows_absent", f"{rows}, and this metric has no worst answer to assume for them"
        return "rows_absent", f"{rows}; with the worst answers on them it {changed}"
    if reading == "ungraded":
        return "answers_ungraded", _explain_ungraded(pairing, changed)
    if reading.startswith("own rows"):
        rows = count_rows(pairing.fresh)
        return "rows_added", f"with the {rows} that this change adds it {usual}, without them it {changed}"
    rows = f"{count_rows(pairing.label_differs, 'has')} another label than on the baseline"
    return "rows_relabelled", f"{rows}: by the baseline's labels it {usual}, by the candidate's it {changed}"


def _explain_ungraded(pairing: Pairing, changed: str) -> str:
    counts = (
        f"{pairing.baseline_ungraded} of the baseline's answers and {pairing.candidate_ungraded} of the candidate's"
    )
    if not changed:
        return f"{counts} have no grade, and this metric has no worst one to assume"
    return f"{counts} have no grade; with the worst ones for this change it {changed}"


def _widen(row: GateRow, other: GateRow) -> GateRow:
    """Return the row with intervals that cover both readings."""
    ends = {name: _least(getattr(row, name), getattr(other, name)) for name in ("low", "simultaneous_low")}
    ends |= {name: _most(getattr(row, name), getattr(other, name)) for name in ("high", "simultaneous_high")}
    return row.model_copy(update=ends)


def _least(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else min(one, other)


def _most(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)
