"""The dashboard's text: what is due, open or waiting and why, what was trained, and boxes that people can tick."""

from collections.abc import Iterator, Sequence

from metricgate.models.retraining import Retraining
from metricgate.publish.github.dashboard import draw_box
from metricgate.publish.github.good_commit import GoodCommit
from metricgate.report.escape import code_span, escape_prose, escape_sentence
from metricgate.report.sections.retraining import list_facts
from metricgate.retraining.memory import Memory, Training

TRAIN, APPROVE = "train", "approve"
MAX_SHOWN = 12
_WAITING = frozenset({"approval", "cost"})
_HEADLINES = {
    "": "Trained",
    "not_due": "Not due",
    "no_news": "Due, but there is nothing new to train on",
    "frozen": "Due, and frozen",
    "approval": "Due, and waiting for approval",
    "cost": "Due, and waiting for approval",
    "cooldown": "Retraining did not help",
    "few_rows": "Due, and waiting for more labelled rows",
    "tried": "Due, and trained already",
}


def name_dashboard(id_: str) -> str:
    """Return the issue's title."""
    return "MetricGate: retraining" if id_ == "default" else f"MetricGate: retraining ({id_})"


def render_dashboard(
    plan: Retraining, memory: Memory, *, offered: int | None, problem: str = "", back: GoodCommit | None = None
) -> str:
    """Return the issue's text. ``offered`` is the number of the open pull request, ``problem`` what stands against it."""
    foot = (
        "Written by MetricGate; whatever else is written here is lost. Boxes count if whoever ticks them may write to "
        "this repository."
    )
    parts = [
        f"## {_name_state(plan, memory, offered)}",
        "\n".join(f"- **{name}:** {escape_prose(text)}" for name, text in list_facts(plan) if name != "Compared with"),
        f"> [!WARNING]\n> {escape_prose(problem)}" if problem else "",
        _draw_back(back),
        "\n".join(_draw_boxes(plan)),
        _draw_trainings(memory.trainings),
        f"<sub>{foot}</sub>",
    ]
    return "\n\n".join(part for part in parts if part)


def _name_state(plan: Retraining, memory: Memory, offered: int | None) -> str:
    if offered is not None:
        return f"A retrained model waits for review: #{offered}"
    last = memory.last
    if (plan.helped is False or plan.obstacle == "tried") and last is not None and not last.helped:
        return "Retraining did not help"
    return _HEADLINES[plan.obstacle] if plan.is_due or plan.obstacle else "Not due"


def _draw_boxes(plan: Retraining) -> Iterator[str]:
    if plan.obstacle in _WAITING:
        yield draw_box(APPROVE, "**Train now:** I agree to this training")
    yield draw_box(TRAIN, "Train now, although it is not due or something stands against it")


def _draw_back(back: GoodCommit | None) -> str:
    if back is None:
        return ""
    good, failing = code_span(back.good[:9]), code_span(back.failing[:9])
    command = (
        f"git restore --source={back.good[:12]} --staged --worktree :/\n"
        f'git commit -m "Go back to {back.good[:9]}, whose gate passed"\ndvc checkout'
    )
    return (
        f"**The default branch fails** since {failing}. The last commit whose gate passed is {good}; going back to it "
        f"undoes {back.undone} commit{'s' * (back.undone > 1)}:\n\n```sh\n{command}\n```"
    )


def _draw_trainings(trainings: Sequence[Training]) -> str:
    if not trainings:
        return ""
    rows = ["| | Trained | Why | What came of it |", "|---|---|---|---|"]
    for one in reversed(trainings[-MAX_SHOWN:]):
        link = f" (#{one.number})" if one.number else ""
        sign = "✅" if one.helped else "❌"
        why = escape_sentence(", ".join(one.reasons).replace("_", " "))
        rows.append(f"| {sign} | {one.at:%Y-%m-%d} | {why} | {escape_sentence(one.headline)}{link} |")
    return "\n".join(rows)
