"""Whether verified statements say that exactly this file passed, and lately enough."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metricgate.proof.envelope import ProofError
from metricgate.proof.judged_file import hash_file
from metricgate.report.formats.statement import PREDICATE_TYPE, STATEMENT_TYPE

_SKEW = timedelta(minutes=5)  # between the clocks of two machines
_Digest = Mapping[str, str]


class _Described(BaseModel):
    """A resource of a statement; what other tools add is not read."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    name: str = ""
    digest: _Digest = {}
    annotations: Mapping[str, Any] = {}


class _Predicate(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: list[_Described] = Field(min_length=1)


class _Statement(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, populate_by_name=True)

    type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: list[_Described] = Field(min_length=1)
    predicate_type: Literal["https://in-toto.io/attestation/test-result/v0.1"] = Field(alias="predicateType")
    predicate: _Predicate


assert STATEMENT_TYPE in str(_Statement.model_fields["type"].annotation)  # noqa: S101  one constant, written twice
assert PREDICATE_TYPE in str(_Statement.model_fields["predicate_type"].annotation)  # noqa: S101


@dataclass(frozen=True, kw_only=True)
class VerifiedModel:
    """What the newest statement about a file says; ``passed`` is all that a deployment needs."""

    sha256: str
    passed: bool
    verdict: str
    judged: datetime
    revision: str
    accepted_by: str
    policy: str


def check_statements(
    model: Path, statements: Iterable[Mapping[str, Any]], *, now: datetime, max_age: timedelta | None = None
) -> VerifiedModel:
    """Return what the newest of verified ``statements`` says of a file.

    A statement counts if the file is its subject, and the model that was judged. An older one that passed is no way
    around a newer one that failed.

    Raises
    ------
    ProofError
        If none is about this file, or the newest is older than ``max_age``.
    """
    try:
        sha256 = hash_file(model)
    except OSError as error:
        raise ProofError(
            f"The model {model} cannot be read: {error.strerror}.",
            expected="the file that is to be deployed.",
            fix="correct the path.",
        ) from error
    found = [entry for statement in statements if (entry := _read(statement, sha256)) is not None]
    if not found:
        raise ProofError(
            f"No statement is about {model} (SHA-256 {sha256}).",
            expected="a statement of MetricGate about exactly this file, as the judged model.",
            fix="do not deploy. Take the file that was judged, or have this one judged.",
        )
    newest = max(found, key=lambda entry: (entry.judged, not entry.passed))
    if newest.judged > now + _SKEW:
        raise ProofError(
            f"The statement about {model} was made in the future ({newest.judged.isoformat()}).",
            expected="a time before now.",
            fix="do not deploy before the clocks of both machines are right.",
        )
    if max_age is not None and now - newest.judged > max_age:
        raise ProofError(
            f"The statement about {model} has expired: it is of {newest.judged.isoformat()}.",
            expected=f"one that is at most {max_age.days} days old.",
            fix="run MetricGate on this model again, and sign the new statement.",
        )
    return newest


def _read(raw: Mapping[str, Any], sha256: str) -> VerifiedModel | None:
    """Return what a statement says of the file with this hash; None where it is about another, or of another kind."""
    try:
        statement = _Statement.model_validate(dict(raw))
    except ValidationError:
        return None
    entries = statement.predicate.configuration
    judged_files = [entry for entry in entries if entry.annotations.get("role") == "model"]
    is_subject = any(entry.digest.get("sha256") == sha256 for entry in statement.subject)
    is_judged = len(judged_files) == 1 and judged_files[0].digest.get("sha256") == sha256
    report = next((entry for entry in entries if entry.name == "report.json"), None)
    judged = _read_time(report.annotations.get("judged")) if report else None
    if not is_subject or not is_judged or report is None or judged is None:
        return None
    said = {name: str(report.annotations.get(name, "")) for name in ("verdict", "revision", "acceptedBy")}
    return VerifiedModel(
        sha256=sha256,
        passed=statement.predicate.result == "PASSED" and said["verdict"] == "passed",
        verdict=said["verdict"],
        judged=judged,
        revision=said["revision"],
        accepted_by=said["acceptedBy"],
        policy=next((entry.name for entry in entries if entry.annotations.get("role") == "policy"), ""),
    )


def _read_time(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
