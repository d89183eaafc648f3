"""The report as an MLflow run: parameters, metrics with their intervals, tags. What MLflow would refuse is spelled otherwise.

MLflow refuses some names, cuts long parameters without a word, and shows an infinite metric as 1.8e308. Source: MLflow,
``mlflow/utils/validation.py``; all of it was met on MLflow 2.22 and 3.17.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from metricgate.models.outcome import Verdict
from metricgate.models.result import MetricRow
from metricgate.models.snapshot import Scalar
from metricgate.report.escape import clean, escape_sentence, shorten
from metricgate.report.headline import headline
from metricgate.report.value import Report

V = TypeVar("V")
MAX_KEY = 250
MAX_PARAMETER = 6000
MAX_TAG = 5000
MAX_ROWS = 2000
MAX_SLICES = 200
COMMIT_TAG: Final = "git.commit"
_REFUSED = re.compile(r"[^\w./: -]")
_FORGED = re.compile(r"/{2,}|(?<![^/])\.{1,2}(?![^/])")  # MLflow takes a name for a path, and wants it plain


@dataclass(frozen=True, kw_only=True)
class MlflowRecord:
    """What a run on an MLflow server gets."""

    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RecordPlace:
    """Where a run belongs, as GitHub says it."""

    repository: str = ""
    repository_url: str = ""
    run_url: str = ""
    branch: str = ""
    pull_request: int | None = None
    commit: str = ""
    links: Mapping[str, str] = field(default_factory=dict)  # text to address


def render_record(report: Report, place: RecordPlace, *, prefix: str = "") -> MlflowRecord:
    """Return the record of a report; ``prefix`` keeps its metrics apart from those of a run that training logged."""
    subject = f"#{place.pull_request} {place.branch}" if place.pull_request else place.branch
    return MlflowRecord(
        name=shorten(f"{clean(subject)} {place.commit[:9]}".strip(), MAX_KEY) or report.id,
        params=_collect((_name_parameter(one.file, one.key), _write_value(one.value)) for one in report.parameters),
        metrics=_collect((f"{prefix}{name}", value) for name, value in _list_metrics(report)),
        tags=_cut_tags(dict(_list_tags(report, place))),
    )


def name_status(report: Report) -> str:
    """Return how MLflow calls the end of such a run."""
    return "FAILED" if report.verdict in (Verdict.ERROR, Verdict.CANCELLED) else "FINISHED"


def spell_key(name: str) -> str:
    """Return a name that MLflow accepts for a parameter, a metric or a tag."""
    plain = _FORGED.sub("_", _REFUSED.sub("_", clean(name))).strip("/") or "_"
    return plain if len(plain) <= MAX_KEY else shorten(plain, MAX_KEY).replace("…", "_")


def _collect(pairs: Iterable[tuple[str, V]]) -> dict[str, V]:
    """Return the pairs by keys that MLflow accepts; of keys that it makes equal, the later ones get a number."""
    found: dict[str, V] = {}
    for name, value in pairs:
        key, number = spell_key(name), 2
        while key in found:
            key, number = f"{spell_key(name)[: MAX_KEY - 5]}_{number}", number + 1
        found[key] = value
    return found


def _name_parameter(file: str, key: str) -> str:
    return key if file == "params.yaml" else f"{file}:{key}"


def _write_value(value: Scalar) -> str:
    """Return a value as text, shortened where MLflow would cut it without a word."""
    text = "" if value is None else str(value)
    note = f"… ({len(text):,} characters)"
    return text if len(text) <= MAX_PARAMETER else text[: MAX_PARAMETER - len(note)] + note


def _list_metrics(report: Report) -> Iterator[tuple[str, float]]:
    named = {(gate.set, gate.metric, gate.slice) for gate in report.gates if gate.slice}
    whole = [row for row in report.metrics if row.slice is None]
    slices = [row for row in report.metrics if row.slice and (row.set, row.name, row.slice) in named]
    for row in (*whole[:MAX_ROWS], *slices[:MAX_SLICES]):
        for suffix, value in _list_values(row):
            if value is not None and math.isfinite(value):
                yield f"{_name_metric(row)}{suffix}", value
    for pairing in report.pairings:
        yield (f"{pairing.set}.rows" if pairing.set else "rows"), float(pairing.rows)


def _name_metric(row: MetricRow) -> str:
    name = f"{row.set}.{row.name}" if row.set else row.name
    # A slash would make groups of a value that holds one.
    return f"{name}:{row.slice.column}_{row.slice.value}".replace("/", "_") if row.slice else name


def _list_values(row: MetricRow) -> tuple[tuple[str, float | None], ...]:
    return (
        ("", row.candidate),
        (".low", row.candidate_low),
        (".high", row.candidate_high),
        (".baseline", row.baseline),
        (".difference", row.difference),
        (".difference_low", row.low),
        (".difference_high", row.high),
    )


def _list_tags(report: Report, place: RecordPlace) -> Iterator[tuple[str, str]]:
    links = " · ".join(f"[{text}]({url})" for text, url in place.links.items() if url)
    yield "mlflow.note.content", f"{escape_sentence(headline(report))}\n\n{links}".strip()
    yield "mlflow.source.type", "PROJECT"
    yield "mlflow.source.name", place.repository_url or place.repository
    yield "mlflow.source.git.repoURL", place.repository_url
    yield "mlflow.source.git.branch", place.branch
    yield "mlflow.source.git.commit", place.commit
    yield COMMIT_TAG, place.commit
    yield "metricgate.verdict", report.verdict.value
    yield "metricgate.reason", report.reason
    yield "metricgate.id", report.id
    yield "metricgate.version", report.metricgate
    yield "metricgate.pull_request", str(place.pull_request or "")
    yield "metricgate.run_url", place.run_url
    yield "metricgate.accepted_by", report.accepted.by if report.accepted else ""
    if report.baseline:
        yield "metricgate.baseline", report.baseline.name
        yield "metricgate.baseline_commit", report.baseline.revision or ""
    for entry in report.data:
        if entry.hash:
            yield f"dvc:{entry.path}", entry.hash


def _cut_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: shorten(value, MAX_TAG) for key, value in _collect(tags.items()).items() if value}
