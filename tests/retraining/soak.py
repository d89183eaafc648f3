"""Twelve months of a churn model in front of the fake GitHub: a shift in month five, decaying labels from month eight.

Everything but GitHub is real: Git, DVC with an import and a remote, the pipeline, `monitor:` and `mode: retrain` every
month, twice where the first run trains or might. A person merges what is offered.
"""

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ruamel.yaml import YAML

from tests.retraining.job import RetrainJobs
from tests.retraining.projects import ROWS_A_MONTH, RetrainProject

MONTHS = range(2, 13)
SHIFT, DECAY = 5, 8
TWICE = (4, SHIFT, DECAY, DECAY + 1, DECAY + 2)  # elsewhere a second run would repeat the first
START = datetime(2026, 1, 5, tzinfo=UTC)
POLICY = """\
predictions: {path: eval/predictions.csv, id: id, label: churned, score: score}
gates:
  - {metric: accuracy, max_drop: 0.03}
evaluation:
  command: python src/evaluate.py
  model: models/model.json
  data: data/test.csv
  train: data/train.csv
monitor:
  current: fresh/rows.csv
  features: [usage]
  id: id
  labels: churned
retrain:
  when: {new_data: false, drift: [usage, predictions], performance: true}
  min_gain: {accuracy: 0}
  cooldown: 120d
"""


@dataclass(frozen=True, kw_only=True)
class Month:
    """What a month looked like: the released model's accuracy on its rows, and what its runs did."""

    number: int
    accuracy: float
    verdicts: tuple[str, ...]
    is_due: bool
    trainings: int  # so far
    offered: bool
    dashboard: str  # its first line


@dataclass(frozen=True, kw_only=True)
class Soak:
    """The whole year; ``body`` is of the pull request that was opened."""

    months: tuple[Month, ...]
    pull_requests: int
    body: str
    accuracy_before: float
    accuracy_after: float

    def month(self, number: int) -> Month:
        return next(one for one in self.months if one.number == number)


def prepare(project: RetrainProject) -> None:
    """Let the released model be watched, and ignore where the fresh rows arrive."""
    project.write(".gitignore", "/metricgate-report\n/.metricgate\n/fresh\n")
    project.write_policy(POLICY)


def make_rows(month: int) -> list[tuple[str, float, int]]:
    """Return a month's customers: id, usage, churned. From month five on they use more, and churn at another cut."""
    chance = random.Random(f"soak-{month}")
    cut = 0.8 if month >= SHIFT else 0.0
    wrong = 0.1 if month < DECAY else min(0.1 + 0.1 * (month - DECAY + 1), 0.4)
    rows = []
    for number in range(ROWS_A_MONTH):
        usage = chance.gauss(0.6 if month >= SHIFT else 0.0, 1)
        churned = (usage > cut) != (chance.random() < wrong)
        rows.append((str(month * 10_000 + number), round(usage, 4), int(churned)))
    return rows


def read_model(jobs: RetrainJobs) -> dict[str, float]:
    """Return the released model: what main's dvc.lock names, from the DVC remote."""
    assert jobs.fake.git
    lock = YAML(typ="safe").load(jobs.fake.git.run("show", f"{jobs.main}:dvc.lock"))
    [out] = lock["stages"]["train"]["outs"]
    digest = str(out["md5"])
    found: dict[str, float] = json.loads(
        (jobs.project.remote / "files/md5" / digest[:2] / digest[2:]).read_text(encoding="utf-8")
    )
    return found


def deliver(jobs: RetrainJobs, month: int) -> float:
    """Let the month's rows arrive at the import's source and, with the released model's answers, where it is watched."""
    rows = make_rows(month)
    with jobs.project.source.open("a", encoding="utf-8") as file:
        file.writelines(f"{id_},{month},{usage},{churned}\n" for id_, usage, churned in rows)
    model = read_model(jobs)
    answers = [1 / (1 + 2.718281828 ** (-3 * model["sign"] * (usage - model["cut"]))) for _, usage, _ in rows]
    jobs.fresh = "id,month,usage,churned,score\n" + "".join(
        f"{id_},{month},{usage},{churned},{answer:.6f}\n"
        for (id_, usage, churned), answer in zip(rows, answers, strict=True)
    )
    right = sum((answer >= 0.5) == bool(churned) for (_, _, churned), answer in zip(rows, answers, strict=True))
    accuracy: float = right / len(rows)
    return accuracy


def run_year(jobs: RetrainJobs, say: object = None) -> Soak:
    """Run the year, and return what happened."""
    prepare(jobs.project)
    months, body = [], ""
    for number in MONTHS:
        jobs.now = START + timedelta(days=30 * number)
        accuracy = deliver(jobs, number)
        results = []
        for _ in range(1 + (number in TWICE)):
            results.append(jobs.run())
            jobs.now += timedelta(days=7)
        offered = bool(jobs.open_requests)
        if offered:
            body = jobs.open_requests[0].body
            jobs.merge()
        months.append(
            Month(
                number=number,
                accuracy=accuracy,
                verdicts=tuple(one.outputs.get("verdict", "error") for one in results),
                is_due="**Reason:**" in results[0].summary,
                trainings=jobs.count_trainings(),
                offered=offered,
                dashboard=jobs.dashboard.body.split("\n", 2)[1].removeprefix("## "),
            )
        )
        if callable(say):
            say(months[-1])
    merged = next((one.number for one in months if one.offered), 0)
    return Soak(
        months=tuple(months),
        pull_requests=len(jobs.fake.pull_requests),
        body=body,
        accuracy_before=next(one.accuracy for one in months if one.number == merged),
        accuracy_after=next(one.accuracy for one in months if one.number == merged + 1),
    )
