"""`metricgate verify`: a signed statement proves one thing only, and nothing else passes for it."""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from metricgate.cli import commands
from metricgate.errors import MetricgateError
from metricgate.models.outcome import Verdict
from metricgate.models.proof import JudgedModel
from metricgate.publish.files import write_report
from metricgate.report.formats.statement import PREDICATE_TYPE, STATEMENT_TYPE, render_proof
from metricgate.report.value import Acceptance, Report
from tests.github.job import make_report

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
TYPE = "application/vnd.in-toto+json"
MODEL = b"the weights"


def judge(verdict: Verdict = Verdict.PASSED, *, judged: datetime | None = None, **changes: Any) -> Report:
    model = JudgedModel(
        path="models/model.joblib",
        sha256=hashlib.sha256(MODEL).hexdigest(),
        policy="metricgate.yaml at main",
        policy_sha256="b" * 64,
        judged=(judged or datetime.now(UTC)).isoformat(),
    )
    return make_report(verdict).model_copy(update={"model": model, **changes})


def state(report: Report) -> dict[str, Any]:
    statement: dict[str, Any] = json.loads(render_proof(report, b"{}")["statement.json"])
    return statement


def sign(key: PrivateKey, payload: bytes, kind: str = TYPE) -> dict[str, Any]:
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    match key:
        case ed25519.Ed25519PrivateKey():
            signature = key.sign(message)
        case ec.EllipticCurvePrivateKey():
            is_384 = key.curve.name == "secp384r1"
            signature = key.sign(message, ec.ECDSA(hashes.SHA384() if is_384 else hashes.SHA256()))
        case _:
            raise AssertionError(key)
    encoded = {"payload": payload, "sig": signature}
    texts = {name: base64.b64encode(value).decode() for name, value in encoded.items()}
    return {"payload": texts["payload"], "payloadType": kind, "signatures": [{"sig": texts["sig"], "keyid": ""}]}


