"""Whatever a candidate does to its test set, it is judged on the baseline's rows, labels, weights and slices."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from metricgate.compare import compare_files
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.report.headline import headline
from metricgate.report.value import Report
from tests.cli.tables import write_rows

ROWS = 1000
NAMES = ("id", "label", "prediction", "score", "plan", "weight")
COLUMNS = "id: id, label: label, prediction: prediction, score: score, slices: [plan]"
POLICY = """\
predictions: {path: p.csv, %s}
gates:
  - {metric: accuracy, max_drop: 0.02}
  - {metric: accuracy, min: 0.8}
  - {metric: roc_auc, max_drop: 0.02}
  - {metric: f1, max_drop: 0.03, role: guardrail}
  - {metric: accuracy, slices: [plan], max_drop: 0.05}
  - {metric: accuracy, slices: [plan], min: 0.8}
"""
Row = dict[str, object]
Edit = Callable[[list[Row]], list[Row]]


def make_model(error: float, seed: int) -> list[Row]:
    """Return rows of one test set; the model answers wrongly in a share ``error`` of them."""
    data = np.random.default_rng(1)
    label, plan, weight = data.integers(0, 2, ROWS), data.integers(0, 3, ROWS), data.integers(1, 3, ROWS)
    own = np.random.default_rng(seed)
    wrong, noise = own.random(ROWS) < error, own.random(ROWS)
    answer = np.where(wrong, 1 - label, label)
    score = np.where(answer == 1, 0.5 + noise / 2, noise / 2)
    return [
        {"id": row, "label": label[row], "prediction": answer[row], "score": f"{score[row]:.6f}"}
        | {"plan": "abc"[plan[row]], "weight": weight[row]}
        for row in range(ROWS)
    ]


def write_model(path: Path, rows: Sequence[Row]) -> Path:
    return write_rows(path, NAMES, [[row[name] for name in NAMES] for row in rows])


def judge(folder: Path, candidate: Sequence[Row], *, policy: str | None = POLICY % COLUMNS) -> Report:
    baseline = write_model(folder / "a.csv", make_model(0.1, seed=2))
    other = write_model(folder / "b.csv", candidate)
    if policy is None:
        return compare_files(baseline, other, policy=None, columns={})
    (folder / "metricgate.yaml").write_text(policy, encoding="utf-8")
    return compare_files(baseline, other, policy=folder / "metricgate.yaml", columns={})


def is_wrong(row: Row) -> bool:
    return row["label"] != row["prediction"]


def choose_wrong(rows: Sequence[Row]) -> set[object]:
    """Return the ids of 70 % of the rows that are answered wrongly."""
    wrong = [row["id"] for row in rows if is_wrong(row)]
    return set(wrong[: int(0.7 * len(wrong))])


def leave_out(rows: list[Row]) -> list[Row]:
    chosen = choose_wrong(rows)
    return [row for row in rows if row["id"] not in chosen]


def relabel(rows: list[Row]) -> list[Row]:
    chosen = choose_wrong(rows)
    return [row | {"label": row["prediction"]} if row["id"] in chosen else row for row in rows]


def add_easy(rows: list[Row]) -> list[Row]:
    easy: Row = {"label": 1, "prediction": 1, "score": 0.9, "plan": "a", "weight": 1}
    return [*rows, *({"id": ROWS + number} | easy for number in range(5 * ROWS))]


def weigh_down(rows: list[Row]) -> list[Row]:
    return [row | {"weight": 0.001 if is_wrong(row) else 1} for row in rows]


def rename_slices(rows: list[Row]) -> list[Row]:
    return [row | {"plan": "z"} for row in rows]


def outcomes(report: Report) -> set[Outcome]:
    return {gate.outcome for gate in report.gates}


def find_gate(report: Report, start: str) -> GateRow:
    return next(gate for gate in report.gates if gate.rule.startswith(start))


@pytest.mark.parametrize("edit", [leave_out, relabel])
@pytest.mark.parametrize("policy", [POLICY % COLUMNS, None])
def test_leaving_out_or_relabelling_the_rows_that_it_gets_wrong_passes_no_gate(
    tmp_path: Path, edit: Edit, policy: str | None
) -> None:
    rows = make_model(0.25, seed=3)

    report = judge(tmp_path, edit(rows), policy=policy)

    assert report.verdict is Verdict.INCONCLUSIVE
    assert Outcome.PASSED not in outcomes(report)
    assert all(gate.beyond for gate in report.gates)
    assert f"{len(choose_wrong(rows))} rows" in headline(report)


@pytest.mark.parametrize("edit", [add_easy, rename_slices])
def test_rows_and_slice_values_that_only_the_candidate_has_change_no_outcome(tmp_path: Path, edit: Edit) -> None:
    rows = make_model(0.3, seed=3)
    honest, edited = judge(tmp_path, rows), judge(tmp_path, edit(rows))

    assert edited.verdict is Verdict.FAILED
    assert edited.gates == honest.gates


def test_rows_that_only_the_candidate_has_are_shown_apart(tmp_path: Path) -> None:
    report = judge(tmp_path, add_easy(make_model(0.3, seed=3)))

    (warning,) = report.warnings
    assert "5,000 rows are only in the candidate's: shown apart, not judged." in warning.text
    assert "On the 5,000 rows that only the candidate has, its own values are accuracy 1," in warning.text


def test_weights_of_the_candidate_change_no_outcome(tmp_path: Path) -> None:
    rows, policy = make_model(0.3, seed=3), POLICY % f"{COLUMNS}, weight: weight"
    honest, edited = (judge(tmp_path, each, policy=policy) for each in (rows, weigh_down(rows)))

    assert edited.verdict is Verdict.FAILED
    assert edited.gates == honest.gates


def test_a_slice_cannot_be_thinned_until_it_has_too_few_rows(tmp_path: Path) -> None:
    rows = make_model(0.3, seed=3)
    in_slice = [row["id"] for row in rows if row["plan"] == "a"]
    thinned = [row for row in rows if row["id"] not in in_slice[20:]]

    report = judge(tmp_path, thinned)

    gates = [gate for gate in report.gates if gate.slice and gate.slice.value == "a"]
    assert {gate.outcome for gate in gates} == {Outcome.INCONCLUSIVE}
    assert {gate.reason_code for gate in gates} == {"rows_absent"}


def test_a_test_set_that_lost_a_few_rows_still_passes_where_they_cannot_matter(tmp_path: Path) -> None:
    report = judge(tmp_path, make_model(0.1, seed=2)[3:])

    assert report.verdict is Verdict.PASSED
    gate = find_gate(report, "accuracy may fall by 0.02")
    assert gate.difference == 0
    assert gate.low is not None
    assert -0.02 < gate.low <= -0.003  # three wrong answers more would cost at least that much


def test_absent_rows_are_no_excuse_for_a_loss_on_the_others(tmp_path: Path) -> None:
    report = judge(tmp_path, make_model(0.3, seed=3)[5:])

    assert report.verdict is Verdict.FAILED
    assert find_gate(report, "accuracy may fall by 0.02").outcome is Outcome.FAILED


def test_a_loss_without_a_worst_value_is_undecided_when_one_row_is_absent(tmp_path: Path) -> None:
    policy = "predictions: {path: p.csv, id: id, label: label, prediction: score, task: regression}\n"
    policy += "gates: [{metric: mean_absolute_error, max_increase: 0.1}]\n"

    report = judge(tmp_path, make_model(0.1, seed=2)[1:], policy=policy)

    (gate,) = report.gates
    assert (gate.outcome, gate.reason_code, gate.beyond) == (Outcome.INCONCLUSIVE, "rows_absent", True)
    assert "this metric has no worst answer to assume for them" in gate.reason


@pytest.mark.parametrize(
    "metric", ["accuracy", "recall_macro", "f1[b]", "precision[c]", "top_k_accuracy@2", "roc_auc_ovr"]
)
def test_the_worst_answers_of_several_classes_are_worse_than_any_drawn_at_random(tmp_path: Path, metric: str) -> None:
    rng = np.random.default_rng(4)
    label = rng.integers(0, 3, 300)
    scores = rng.dirichlet((1, 1, 1), 300) + np.eye(3)[label]
    scores /= scores.sum(axis=1, keepdims=True)
    names = ("id", "label", "prediction", "p_a", "p_b", "p_c")
    table = [(row, "abc"[label[row]], "abc"[scores[row].argmax()], *scores[row]) for row in range(300)]
    policy = "predictions: {path: p.csv, id: id, label: label, prediction: prediction, "
    policy += f"scores: {{a: p_a, b: p_b, c: p_c}}}}\ngates: [{{metric: '{metric}', max_drop: 0.5}}]\n"
    (tmp_path / "metricgate.yaml").write_text(policy, encoding="utf-8")
    write_rows(tmp_path / "a.csv", names, table)

    def find_low(rows: list[tuple[object, ...]]) -> float:
        file = write_rows(tmp_path / "b.csv", names, rows)
        (gate,) = compare_files(tmp_path / "a.csv", file, policy=tmp_path / "metricgate.yaml", columns={}).gates
        assert gate.low is not None
        return gate.low

    worst = find_low(table[10:])
    for _ in range(20):
        other = rng.dirichlet((1, 1, 1), 10)
        drawn = [(row, "abc"[label[row]], "abc"[rng.integers(0, 3)], *other[row]) for row in range(10)]
        assert worst <= find_low([*drawn, *table[10:]]) + 1e-9


def test_what_a_metric_notes_reaches_its_gate_and_its_row_in_the_table(tmp_path: Path) -> None:
    names = ("id", "label", "prediction")
    rng = np.random.default_rng(6)
    truth = rng.normal(0, 1, 200)
    table = [[row, truth[row], truth[row] + rng.normal(0, 0.1)] for row in range(200)]
    baseline = write_rows(tmp_path / "a.csv", names, table)
    table[7][2] += 50.0
    policy = tmp_path / "metricgate.yaml"
    policy.write_text(
        "predictions: {path: p.csv, id: id, label: label, prediction: prediction, task: regression}\n"
        "gates: [{metric: mean_absolute_error, max_increase: 0.1}]\n",
        encoding="utf-8",
    )

    report = compare_files(baseline, write_rows(tmp_path / "b.csv", names, table), policy=policy, columns={})

    (note,) = report.gates[0].notes
    assert note.startswith("One row carries ")
    row = next(row for row in report.metrics if row.name == "mean_absolute_error")
    assert note in row.note or row.note
