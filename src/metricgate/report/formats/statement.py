"""The verdict as an in-toto statement, with the predicate for test results, version 0.1.

https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
"""

import hashlib
import json
from typing import Any, Final

from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.proof import JudgedModel
from metricgate.models.result import GateRow
from metricgate.report.value import Report

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
PREDICATE, STATEMENT = "predicate.json", "statement.json"
_RESULTS = {Verdict.PASSED: "PASSED", Verdict.INCONCLUSIVE: "WARNED", Verdict.SKIPPED: "WARNED"}


def render_proof(report: Report, report_json: bytes) -> dict[str, str]:
    """Return the statement's files by name: the predicate, for a service that adds the subject, and the whole of it.

    Nothing where the policy names no model, or its file was not found.
    """
    model = report.model
    if model is None or not model.sha256:
        return {}
    predicate = build_predicate(report, model, report_json)
    subject = {"name": model.path, "digest": {"sha256": model.sha256}}
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [subject],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }
    files = {PREDICATE: predicate, STATEMENT: statement}
    return {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in files.items()}


def build_predicate(report: Report, model: JudgedModel, report_json: bytes) -> dict[str, Any]:
    """Return the verdict with its gates; the configuration names model, policy and report by their digests."""
    candidate = report.candidate
    annotations = {
        "verdict": report.verdict.value,
        "judged": model.judged,
        "revision": (candidate.revision or "") if candidate else "",
        "acceptedBy": report.accepted.by if report.accepted else "",
    }
    report_entry = {
        "name": "report.json",
        "digest": {"sha256": hashlib.sha256(report_json).hexdigest()},
        "annotations": annotations,
    }
    configuration = [
        {"name": model.path, "digest": {"sha256": model.sha256}, "annotations": {"role": "model"}},
        report_entry,
    ]
    if model.policy_sha256:
        policy = {"name": model.policy, "digest": {"sha256": model.policy_sha256}, "annotations": {"role": "policy"}}
        configuration.append(policy)
    return {
        "result": _RESULTS.get(report.verdict, "FAILED"),
        "configuration": configuration,
        "passedTests": _list_gates(report, Outcome.PASSED),
        "warnedTests": _list_gates(report, Outcome.INCONCLUSIVE, Outcome.SKIPPED),
        "failedTests": _list_gates(report, Outcome.FAILED, Outcome.ERROR),
    }


def _list_gates(report: Report, *outcomes: Outcome) -> list[str]:
    return [_name(gate) for gate in report.gates if gate.outcome in outcomes]


def _name(gate: GateRow) -> str:
    return f"{gate.set}: {gate.rule}" if gate.set else gate.rule
