"""Whether the model is due, why, why it is not trained nevertheless, and when it will be. Pure: the time is given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from metricgate.models.retraining import Obstacle, Retraining, RetrainReason
from metricgate.report.number_format import plural
from metricgate.retraining.memory import FRUITLESS_IN_A_ROW, Memory, Training
from metricgate.settings.retrain import FreezeSpec, RetrainSpec


@dataclass(frozen=True, kw_only=True)
class NewData:
    """An import whose source has other data: its data's path, and where they come from."""

    path: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What `monitor` shows: the features and predictions that drifted, and the metrics that lost too much."""

    drifted: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    headline: str = ""  # of the report


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known before anything is trained.

    ``watched`` is None where nothing watches the model. ``force`` is a person's wish, ``approved`` a person's consent.
    """

    model: str
    trained_at: datetime
    imports: int = 0
    new_data: Sequence[NewData] = ()
    watched: Watched | None = None
    force: bool = False
    approved: bool = False
    memory: Memory = field(default_factory=Memory)


def make_plan(spec: RetrainSpec, facts: Facts, now: datetime) -> Retraining:
    """Return whether the model is due and may be trained now."""
    found = list(_look(spec, facts, now))
    reasons = tuple(one for one in found if isinstance(one, RetrainReason))
    looked = tuple(one for one in found if isinstance(one, str))
    plan = Retraining(reasons=reasons, looked=looked, next=_name_next(spec, facts, now))
    if not reasons:
        return plan.model_copy(update={"obstacle": "not_due", "why_not": " ".join(looked)})
    if facts.force:
        return plan
    obstacle, why_not = next(_find_obstacles(spec, facts, now), ("", ""))
    return plan.model_copy(update={"obstacle": obstacle, "why_not": why_not})


def _look(spec: RetrainSpec, facts: Facts, now: datetime) -> Iterator[RetrainReason | str]:
    if facts.force:
        yield RetrainReason(kind="forced", text="a person asked for it")
    if spec.when.max_age is not None:
        yield _look_at_age(spec.when.max_age, facts.trained_at, now)
    if spec.when.new_data:
        yield _look_at_data(facts)
    if spec.when.drift:
        yield _look_at_drift(spec.when.drift, facts.watched)
    if spec.when.performance:
        yield _look_at_performance(facts.watched)
    if (spec.when.drift or spec.when.performance) and facts.watched and facts.watched.headline:
        yield f"Watching it says: {facts.watched.headline}."


def _look_at_age(max_age: timedelta, trained_at: datetime, now: datetime) -> RetrainReason | str:
    age = now - trained_at
    since = f"{describe_time(age)} old, trained on {trained_at:%Y-%m-%d}"
    if age > max_age:
        return RetrainReason(kind="age", text=f"the released model is {since}; {describe_time(max_age)} are allowed")
    return f"The released model is {since}; it is due after {describe_time(max_age)}."


def _look_at_data(facts: Facts) -> RetrainReason | str:
    if facts.new_data:
        told = ", ".join(f"{one.path} (from {one.source})" for one in facts.new_data[:3])
        more = f" and {len(facts.new_data) - 3} more" if len(facts.new_data) > 3 else ""
        return RetrainReason(kind="new_data", text=f"there are new data for {told}{more}")
    if not facts.imports:
        return "The project has no DVC import that could have new data."
    return f"The source{'s' * (facts.imports > 1)} of {plural(facts.imports, 'import')} did not change."


def _look_at_drift(wanted: bool | tuple[str, ...], watched: Watched | None) -> RetrainReason | str:  # noqa: FBT001
    if watched is None:
        return "Nothing watches the model for drift: `monitor:` is missing."
    drifted = [name for name in watched.drifted if wanted is True or name in (wanted or ())]
    if drifted:
        return RetrainReason(kind="drift", text=f"drift is shown in {', '.join(drifted)}")
    where = "" if wanted is True else f" in {', '.join(wanted or ())}"
    return f"No drift is shown{where}."


def _look_at_performance(watched: Watched | None) -> RetrainReason | str:
    if watched is None:
        return "Nothing watches the model's performance: `monitor:` is missing."
    if watched.lost:
        text = f"the released model lost more than is allowed on fresh data: {', '.join(watched.lost)}"
        return RetrainReason(kind="performance", text=text)
    return "No loss of performance beyond what is allowed is shown."


def _find_obstacles(spec: RetrainSpec, facts: Facts, now: datetime) -> Iterator[tuple[Obstacle, str]]:
    if freeze := _find_freeze(spec, now):
        why = f" ({freeze.reason})" if freeze.reason else ""
        yield "frozen", f"Nothing is trained from {freeze.start} to {freeze.end}{why}."
    cooling = facts.memory.find_cooldown(facts.model)
    if cooling and now < cooling.at + spec.cooldown:
        why_not = (
            f"Retraining did not help: the last {FRUITLESS_IN_A_ROW} trainings gave no model that may be offered. "
            f"The next one is after {cooling.at + spec.cooldown:%Y-%m-%d}."
        )
        yield "cooldown", why_not
    last = facts.memory.last
    if spec.max_minutes is not None and last and last.seconds > spec.max_minutes * 60 and not facts.approved:
        took = f"The last training took {last.seconds / 60:.0f} minutes"
        yield "cost", f"{took}; {spec.max_minutes:g} are allowed without a person's consent."
    if spec.approval and not facts.approved:
        yield "approval", "A person's approval is missing: tick the box on the dashboard, or run with `--force`."


def _find_freeze(spec: RetrainSpec, now: datetime) -> FreezeSpec | None:
    return next((freeze for freeze in spec.freeze if freeze.start <= now.date() <= freeze.end), None)


def _name_next(spec: RetrainSpec, facts: Facts, now: datetime) -> str:
    """Return when the model is due or may be trained again, as far as the calendar tells."""
    if freeze := _find_freeze(spec, now):
        return f"after {freeze.end}"
    cooling: Training | None = facts.memory.find_cooldown(facts.model)
    if cooling and now < cooling.at + spec.cooldown:
        return f"{cooling.at + spec.cooldown:%Y-%m-%d}"
    parts = []
    if spec.when.max_age is not None and now - facts.trained_at <= spec.when.max_age:
        parts.append(f"{facts.trained_at + spec.when.max_age:%Y-%m-%d}, by its age")
    events = [
        name
        for name, is_asked in (
            ("new data", spec.when.new_data and facts.imports),
            ("drift", spec.when.drift and facts.watched),
            ("a loss of performance", spec.when.performance and facts.watched),
        )
        if is_asked
    ]
    if events:
        parts.append(f"{'earlier ' if parts else ''}on {' or '.join(events)}")
    return "; ".join(parts)


def describe_time(value: timedelta) -> str:
    """Return a span of time in whole days, or hours where it is short."""
    return (
        plural(value.days, "day") if value >= timedelta(days=2) else plural(round(value.total_seconds() / 3600), "hour")
    )
