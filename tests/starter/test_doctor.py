"""`metricgate doctor`: each thing that stops a first run, and its cure."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from metricgate.cli import commands
from metricgate.revisions.checkout import Checkout
from metricgate.starter.checkup_finding import Finding, Level
from metricgate.starter.policy_checkup import examine_policy
from metricgate.starter.project_checkup import examine
from metricgate.starter.workflow_checkup import examine_workflows
from tests.churn import Churn

EXAMPLES = sorted((Path(__file__).parents[2] / "examples/workflows").glob("*.yml"))
WORKFLOW = """\
on: {pull_request: }
jobs:
  gate:
    runs-on: ubuntu-latest
    permissions: {contents: read, checks: write, pull-requests: write}
    steps:
      - uses: metricgate/metricgate@v1
"""


def examine_all(churn: Churn) -> list[Finding]:
    return list(examine(Checkout.open(churn.repository)))


def examine_workflow_files(churn: Churn) -> list[Finding]:
    return list(examine_workflows(Checkout.open(churn.repository)))


def test_it_forecasts_that_each_pull_request_trains_the_baseline(churn: Churn) -> None:
    churn.write(".github/workflows/gate.yml", WORKFLOW)
    forecast = "every pull request trains the baseline again"
    assert [finding.level for finding in examine_workflow_files(churn) if forecast in finding.what] == [Level.NOTICE]

    churn.write(".github/workflows/main.yml", WORKFLOW.replace("pull_request", "push", 1))
    assert not [finding for finding in examine_workflow_files(churn) if forecast in finding.what]


def find(findings: list[Finding], text: str) -> Finding:
    found = [finding for finding in findings if text in finding.what]
    assert found, [finding.what for finding in findings]
    return found[0]


def run_doctor(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> Result:
    monkeypatch.chdir(churn.repository)
    return CliRunner().invoke(commands, ["doctor"], catch_exceptions=False, standalone_mode=False)


def test_a_healthy_project_has_nothing_broken(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    churn.write(".github/workflows/gate.yml", WORKFLOW)

    result = run_doctor(churn, monkeypatch)

    assert result.return_value == 0
    assert "broken" not in result.output
    for fine in (
        "the baseline is main",
        "answers, and has everything",
        "4 gates",
        "1,409 rows",
        "gate.yml: its events",
    ):
        assert fine in result.output


def test_what_is_broken_makes_the_exit_code(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(churn.remote)

    result = run_doctor(churn, monkeypatch)

    assert result.return_value == 2
    assert "dvc push" in result.output


def test_data_that_was_never_pushed_is_found(churn: Churn) -> None:
    churn.write("data/more.csv", "a,b\n1,2\n")
    churn.dvc("add", "--quiet", "data/more.csv")

    finding = find(examine_all(churn), "data/more.csv")

    assert (finding.level, finding.cure) == (Level.BROKEN, "dvc push")


@pytest.mark.parametrize(
    ("path", "before", "after", "found"),
    [
        ("metricgate.yaml", "score: churn_probability", "score: churn_probabilty", "no column 'churn_probabilty'"),
        ("metricgate.yaml", "max_drop: 0.025", "max_dorp: 0.025", "max_dorp"),
        ("metricgate.yaml", "eval/predictions.csv", "eval/prediction.csv", "eval/prediction.csv are not here"),
        ("metricgate.yaml", "metric: roc_auc", "metric: metrics.json:auc", "auc of metrics.json, which has accuracy"),
        ("metricgate.yaml", "metric: roc_auc", "metric: metrics.json:acuracy", "acuracy of metrics.json"),
        ("metricgate.yaml", "metric: roc_auc", "metric: scores.json:auc", "A gate reads scores.json"),
        ("metricgate.yaml", "metric: roc_auc", "metric: my_metric", "no metric 'my_metric'"),
        ("metricgate.yaml", "metric: roc_auc", "metric: log_loss", "says max_drop"),
        ("metricgate.yaml", "metric: roc_auc", "metric: mean(nothing)", "mean(nothing)"),
    ],
)
def test_a_policy_that_does_not_fit_the_files(churn: Churn, path: str, before: str, after: str, found: str) -> None:
    churn.replace(path, before, after)

    finding = find(list(examine_policy(Checkout.open(churn.repository))), found)

    assert finding.level is Level.BROKEN
    assert finding.cure


@pytest.mark.parametrize(
    ("address", "said"),
    [("/nowhere/remote", "the folder /nowhere/remote does not exist"), ("ssh://127.0.0.1:9/data", "127.0.0.1:9")],
)
def test_a_remote_that_cannot_be_reached_is_not_taken_for_an_empty_one(churn: Churn, address: str, said: str) -> None:
    (churn.repository / ".dvc/config.local").unlink(missing_ok=True)
    churn.write(".dvc/config", f"[core]\n    remote = storage\n['remote \"storage\"']\n    url = {address}\n")

    findings = examine_all(churn)

    assert said in find(findings, "cannot be reached").what
    assert not [finding for finding in findings if "not on the DVC remote" in finding.what]


def test_a_pipeline_without_dvc_init_is_broken(churn: Churn) -> None:
    shutil.rmtree(churn.repository / ".dvc")

    finding = find(examine_all(churn), "no .dvc folder")

    assert (finding.level, finding.cure) == (Level.BROKEN, "Run `dvc init`, and commit .dvc.")


def test_an_output_that_git_tracks_is_found_before_anything_is_trained(churn: Churn) -> None:
    churn.git("add", "--force", "eval/predictions.csv")

    finding = find(examine_all(churn), "Git tracks eval/predictions.csv")

    assert finding.level is Level.BROKEN
    assert "git rm -r --cached eval/predictions.csv" in finding.cure


def test_a_policy_that_can_never_block_is_broken(churn: Churn) -> None:
    churn.write("metricgate.yaml", "confidence: 0.9\n")

    finding = find(list(examine_policy(Checkout.open(churn.repository))), "has no gate")

    assert finding.level is Level.BROKEN
    assert "gates:" in finding.cure


@pytest.mark.parametrize(
    ("before", "after", "found", "level"),
    [
        ("{pull_request: }", "pull_request_target", "pull_request_target", Level.BROKEN),
        ("{pull_request: }", "{pull_request: {paths: [src/**]}}", "paths filter", Level.NOTICE),
        ("checks: write", "checks: read", "`checks: write`", Level.NOTICE),
        (", pull-requests: write", "", "`pull-requests: write`", Level.NOTICE),
        (
            "    permissions: {contents: read, checks: write, pull-requests: write}\n",
            "",
            "no permissions",
            Level.NOTICE,
        ),
        ("@v1", "@v1\n        with: {polcy: x}", "'polcy', which does not exist", Level.BROKEN),
        ("jobs:", "jobs: [", "gate.yml", Level.BROKEN),
    ],
)
def test_a_workflow_that_would_not_work(churn: Churn, before: str, after: str, found: str, level: Level) -> None:
    assert before in WORKFLOW
    churn.write(".github/workflows/gate.yml", WORKFLOW.replace(before, after))

    assert find(examine_workflow_files(churn), found).level is level


def test_nothing_is_wrong_with_the_examples(churn: Churn) -> None:
    for path in EXAMPLES:
        churn.write(f".github/workflows/{path.name}", path.read_text(encoding="utf-8"))

    assert [finding.what for finding in examine_workflow_files(churn)] == [
        f"{path.name}: its events, permissions and inputs are right." for path in EXAMPLES
    ]


def test_a_file_that_is_not_a_workflow_is_a_finding(churn: Churn) -> None:
    texts = ["jobs:\n  gate:\n", "jobs: [gate]\n", "jobs: {gate: {steps: [a, null]}}\n", "- a\n"]
    for number, text in enumerate(texts):
        churn.write(f".github/workflows/{number}.yml", f"# metricgate/metricgate@v1\n{text}")

    assert len(examine_workflow_files(churn)) == len(texts)


def test_an_input_that_is_a_variable_is_checked_too(churn: Churn) -> None:
    example = next(path for path in EXAMPLES if path.stem == "gpu-self-hosted").read_text(encoding="utf-8")
    churn.write(".github/workflows/gate.yml", example.replace("INPUT_TIMEOUT-MINUTES", "INPUT_TIMEOUT-MINUTE"))

    assert find(examine_workflow_files(churn), "'timeout-minute', which does not exist").level is Level.BROKEN


def test_permissions_that_are_not_needed_are_not_asked_for(churn: Churn) -> None:
    text = WORKFLOW.replace(", checks: write, pull-requests: write", "")
    churn.write(".github/workflows/gate.yml", text + "        with: {comment: never, check: none}\n")

    assert find(examine_workflow_files(churn), "gate.yml").level is Level.FINE


def test_without_a_remote_policy_or_workflow_each_is_named(churn: Churn) -> None:
    for path in (".dvc/config", ".dvc/config.local"):
        churn.write(path, "")
    (churn.repository / "metricgate.yaml").unlink()

    findings = examine_all(churn)

    assert find(findings, "DVC has no remote").level is Level.BROKEN
    assert find(findings, "There is no metricgate.yaml").cure == "metricgate init"
    assert find(findings, "No workflow uses MetricGate").cure == "metricgate init"
