"""`metricgate init` writes files that fit the repository, and never overwrites one."""

import pytest
from click.testing import CliRunner, Result

from metricgate.cli import commands
from metricgate.settings.policy_file import read_policy
from tests.churn import Churn


def run_init(churn: Churn, monkeypatch: pytest.MonkeyPatch, *options: str, folder: str = ".") -> Result:
    monkeypatch.chdir(churn.repository / folder)
    return CliRunner().invoke(commands, ["init", *options], catch_exceptions=False, standalone_mode=False)


def read(churn: Churn, path: str) -> str:
    return (churn.repository / path).read_text(encoding="utf-8")


def test_the_policy_names_what_the_predictions_hold(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    (churn.repository / "metricgate.yaml").unlink()

    run_init(churn, monkeypatch)

    policy = read_policy(read(churn, "metricgate.yaml"), origin="metricgate.yaml")
    spec = policy.prediction_sets[""]
    assert (spec.path, spec.id, spec.label, spec.score) == (
        "eval/predictions.csv",
        ("customer_id",),
        "churned",
        "churn_probability",
    )
    assert "contract" in spec.slices
    assert [gate.metric for gate in policy.gates] == ["roc_auc", "accuracy", "accuracy"]


def test_files_that_exist_are_kept_and_compared_with_what_it_would_write(
    churn: Churn, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read(churn, "metricgate.yaml")
    churn.write(".github/workflows/metricgate.yml", "mine\n")

    result = run_init(churn, monkeypatch)

    assert read(churn, "metricgate.yaml") == before
    assert read(churn, ".github/workflows/metricgate.yml") == "mine\n"
    assert result.output.count("kept, differs:") == 2
    assert "    -mine\n" in result.output
    assert "    +  label: churned\n" in result.output or "  score: churn_probability" in result.output


def test_running_it_again_changes_and_says_nothing(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    (churn.repository / "metricgate.yaml").unlink()
    run_init(churn, monkeypatch)

    again = run_init(churn, monkeypatch)

    assert again.output.count("kept:  ") == 2
    assert "differs" not in again.output


def test_a_dry_run_prints_and_writes_nothing(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    (churn.repository / "metricgate.yaml").unlink()

    result = run_init(churn, monkeypatch, "--dry-run")

    assert "{metric: roc_auc, max_drop: 0.02}" in result.output  # 1,409 rows settle 0.02, and not 0.01
    assert "\n    on_inconclusive: ask  #" in result.output
    assert not (churn.repository / "metricgate.yaml").exists()
    assert not (churn.repository / ".github").exists()


@pytest.mark.parametrize(
    ("address", "step"),
    [
        ("s3://bucket/dvc", "aws-actions/configure-aws-credentials@"),
        ("gs://bucket/dvc", "google-github-actions/auth@"),
        ("azure://container/dvc", "azure/login@"),
    ],
)
def test_the_workflow_fits_the_dvc_remote(
    churn: Churn, monkeypatch: pytest.MonkeyPatch, address: str, step: str
) -> None:
    (churn.repository / ".dvc/config.local").unlink()
    churn.replace(".dvc/config", str(_committed_remote(churn)), address)

    result = run_init(churn, monkeypatch)

    assert step in read(churn, ".github/workflows/metricgate.yml")
    assert "Set your own role or account" in result.output


def _committed_remote(churn: Churn) -> str:
    return read(churn, ".dvc/config").rsplit("url = ", 1)[1].strip()


@pytest.mark.acceptance
def test_without_predictions_the_metrics_of_the_files_are_judged(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("metricgate.yaml", "eval/predictions.csv", "eval/roc.csv"):
        (churn.repository / path).unlink()
    churn.replace("dvc.yaml", "eval/predictions.csv", "eval/rows.bin")

    result = run_init(churn, monkeypatch)

    text = read(churn, "metricgate.yaml")
    assert "  - {metric: metrics.json:log_loss, max_increase: 5%}\n" in text
    assert "metrics.json:roc_auc" in {gate.metric for gate in read_policy(text, origin="metricgate.yaml").gates}
    assert "Let the pipeline write its predictions" in result.output


@pytest.mark.acceptance
def test_predictions_that_were_not_pulled_are_named(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("metricgate.yaml", "eval/predictions.csv"):
        (churn.repository / path).unlink()

    run_init(churn, monkeypatch)

    policy = read_policy(text := read(churn, "metricgate.yaml"), origin="metricgate.yaml")
    assert "# eval/predictions.csv is missing: run `dvc pull` or `dvc repro`." in text
    assert policy.predictions is None


@pytest.mark.parametrize("name", ["yes", "a: b", "# no", "on", "1", "co lumn", "é"])
def test_any_column_name_survives_yaml(churn: Churn, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (churn.repository / "metricgate.yaml").unlink()
    header, rest = read(churn, "eval/predictions.csv").split("\n", 1)
    (churn.repository / "eval/predictions.csv").unlink()
    churn.write("eval/predictions.csv", header.replace("contract", name) + "\n" + rest)

    run_init(churn, monkeypatch)

    policy = read_policy(read(churn, "metricgate.yaml"), origin="metricgate.yaml")
    assert name in policy.prediction_sets[""].slices