class Deployment:
    """A folder with a model, a key and a bundle, and the command that a deployment runs first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key: PrivateKey = ec.generate_private_key(ec.SECP256R1())
        self.model = folder / "model.joblib"
        self.model.write_bytes(MODEL)
        self.write_key(self.key)

    def write_key(self, key: PrivateKey) -> None:
        text = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.folder / "key.pem").write_bytes(text)

    def bundle(self, *documents: Any) -> None:
        lines = [json.dumps(document) for document in documents]
        (self.folder / "bundle.json").write_text("\n".join(lines), encoding="utf-8")

    def sign(self, *statements: Mapping[str, Any]) -> None:
        self.bundle(*(sign(self.key, json.dumps(statement).encode()) for statement in statements))

    def verify(self, *options: str) -> Result:
        files = ["--bundle", str(self.folder / "bundle.json"), "--key", str(self.folder / "key.pem")]
        return CliRunner().invoke(
            commands, ["verify", "--model", str(self.model), *files, *options], standalone_mode=False
        )

    def refuse(self, *options: str) -> str:
        """Verify what must be refused, and return why."""
        error = self.verify(*options).exception
        assert isinstance(error, MetricgateError), error
        assert error.exit_code == 2
        return error.what


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


@pytest.mark.parametrize(
    "make_key",
    [
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate,
    ],
)
def test_exactly_the_judged_model_is_let_through(deployment: Deployment, make_key: Callable[[], PrivateKey]) -> None:
    deployment.key = make_key()
    deployment.write_key(deployment.key)
    deployment.sign(state(judge()))

    done = deployment.verify("--max-age", "30")

    assert (done.return_value, done.exception) == (0, None)
    assert done.output.startswith("passed: ")
    assert hashlib.sha256(MODEL).hexdigest() in done.output


def test_a_sigstore_bundle_holds_an_envelope(deployment: Deployment) -> None:
    envelope = sign(deployment.key, json.dumps(state(judge())).encode())
    deployment.bundle({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": envelope})

    assert deployment.verify().return_value == 0


@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.SKIPPED])
def test_a_model_that_did_not_pass_is_told_apart(deployment: Deployment, verdict: Verdict) -> None:
    deployment.sign(state(judge(verdict)))

    done = deployment.verify()

    assert done.return_value == 1
    assert f"not passed ({verdict.value})" in done.output


def test_a_verdict_that_a_person_accepted_says_so(deployment: Deployment) -> None:
    deployment.sign(state(judge(accepted=Acceptance(by="ann"))))

    done = deployment.verify()

    assert done.return_value == 0
    assert "accepted by ann" in done.output


def test_another_file_is_refused(deployment: Deployment) -> None:
    deployment.sign(state(judge()))
    deployment.model.write_bytes(MODEL + b"!")

    assert "No statement is about" in deployment.refuse()


def change(statement: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    part: Any = statement
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    return statement


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1"),
        (("predicateType",), "https://slsa.dev/provenance/v1"),
        (("subject",), []),
        (("subject", 0, "digest"), {"sha256": "0" * 64}),
        (("subject", 0, "digest"), {"sha512": hashlib.sha256(MODEL).hexdigest()}),
        (("predicate", "configuration", 0, "digest"), {"sha256": "0" * 64}),
        (("predicate", "configuration", 0, "annotations"), {}),
        (("predicate", "configuration", 1, "name"), "other.json"),
        (("predicate", "configuration", 1, "annotations", "judged"), "yesterday"),
        (("predicate", "configuration", 1, "annotations", "judged"), "2026-01-01T00:00:00"),
        (("predicate", "result"), "OK"),
        (("predicate",), []),
    ],
)
def test_a_signed_statement_that_says_something_else_is_refused(
    deployment: Deployment, place: tuple[Any, ...], value: Any
) -> None:
    deployment.sign(change(state(judge()), place, value))

    assert "No statement is about" in deployment.refuse()


def test_a_result_without_its_verdict_does_not_pass(deployment: Deployment) -> None:
    deployment.sign(change(state(judge(Verdict.FAILED)), ("predicate", "result"), "PASSED"))

    assert deployment.verify().return_value == 1


def test_a_tampered_or_foreign_envelope_is_refused(deployment: Deployment) -> None:
    good = sign(deployment.key, json.dumps(state(judge())).encode())
    failed = sign(deployment.key, json.dumps(state(judge(Verdict.FAILED))).encode())
    foreign = sign(ec.generate_private_key(ec.SECP256R1()), json.dumps(state(judge())).encode())
    envelopes: tuple[Any, ...] = (
        {**failed, "payload": good["payload"]},
        {**good, "payload": good["payload"][:-4] + "AAAA"},
        {**good, "payloadType": "text/plain"},
        {**good, "signatures": []},
        {**good, "signatures": [{"sig": "?"}, {"sig": None}, 7]},
        {**good, "payload": None},
        foreign,
        sign(deployment.key, json.dumps(state(judge())).encode(), "application/json"),
        sign(deployment.key, b"not json"),
        sign(deployment.key, b"[]"),
        {"dsseEnvelope": "x"},
        [],
        {},
    )
    for envelope in envelopes:
        deployment.bundle(envelope)
        assert "no statement that this key signed" in deployment.refuse(), envelope


def test_an_expired_statement_and_one_of_the_future_are_refused(deployment: Deployment) -> None:
    deployment.sign(state(judge(judged=datetime.now(UTC) - timedelta(days=31))))
    assert "has expired" in deployment.refuse("--max-age", "30")
    assert deployment.verify("--max-age", "32").return_value == 0

    deployment.sign(state(judge(judged=datetime.now(UTC) + timedelta(days=1))))
    assert "made in the future" in deployment.refuse()


def test_an_old_pass_is_no_way_around_a_newer_failure(deployment: Deployment) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)

    deployment.sign(state(judge(judged=yesterday)), state(judge(Verdict.FAILED)))
    assert deployment.verify().return_value == 1
    deployment.sign(state(judge()), state(judge(Verdict.FAILED, judged=yesterday)))
    assert deployment.verify().return_value == 0


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("bundle.json", "no json", "is not JSON"),
        ("bundle.json", "[" * 200_000, "is not JSON"),
        ("key.pem", "no key", "is not a usable public key"),
        ("bundle.json", None, "cannot be read"),
        ("key.pem", None, "cannot be read"),
        ("model.joblib", None, "cannot be read"),
    ],
)
def test_files_that_are_not_what_they_should_be_are_refused(
    deployment: Deployment, name: str, text: str | None, said: str
) -> None:
    deployment.sign(state(judge()))
    if text is None:
        (deployment.folder / name).unlink()
    else:
        (deployment.folder / name).write_text(text, encoding="utf-8")

    assert said in deployment.refuse()


def test_a_kind_of_key_that_is_not_known_is_refused(deployment: Deployment) -> None:
    deployment.sign(state(judge()))
    deployment.write_key(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    assert "is not a usable public key" in deployment.refuse()


def test_somebody_must_have_signed(deployment: Deployment) -> None:
    done = CliRunner().invoke(commands, ["verify", "--model", str(deployment.model)])

    assert done.exit_code == 2
    assert "Say who must have signed" in done.output


def install_gh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program in the place of GitHub's own, which needs GitHub."""
    program = folder / "bin/gh"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(program.parent), os.environ["PATH"]]))


