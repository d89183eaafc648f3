"""Whether a run is news: which event it is, given what was published before and what somebody wants to hear of."""

from collections.abc import Collection, Sequence
from typing import Literal

from metricgate.models.outcome import Verdict
from metricgate.settings.notify import TROUBLED, Occasion

EventKind = Literal["gate", "drift", "retrained"]

_OCCASIONS: dict[Verdict, Occasion] = {
    Verdict.FAILED: "failed",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.ERROR: "error",
    Verdict.PASSED: "recovered",
}


def name_occasion(verdict: Verdict, kind: EventKind = "gate") -> Occasion | None:
    """Return the event that a verdict is if it is new; None for a run that judged nothing."""
    if kind == "drift" and verdict is Verdict.FAILED:
        return "drift"
    if kind == "retrained" and verdict is Verdict.PASSED:
        return "retrained"
    return _OCCASIONS.get(verdict)


def choose_occasion(
    verdict: Verdict, earlier: Sequence[Verdict], on: Collection[Occasion], kind: EventKind = "gate"
) -> Occasion | None:
    """Return the event to announce, if any: once for each change of state, once on recovery.

    ``earlier`` are the verdicts before, the newest first. Those that ``on`` does not name change no state. Where none
    is known, trouble is announced and a recovery is not.
    """
    occasion = name_occasion(verdict, kind)
    if occasion is None or occasion not in on:
        return None
    if occasion == "retrained":
        return occasion
    known = (name_occasion(one, kind) for one in earlier)
    last = next((one for one in known if one == "recovered" or (one in TROUBLED and one in on)), None)
    if occasion == "recovered":
        return occasion if last in TROUBLED else None
    return occasion if last != occasion else None
