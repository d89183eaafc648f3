"""Two files of rows: which columns drifted, and which files cannot be watched at all."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from metricgate.cli.monitor import command
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.watch import JOINT
from metricgate.monitoring.two_files import watch_files
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.report.watch_words import list_findings
from tests.watching.tables import Column, blank, make_rows, write_csv, write_json_lines, write_parquet

Rows = dict[str, list[Any]]


def watch(folder: Path, reference: Rows, current: Rows) -> Report:
    return watch_files(write_csv(folder / "reference.csv", reference), write_csv(folder / "current.csv", current))


def words(report: Report) -> dict[str, str]:
    """Return the outcome of each column; that of all together is not one."""
    return {one.feature.name: one.outcome.value for one in list_findings(report) if one.feature.role == "feature"}


def test_equal_months_are_stable(tmp_path: Path) -> None:
    report = watch(tmp_path, make_rows(10_000, 1), make_rows(10_000, 2))

    assert report.verdict is Verdict.PASSED
    assert report.exit_code == 0
    assert headline(report) == "Stable: none of 4 features moved by more than is allowed"
    assert {gate.outcome for gate in report.gates if gate.feature == JOINT} == {Outcome.PASSED}
    assert set(words(report).values()) == {"passed"}


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("changed", "effect", "amount"),
    [
        ({"charges": lambda rng, rows: rng.normal(66, 20, rows)}, "ks_distance", 0.119),
        ({"charges": lambda rng, rows: rng.normal(60, 30, rows)}, "wasserstein_sd", 0.4),
        ({"contract": lambda rng, rows: rng.choice(["Month", "Year", "Two year"], rows, p=[0.4, 0.4, 0.2])}, "total_variation", 0.1),
        ({"contract": lambda rng, rows: rng.choice(["Month", "Year", "Two year", "Week"], rows, p=[0.47, 0.3, 0.2, 0.03])}, "new_values", 0.03),
        ({"charges": lambda rng, rows: blank(rng, rows, 0.05)}, "missing", 0.05),
        ({"charges": lambda rng, rows: np.where(rng.random(rows) < 0.1, -999, rng.normal(60, 20, rows))}, "wasserstein_sd", 5.3),
    ],
    ids=["mean", "spread", "categories", "new value", "missing", "far default value"],
)  # fmt: skip
def test_each_kind_of_shift_is_found_and_nothing_else(
    tmp_path: Path, changed: dict[str, Column], effect: str, amount: float
) -> None:
    report = watch(tmp_path, make_rows(10_000, 1), make_rows(10_000, 2, **changed))

    (feature,) = changed
    assert report.verdict is Verdict.FAILED
    assert report.exit_code == 1
    assert {name for name, word in words(report).items() if word == "failed"} == {feature}
    (row,) = (gate for gate in report.gates if gate.feature == feature and gate.metric == effect)
    assert row.source == "drift"
    assert row.outcome is Outcome.FAILED
    assert row.difference == pytest.approx(amount, rel=0.15)
    assert row.simultaneous_low is not None
    assert row.simultaneous_low > row.bound


@pytest.mark.parametrize("rows", [2, 199])
def test_few_rows_are_never_called_stable(tmp_path: Path, rows: int) -> None:
    report = watch(tmp_path, make_rows(10_000, 1), make_rows(rows, 2))

    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.exit_code == 0
    assert "too few rows" in headline(report)
    assert all(gate.outcome is Outcome.INCONCLUSIVE for gate in report.gates)


@pytest.mark.acceptance
def test_swapped_pair_is_found_by_the_classifier_alone(tmp_path: Path) -> None:
    """Each column is as it was; which value goes with which is not."""

    def pair(sign: float, seed: int) -> Rows:
        rng = np.random.default_rng(seed)
        first = rng.normal(size=4000)
        return {
            "a": list(first),
            "b": list(sign * first + 0.5 * rng.normal(size=4000)),
            "c": list(rng.normal(size=4000)),
        }

    same = watch(tmp_path, pair(1, 1), pair(1, 2))
    swapped = watch(tmp_path, pair(1, 1), pair(-1, 2))

    assert same.verdict is not Verdict.FAILED
    assert swapped.verdict is Verdict.FAILED
    assert "failed" not in words(swapped).values()
    (joint,) = (gate for gate in swapped.gates if gate.outcome is Outcome.FAILED)
    assert (joint.feature, joint.metric) == (JOINT, "classifier_auc")
    (feature,) = (one.feature for one in list_findings(swapped) if one.feature.name == JOINT)
    assert set(feature.notes[0].removeprefix("it uses ").removesuffix(" most").split(", ")) == {"a", "b"}


@pytest.mark.acceptance
def test_inconclusive_names_the_rows_that_would_settle_it(tmp_path: Path) -> None:
    """As many more rows, drawn alike, do settle it."""
    undecided = watch(tmp_path, make_rows(800, 1), make_rows(800, 2))
    needed = max(gate.rows_needed or 0 for gate in undecided.gates)

    settled = watch(tmp_path, make_rows(needed, 1), make_rows(needed, 2))

    assert undecided.verdict is Verdict.INCONCLUSIVE
    assert 2000 < needed < 20_000
    assert settled.verdict is Verdict.PASSED
    assert "passed" in words(settled)["charges"]


Break = Callable[[Rows], None]


def _put(column: str, row: int, value: object) -> Break:
    def break_(table: Rows) -> None:
        table[column][row] = value

    return break_


def _replace(column: str, values: Sequence[object]) -> Break:
    return lambda table: table.update({column: list(values) * (len(table[column]) // len(values))})


def _rename(old: str, new: str) -> Break:
    return lambda table: table.update({new: table.pop(old)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_put("charges", 16, "unknown"), "column 'charges' holds numbers, but not in 1 row; the first is row 17: 'unknown'"),
        (_put("charges", 0, '"12,5"'), "the first is row 1: '12,5' (a decimal comma?)"),
        (_replace("charges", ["high"]), "the first is row 1: 'high'"),
        (_replace("charges", [None]), "column 'charges' has no value in any of 300 rows"),
        (_replace("contract", [None]), "column 'contract' has no value in any of 300 rows"),
        (lambda table: table.pop("charges"), "has no column 'charges'"),
        (_rename("charges", "charge"), "did it become 'charge'?"),
    ],
    ids=["text", "decimal comma", "all text", "no numbers", "no text", "gone", "renamed"],
)  # fmt: skip
def test_column_that_cannot_be_compared_is_an_error_that_names_it(tmp_path: Path, change: Break, said: str) -> None:
    current = make_rows(300, 2)
    change(current)

    report = watch(tmp_path, make_rows(300, 1), current)

    assert report.verdict is Verdict.ERROR
    assert report.exit_code == 3
    assert report.failure is not None
    assert said in report.failure.what
    assert report.failure.fix


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), ("a,b\n", "holds no row"), ("a,b\n1,2\n", "holds one row"), ("a,b\n1\n", "line 2 has 1 value")],
    ids=["empty", "header", "one row", "broken"],
)
def test_file_without_rows_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "current.csv").write_text(text, encoding="utf-8")
    reference = write_csv(tmp_path / "reference.csv", {"a": [1, 2, 3], "b": [1, 2, 3]})

    report = watch_files(reference, tmp_path / "current.csv")

    assert report.exit_code == 3
    assert said in headline(report)
    assert watch_files(tmp_path / "current.csv", reference).exit_code == 3


def test_extra_column_is_said_and_not_compared(tmp_path: Path) -> None:
    report = watch(tmp_path, make_rows(300, 1), make_rows(300, 2, weather=lambda _, rows: ["sunny"] * rows))

    assert [warning.text for warning in report.warnings] == [
        "Only the current rows have weather, so nothing was compared there."
    ]


def test_columns_that_cannot_drift_are_skipped_with_the_reason(tmp_path: Path) -> None:
    more: Mapping[str, Column] = {
        "customer_id": lambda _, rows: np.arange(rows) + 10_000 * rows,
        "Order": lambda _, rows: np.arange(rows) + 10_000 * rows,
        "email_id": lambda rng, rows: [f"u{value}@example.org" for value in rng.permutation(10 * rows)[:rows]],
        "day": lambda _, rows: [f"2026-{1 + rows % 7:02}-{1 + row % 28:02}" for row in range(rows)],
        "nothing": lambda _, rows: [None] * rows,
    }
    report = watch(tmp_path, make_rows(3000, 1, **more), make_rows(3001, 2, **more))

    skipped = {one.feature.name: one.feature.notes for one in list_findings(report) if not one.gates}
    assert skipped == {
        "customer_id": ("not compared: it has another value in every row, as an id has",),
        "Order": ("not compared: it has another value in every row, as an id has",),
        "email_id": ("not compared: it has another value in every row, as an id or free text has",),
        "day": ("not compared: it is a time, which always moves",),
        "nothing": ("not compared: it has no value on either side",),
    }
    assert not any(gate.outcome is Outcome.FAILED for gate in report.gates)


def test_unique_measurements_are_compared_whatever_their_name(tmp_path: Path) -> None:
    """`amount_paid` ends like an id and `price_index` is named like one; neither holds whole numbers."""
    names = ("amount_paid", "price_index")
    normal: Column = lambda rng, rows: rng.normal(100, 10, rows)  # noqa: E731
    moved: Column = lambda rng, rows: rng.normal(150, 10, rows)  # noqa: E731

    report = watch(
        tmp_path, make_rows(500, 1, **dict.fromkeys(names, normal)), make_rows(500, 2, **dict.fromkeys(names, moved))
    )

    assert report.verdict is Verdict.FAILED
    assert {words(report)[name] for name in names} == {"failed"}


def test_all_features_undecided_are_not_stable_by_the_classifier(tmp_path: Path) -> None:
    drawn: Mapping[str, Column] = {f"n{number}": lambda rng, rows: rng.normal(size=rows) for number in range(2)}
    for rows, word in ((2000, Verdict.INCONCLUSIVE), (20_000, Verdict.PASSED)):
        report = watch(
            tmp_path,
            {name: list(draw(np.random.default_rng(1), rows)) for name, draw in drawn.items()},
            {name: list(draw(np.random.default_rng(2), rows)) for name, draw in drawn.items()},
        )
        assert report.verdict is word


@pytest.mark.parametrize("reference", [2, 3])
def test_two_rows_on_each_side_are_inconclusive(tmp_path: Path, reference: int) -> None:
    for seed in range(4):
        report = watch(tmp_path, make_rows(reference, seed), make_rows(2, 10 + seed))
        assert report.verdict is Verdict.INCONCLUSIVE


def test_column_that_becomes_times_or_lists_is_an_error(tmp_path: Path) -> None:
    numbers: Rows = {"a": [1, 2, 3] * 100, "v": [0.5, 1.5, 2.5] * 100}
    reference = write_json_lines(tmp_path / "reference.jsonl", numbers)

    for values, said in (([[1, 2]] * 300, "lists or structures"), (["2026-05-01T10:00:00"] * 300, "times")):
        current = write_json_lines(tmp_path / "current.jsonl", {**numbers, "v": values})
        for pair in ((reference, current), (current, reference)):
            report = watch_files(*pair)
            assert report.exit_code == 3
            assert report.failure is not None
            assert "column 'v' holds" in report.failure.what
            assert said in report.failure.what


def test_missing_codes_are_missing(tmp_path: Path) -> None:
    """`NA` among whole numbers is no new category."""
    codes = [1, 2, 3] * 200
    report = watch(tmp_path, {"a": codes, "b": codes}, {"a": ["NA", 2, 3] * 200, "b": codes})

    failed = {gate.metric for gate in report.gates if gate.feature == "a" and gate.outcome is Outcome.FAILED}
    assert "missing" in failed
    assert "new_values" not in failed


def test_classifier_says_that_it_sees_only_some_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metricgate.monitoring.joint_shift.MOST_COLUMNS", 3)
    report = watch(tmp_path, make_rows(250, 1), make_rows(250, 2))

    (joint,) = (one for one in list_findings(report) if one.feature.name == JOINT)
    assert joint.feature.notes == ("it sees the first 3 of 4 columns",)
    assert {gate.rows for gate in joint.gates} == {250}


@pytest.mark.acceptance
def test_constants_are_stable_until_they_vary(tmp_path: Path) -> None:
    constant: Column = lambda _, rows: [3.5] * rows  # noqa: E731
    varied: Column = lambda rng, rows: rng.choice([3.5, 4.5], rows, p=[0.8, 0.2])  # noqa: E731
    reference = make_rows(5000, 1, fee=constant)

    same = watch(tmp_path, reference, make_rows(5000, 2, fee=constant))
    varies = watch(tmp_path, reference, make_rows(5000, 2, fee=varied))

    assert words(same)["fee"] == "passed"
    assert words(varies)["fee"] == "failed"
    (fee,) = (one.feature for one in list_findings(varies) if one.feature.name == "fee")
    assert fee.notes == ("was always 3.5, and varies now",)


@pytest.mark.acceptance
def test_formats_may_differ(tmp_path: Path) -> None:
    """The same rows as text, typed, and as JSON; whole numbers, booleans and missing values are spelled alike."""
    more: Mapping[str, Column] = {
        "plan": lambda rng, rows: rng.choice(["A", "B"], rows),
        "active": lambda rng, rows: [str(value).lower() for value in rng.random(rows) < 0.3],
        "spend": lambda rng, rows: blank(rng, rows, 0.1),
    }
    table = make_rows(2000, 1, **more)
    files = [
        write_csv(tmp_path / "text.csv", table),
        write_parquet(tmp_path / "a.parquet", table),
        write_json_lines(tmp_path / "a.jsonl", {**table, "active": [value == "true" for value in table["active"]]}),
    ]
    for reference, current in zip(files, files[1:] + files[:1], strict=True):
        report = watch_files(reference, current)
        assert report.failure is None, report.failure
        assert {gate.difference for gate in report.gates if gate.feature != JOINT} == {0.0}, (reference, current)


@pytest.mark.acceptance
def test_huge_and_infinite_numbers_do_not_break_a_column(tmp_path: Path) -> None:
    more: Mapping[str, Column] = {
        "limit": lambda rng, rows: rng.choice(["inf", "-inf", "1e308", "-1e308", "0.5"], rows),
        "key9": lambda rng, rows: rng.integers(2**53, 2**60, rows),
    }
    report = watch(tmp_path, make_rows(10_000, 1, **more), make_rows(10_000, 2, **more))

    assert report.verdict is Verdict.PASSED
    assert words(report)["limit"] == words(report)["key9"] == "passed"


def test_command_writes_the_report_and_exits_with_the_verdict(tmp_path: Path) -> None:
    reference = write_csv(tmp_path / "reference.csv", make_rows(5000, 1))
    moved: Column = lambda rng, rows: rng.normal(90, 20, rows)  # noqa: E731
    current = write_csv(tmp_path / "current.csv", make_rows(5000, 2, charges=moved))
    arguments = ["--reference", str(reference), "--current", str(current)]

    result = CliRunner().invoke(
        command,
        [*arguments, "--json", str(tmp_path / "r.json"), "--output", str(tmp_path / "out")],
        standalone_mode=False,
    )

    assert result.return_value == 1
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert found["verdict"] == "failed"
    assert {gate["source"] for gate in found["gates"]} == {"drift"}
    assert {gate["feature"] for gate in found["gates"] if gate["outcome"] == "failed"} == {"charges", JOINT}
    for name in ("report.md", "report.html", "report.json", "metricgate.prom"):
        assert (tmp_path / "out" / name).stat().st_size
    assert "Drifted: 1 of 4 features moved by more than is allowed: charges (" in (
        tmp_path / "out" / "report.md"
    ).read_text(encoding="utf-8")
    assert "drifted" in result.output


@pytest.mark.acceptance
def test_names_and_values_are_escaped(tmp_path: Path) -> None:
    name = "<img src=x>|`a`\u202e"
    evil: Mapping[str, Column] = {name: lambda _, rows: ["</details>|x", "b"] * (rows // 2)}
    report = watch(tmp_path, make_rows(1000, 1, **evil), make_rows(1000, 2, **evil))

    result = CliRunner().invoke(
        command,
        [
            "--reference",
            str(tmp_path / "reference.csv"),
            "--current",
            str(tmp_path / "current.csv"),
            "--output",
            str(tmp_path / "out"),
        ],
        standalone_mode=False,
    )

    assert report.failure is None
    assert result.return_value == 0
    markdown, page = ((tmp_path / "out" / view).read_text(encoding="utf-8") for view in ("report.md", "report.html"))
    assert "**``<img src=x>\\|`a`⟨U+202E⟩``**" in markdown  # code, in which nothing is read as HTML
    assert "`</details>\\|x`" in markdown
    assert "<img src=x>" not in page
    assert "\u202e" not in page
