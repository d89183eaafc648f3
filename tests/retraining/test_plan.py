"""When a model is due, what stands against training it, and when it is next: every condition at its edge."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from metricgate.models.retraining import Retraining
from metricgate.retraining.memory import Memory, Training
from metricgate.retraining.plan import Facts, NewData, Watched, make_plan
from metricgate.settings.retrain import FreezeSpec, RetrainSpec, RetrainWhenSpec

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
RELEASED = "a" * 40
NEWS = (NewData(path="data/rows.csv", source="s3://lake/rows.csv"),)


def plan(when: dict[str, Any], *, spec: dict[str, Any] | None = None, now: datetime = NOW, **facts: Any) -> Retraining:
    known: dict[str, Any] = {"model": RELEASED, "trained_at": NOW - timedelta(days=10), "imports": 1, **facts}
    return make_plan(RetrainSpec(when=RetrainWhenSpec(**when), **(spec or {})), Facts(**known), now)


def make_training(*, helped: bool, days_ago: int, model: str = RELEASED, seconds: float = 60) -> Training:
    return Training(
        key=f"{days_ago}-{helped}",
        at=NOW - timedelta(days=days_ago),
        model=model,
        reasons=("new_data",),
        verdict="failed",
        headline="accuracy is lower",
        helped=helped,
        seconds=seconds,
    )


@pytest.mark.parametrize(("days", "is_due"), [(89, False), (90, False), (91, True)])
def test_a_model_is_due_once_it_is_older_than_its_age(days: int, is_due: bool) -> None:  # noqa: FBT001
    found = plan({"max_age": timedelta(days=90), "new_data": False}, trained_at=NOW - timedelta(days=days))

    assert found.is_due is is_due
    assert ("2027" in found.next or "2026" in found.next) is not is_due


def test_each_reason_is_told_and_what_is_none_is_told_too() -> None:
    found = plan(
        {"max_age": timedelta(days=90), "drift": ("usage",), "performance": True},
        new_data=NEWS,
        watched=Watched(drifted=("contract",), lost=("accuracy",)),
    )

    assert [reason.kind for reason in found.reasons] == ["new_data", "performance"]
    assert found.looked == (
        "The released model is 10 days old, trained on 2026-11-16; it is due after 90 days.",
        "No drift is shown in usage.",
    )
    assert found.may_train


@pytest.mark.parametrize(
    ("wanted", "drifted", "is_due"),
    [(True, ("a",), True), (("a", "predictions"), ("predictions",), True), (("a",), ("b",), False), (True, (), False)],
)
def test_only_drift_of_what_is_named_makes_due(wanted: Any, drifted: tuple[str, ...], is_due: bool) -> None:  # noqa: FBT001
    assert plan({"drift": wanted, "new_data": False}, watched=Watched(drifted=drifted)).is_due is is_due


def test_without_anything_that_watches_drift_is_no_reason_and_that_is_said() -> None:
    found = plan({"drift": True, "performance": True, "new_data": False})

    assert found.obstacle == "not_due"
    assert found.why_not.count("`monitor:` is missing") == 2


@pytest.mark.parametrize(("day", "is_frozen"), [(19, False), (20, True), (31, True)])
def test_nothing_is_trained_on_frozen_days(day: int, is_frozen: bool) -> None:  # noqa: FBT001
    freeze = FreezeSpec.model_validate({"from": date(2026, 12, 20), "to": date(2026, 12, 31), "reason": "holidays"})

    found = plan({}, spec={"freeze": (freeze,)}, now=datetime(2026, 12, day, 23, tzinfo=UTC), new_data=NEWS)

    assert found.is_due
    assert (found.obstacle == "frozen") is is_frozen
    assert ("holidays" in found.why_not) is is_frozen


@pytest.mark.parametrize(
    ("trainings", "is_cooling"),
    [
        ([(False, 12), (False, 5)], True),
        ([(False, 40), (False, 31)], False),
        ([(False, 12), (True, 8), (False, 5)], False),
        ([(False, 5)], False),
    ],
)
def test_two_fruitless_trainings_in_a_row_are_followed_by_a_pause(
    trainings: list[tuple[bool, int]],
    is_cooling: bool,  # noqa: FBT001
) -> None:
    memory = Memory(trainings=tuple(make_training(helped=helped, days_ago=days) for helped, days in trainings))

    found = plan({}, new_data=NEWS, memory=memory)

    assert (found.obstacle == "cooldown") is is_cooling
    assert ("Retraining did not help" in found.why_not) is is_cooling
    if is_cooling:
        assert found.next == "2026-12-21"


def test_another_released_model_ends_the_pause() -> None:
    memory = Memory(trainings=tuple(make_training(helped=False, days_ago=days, model="b" * 40) for days in (9, 5)))

    assert plan({}, new_data=NEWS, memory=memory).may_train


def test_a_costly_training_and_a_missing_approval_wait_for_a_person() -> None:
    memory = Memory(trainings=(make_training(helped=True, days_ago=20, seconds=7300),))
    costly: dict[str, Any] = {"spec": {"max_minutes": 120}, "new_data": NEWS, "memory": memory}
    careful: dict[str, Any] = {"spec": {"approval": True}, "new_data": NEWS}

    assert plan({}, **costly).obstacle == "cost"
    assert plan({}, **careful).obstacle == "approval"
    assert plan({}, **costly, approved=True).may_train
    assert plan({}, **careful, approved=True).may_train


def test_a_persons_wish_is_a_reason_and_overrides_every_obstacle() -> None:
    memory = Memory(trainings=tuple(make_training(helped=False, days_ago=days) for days in (9, 5)))

    found = plan({"new_data": False}, spec={"approval": True}, memory=memory, force=True)

    assert [reason.kind for reason in found.reasons] == ["forced"]
    assert found.may_train


def test_the_memory_forgets_the_oldest_and_finds_by_key() -> None:
    memory = Memory()
    for number in range(70):
        memory = memory.add(make_training(helped=False, days_ago=number)).add_head(f"{number:040x}")

    assert len(memory.trainings) == 60
    assert memory.find("0-False") is None
    assert memory.find("69-False") == memory.last
    assert len(memory.heads) == 30
