"""Deliveries to an MLflow server, without GitHub."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from metricgate.models.outcome import Verdict
from metricgate.models.result import MetricRow
from metricgate.models.snapshot import DataEntry, Parameter
from metricgate.publish.interface import Delivery, Event
from metricgate.publish.mlflow_destination import MlflowDestination
from metricgate.report.value import Report
from metricgate.settings.inputs import read_inputs
from metricgate.settings.mlflow import MlflowSpec
from tests.github.job import HEAD, make_candidate, make_report, make_trigger
from tests.mlflow.fake import FakeMlflow

Record = Callable[..., Delivery]
METRIC = MetricRow(name="roc_auc", candidate=0.84, baseline=0.85, difference=-0.01, low=-0.02, high=0.001)


def judged(verdict: Verdict = Verdict.PASSED, **changes: Any) -> Report:
    fields: dict[str, Any] = {
        "candidate": make_candidate(HEAD),
        "metrics": (METRIC,),
        "parameters": (
            Parameter(file="params.yaml", key="train.depth", value=6),
            Parameter(file="conf/o.yaml", key="x", value=None),
        ),
        "data": (DataEntry(path="data/train.csv", hash="0a1b", size=5),),
    }
    return make_report(verdict, **{**fields, **changes})


def texts(delivery: Delivery) -> list[str]:
    return [notice.text for notice in delivery.event.notices]


@pytest.fixture
def record(mlflow: FakeMlflow, tmp_path: Path) -> Record:
    return make_record(mlflow.url, tmp_path / "folder")


def make_record(url: str, folder: Path) -> Record:
    """Return a function that delivers a report to the server at ``url``."""
    folder.mkdir(exist_ok=True)
    (folder / "report.json").write_text("{}", encoding="utf-8")

    def record(
        report: Report,
        *,
        inputs: Mapping[str, str] | None = None,
        spec: MlflowSpec | None = None,
        model: Path | None = None,
        may_adopt: bool = False,
        within_s: float = 60,
        **changes: Any,
    ) -> Delivery:
        given = read_inputs({f"INPUT_{key.upper()}": text for key, text in (inputs or {}).items()})
        access = replace(given.mlflow, uri=given.mlflow.uri if given.mlflow else SecretStr(url))
        destination = MlflowDestination(
            access=access,
            trigger=make_trigger("http://nowhere.invalid", **changes),
            find_spec=lambda: spec,
            model_folder=model,
            may_adopt=may_adopt,
        )
        event = Event(report=report.model_copy(update={"id": given.id}), directory=folder, name="MetricGate")
        return destination.deliver(event, within_s=within_s)

    return record