def verify_on_github(deployment: Deployment, *options: str) -> Result:
    command = ["verify", "--model", str(deployment.model), "--repository", "acme/churn", *options]
    return CliRunner().invoke(commands, command, standalone_mode=False)


def test_githubs_own_tool_is_told_who_must_have_signed(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps([{"attestation": {}, "verificationResult": {"statement": state(judge())}}])
    (deployment.folder / "answer.json").write_text(answer, encoding="utf-8")
    script = f'printf "%s\\n" "$@" > {deployment.folder}/asked; cat {deployment.folder}/answer.json'
    install_gh(deployment.folder, monkeypatch, script)
    workflow = "acme/churn/.github/workflows/deploy.yml"

    done = verify_on_github(deployment, "--workflow", workflow, "--ref", "refs/heads/main", "--bundle", "b.jsonl")

    assert done.return_value == 0
    asked = (deployment.folder / "asked").read_text(encoding="utf-8").split("\n")
    assert asked[:3] == ["attestation", "verify", str(deployment.model)]
    pairs = dict(zip(asked[3::2], asked[4::2], strict=False))
    assert pairs == {
        "--predicate-type": PREDICATE_TYPE,
        "--format": "json",
        "--repo": "acme/churn",
        "--signer-workflow": workflow,
        "--source-ref": "refs/heads/main",
        "--bundle": "b.jsonl",
    }


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'no attestations found' >&2; exit 1", "ended with exit code 1"),
        ("echo '[]'", "named no statement"),
        ("echo '{}'", "named no statement"),
        ("echo hello", "gave no readable answer"),
        ('echo \'[{"verificationResult": {"statement": 7}}]\'', "named no statement"),
    ],
)
def test_what_githubs_tool_does_not_prove_is_refused(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    install_gh(deployment.folder, monkeypatch, script)

    error = verify_on_github(deployment).exception

    assert isinstance(error, MetricgateError)
    assert (error.exit_code, said in error.what) == (2, True), error.what


def test_the_statement_names_model_policy_and_report_by_their_digests(tmp_path: Path) -> None:
    write_report(judge(), tmp_path)

    statement = json.loads((tmp_path / "statement.json").read_text(encoding="utf-8"))
    predicate = json.loads((tmp_path / "predicate.json").read_text(encoding="utf-8"))

    assert (statement["_type"], statement["predicateType"]) == (STATEMENT_TYPE, PREDICATE_TYPE)
    assert statement["predicate"] == predicate
    digests = {entry["name"]: entry["digest"]["sha256"] for entry in predicate["configuration"]}
    assert digests == {
        "models/model.joblib": hashlib.sha256(MODEL).hexdigest(),
        "report.json": hashlib.sha256((tmp_path / "report.json").read_bytes()).hexdigest(),
        "metricgate.yaml at main": "b" * 64,
    }


def test_a_statement_of_an_earlier_run_does_not_stay(tmp_path: Path) -> None:
    write_report(judge(), tmp_path)
    write_report(make_report(Verdict.ERROR), tmp_path)

    assert not (tmp_path / "statement.json").exists()
    assert not (tmp_path / "predicate.json").exists()
