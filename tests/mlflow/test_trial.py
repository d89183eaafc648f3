"""`metricgate notify --test` and `metricgate doctor` reach the server, and leave nothing behind."""

from collections.abc import Callable

import pytest

from metricgate.cli import commands
from metricgate.revisions.checkout import Checkout
from metricgate.starter.checkup_finding import Level
from metricgate.starter.notification_checkup import examine_notifications
from tests.mlflow.fake import FakeMlflow, Fault
from tests.mlflow.repository import Repository

SECRETS = {"INPUT_MLFLOW_USERNAME": "ann", "INPUT_MLFLOW_PASSWORD": "s3cr3tword"}
Try = Callable[[str], tuple[object, str]]
REFUSED = Fault(path="/", status=401, body=b"You are not authenticated.")


@pytest.fixture
def try_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Try:
    def run(url: str) -> tuple[object, str]:
        for name, value in {**SECRETS, "INPUT_MLFLOW_URI": url}.items():
            monkeypatch.setenv(name, value)
        return commands.main(["notify", "--test"], standalone_mode=False), capsys.readouterr().out

    return run


@pytest.mark.parametrize(("faults", "code", "told"), [([], 0, "accepted a run"), ([REFUSED], 5, "did not accept")])
def test_a_test_makes_a_run_and_deletes_it(
    mlflow: FakeMlflow, try_it: Try, faults: list[Fault], code: int, told: str
) -> None:
    mlflow.faults = faults

    found, out = try_it(mlflow.url)

    assert found == code
    assert told in out
    assert [word for word in ("s3cr3tword", mlflow.url) if word in out] == []
    assert mlflow.active == []


@pytest.mark.parametrize(
    ("faults", "level", "told"), [([], Level.FINE, "knows the user"), ([REFUSED], Level.BROKEN, "did not accept")]
)
def test_the_doctor_asks_without_writing(
    mlflow: FakeMlflow, repository: Repository, faults: list[Fault], level: Level, told: str
) -> None:
    repository.commit(0.1)
    mlflow.faults = faults
    environ = {**SECRETS, "INPUT_MLFLOW_URI": mlflow.url}

    [finding] = examine_notifications(Checkout.open(repository.root), environ)

    assert finding.level is level
    assert told in finding.what
    assert (mlflow.runs, mlflow.experiments) == ({}, [])


@pytest.mark.parametrize("name", ["mlflow-token", "mlflow-password"])
def test_the_doctor_finds_a_secret_in_plain_text(repository: Repository, name: str) -> None:
    workflow = repository.root / ".github/workflows/gate.yml"
    workflow.parent.mkdir(parents=True)
    step = f"{{uses: metricgate/metricgate@v1, with: {{mlflow-uri: 'http://m', {name}: word}}}}"
    workflow.write_text(f"on: push\njobs: {{a: {{runs-on: x, steps: [{step}]}}}}\n", encoding="utf-8")
    repository.commit(0.1)

    [finding] = examine_notifications(Checkout.open(repository.root), {})

    assert f"has the input `{name}` in plain text" in finding.what
