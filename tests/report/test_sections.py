"""Each part of a comment shows what it promises, and nothing where there is nothing to show."""

from typing import Any

import pytest

from metricgate.models.outcome import Direction, Outcome, Role, Verdict
from metricgate.models.result import Change, ChartData, Slice, Warning_
from metricgate.models.snapshot import Believed, RevisionInfo, Source, Stage
from metricgate.report.figures.forest import build_forest, draw_text_forest
from metricgate.report.formats.markdown import render_comment, render_summary
from metricgate.report.sections.earlier_runs import remember_run
from metricgate.report.sections.gate_table import draw_gates
from metricgate.report.value import Acceptance, Report
from metricgate.report.view_context import PastRun, ViewContext
from metricgate.report.vocabulary import describe_rule
from tests.report.reports import (
    BASELINE_SHA,
    CANDIDATE_SHA,
    make_error_report,
    make_gate,
    make_metric,
    make_pairing,
    make_passed_gate,
    make_report,
    make_slice_metrics,
    make_unchanged_report,
)

EAST = Slice(column="region", value="east")
WEST = Slice(column="region", value="west")
NORTH = Slice(column="region", value="north")
GITHUB = ViewContext(
    repository_url="https://github.example/owner/name",
    report_url="https://github.example/owner/name/actions/runs/7",
    pictures={"differences": ("https://p.example/light.png", "https://p.example/dark.png")},
)


def line_with(text: str, part: str) -> str:
    return next(line for line in text.splitlines() if part in line)


def fold_of(comment: str, summary: str) -> str:
    return comment.split(f"<details><summary>{summary}", 1)[1].split("</details>", 1)[0]


def test_the_whole_comment_of_a_refused_pull_request() -> None:
    """The one place where the comment is read from top to bottom; the screenshots in docs/ show it drawn."""
    comment = render_comment(make_report(changes=(), candidate_stages=(), hints=()), GITHUB).replace("\u00a0", " ")

    assert comment == (
        "<!-- metricgate:default -->\n\n"
        "## ❌ Blocked: ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed\n\n"
        f"`main` [`4f2c1a9`](https://github.example/owner/name/commit/{BASELINE_SHA}) → "
        f"`smaller-trees` [`9b7e310`](https://github.example/owner/name/commit/{CANDIDATE_SHA}) · "
        "1,409 test rows (374 positive), the same on both sides\n\n"
        "| | Metric and rule | Change<br>(95 % interval) | Baseline → candidate |\n"
        "|:---|:---|---:|---:|\n"
        "| ❌ | **ROC AUC**<br>may fall by 0.010 | **−0.021**<br>−0.030 … −0.012 | 0.845 → 0.824 |\n"
        "| ⚠️ | **F1**<br>may fall by 0.030<br>undecided: needs about 2,900 rows "
        "| **−0.012**<br>−0.041 … +0.017 | 0.592 → 0.580 |\n"
        "| ✅ | **accuracy**<br>at least 0.780 | **−0.004** | 0.803 → 0.799<br>0.778 … 0.820 |\n\n"
        '<picture><source media="(prefers-color-scheme: dark)" srcset="https://p.example/dark.png">'
        '<img src="https://p.example/light.png" width="480" alt="Differences with their intervals against what is '
        'allowed: ROC AUC failed, F1 undecided"></picture>\n\n'
        "<details><summary>All metrics: 2</summary>\n\n"
        "| Metric | Change (95 % interval) | Baseline → candidate |\n"
        "|:---|---:|---:|\n"
        "| ROC AUC | −0.021<br>−0.030 … −0.012 | 0.845 → 0.824 |\n"
        "| log loss | +0.029<br>+0.015 … +0.043 | 0.412 → 0.441 |\n\n"
        "</details>\n\n"
        "<details><summary>How this was measured, what it can catch, and how to run it on your machine</summary>\n\n"
        f"- Baseline: `main` [`4f2c1a9`](https://github.example/owner/name/commit/{BASELINE_SHA}); "
        "results from the DVC cache; first parent of the merge commit\n"
        f"- Candidate: `smaller-trees` [`9b7e310`](https://github.example/owner/name/commit/{CANDIDATE_SHA}); "
        "results as found in the checkout; head of the pull request\n"
        "- Rows: both models are judged on the same 1,409 rows of `eval/predictions.parquet`, joined by id.\n"
        "- The intervals are paired, at 95 % confidence; a gate fails only by a wider bound that holds for all gates "
        "at once. They apply to this trained model: training again with another seed can change the results by more.\n"
        "- With 1,409 rows this gate catches a 2-point loss of accuracy in 56 % of pull requests.\n\n"
        "The same comparison on your machine:\n\n"
        "```text\nmetricgate run --baseline main\n```\n\n"
        "</details>\n\n"
        "<sub>MetricGate 0&#46;1.0 · gates from metricgate.yaml at main</sub>\n"
    )


def test_an_unchanged_pull_request_is_two_lines_above_the_folds() -> None:
    top = render_comment(make_unchanged_report()).split("<details>", 1)[0].split("\n\n")

    revisions = "`main` `4f2c1a9` → `smaller-trees` `9b7e310`"
    context = f"{revisions} · 1,409 test rows (374 positive), the same on both sides · pipeline unchanged"
    assert [part for part in top if part] == [
        "<!-- metricgate:default -->",
        "## ✅ No change: predictions are identical",
        context,
    ]


def make_sliced_report() -> Report:
    guardrail = {"role": Role.GUARDRAIL, "metric": "f1", "bound": 0.05, "rows": 400}
    gates = (
        make_gate(),
        make_passed_gate(**guardrail, kind="max_drop", slice=EAST, low=-0.03, high=0.02, difference=-0.005),
        make_gate(**guardrail, slice=WEST, low=-0.12, high=-0.06, difference=-0.09),
        make_gate(
            **guardrail,
            slice=NORTH,
            outcome=Outcome.SKIPPED,
            reason="12 rows, 30 are needed",
            difference=None,
            low=None,
        ),
    )
    metrics = (
        make_metric(),
        make_metric(name="f1", slice=EAST, rows=400, positives=90),
        make_metric(name="recall", slice=EAST, difference=0.1, low=0.05, high=0.15),
        make_metric(name="recall", slice=WEST, difference=-0.1, low=-0.15, high=-0.05),
    )
    return make_report(gates=gates, metrics=metrics)


def test_slices_come_worst_first_and_the_skipped_ones_last_with_their_reason() -> None:
    text = fold_of(render_comment(make_sliced_report()), "Slices: a gate failed on 1 of 2, 1 skipped")

    rows = [line for line in text.replace("\u00a0", " ").splitlines() if "region" in line]
    assert rows == [
        "| ❌ | `region = west`<br>F1 | **−0.09**<br>−0.12 … −0.06 | 400 |",
        "| ✅ | `region = east`<br>F1 | **−0.005**<br>−0.030 … +0.020 | 400 (90) |",
        "| | `region = west`<br>recall | −0.10<br>−0.15 … −0.05 | 1,409 (374) |",
        "| | `region = east`<br>recall | +0.10<br>+0.05 … +0.15 | 1,409 (374) |",
        "| ⏭️ | `region = north`<br>F1<br>12 rows, 30 are needed | – | 400 |",
    ]


def test_only_slices_with_something_to_say_stand_among_the_gates() -> None:
    above = render_comment(make_sliced_report()).split("<details>", 1)[0]

    assert "region = west" in above
    assert "region = east" not in above
    assert "region = north" not in above


def test_none_shown_worse_is_said_with_the_number_of_slices() -> None:
    gates = tuple(
        make_passed_gate(kind="max_drop", slice=Slice(column="city", value=str(index)), low=-0.04, high=0.03)
        for index in range(24)
    )

    assert "<summary>Slices: no gate failed on 24</summary>" in render_comment(make_report(gates=gates))


def test_many_passed_gates_are_folded_beside_one_that_failed() -> None:
    gates = (make_gate(), *(make_passed_gate(metric=f"m{index}") for index in range(8)))

    comment = render_comment(make_report(gates=gates))

    assert comment.index("ROC") < comment.index("<details><summary>8 gates passed</summary>") < comment.index("`m0`")


def test_changes_come_with_their_values_and_the_stages_that_ran() -> None:
    report = make_report(
        changes=(
            Change(kind="package", name="scikit-learn", before="1.6.0", after="1.7.0"),
            Change(kind="data", name="data/train.csv", before="1.2 MB", after=None),
            Change(kind="parameter", name="train.depth", before="8", after="3"),
        )
    )

    text = fold_of(render_comment(report), "What changed: 1 parameter, 1 data file, 1 package")

    assert [line for line in text.splitlines() if "`" in line] == [
        "| parameter | `train.depth` | `8` | `3` |",
        "| data file | `data/train.csv` | `1.2 MB` | – |",
        "| package | `scikit-learn` | `1.6.0` | `1.7.0` |",
        "Stages: `prepare` reused, `train` ran in 38 s, `evaluate` ran in 3 s.",
    ]


def test_the_next_step_is_the_slice_that_surely_loses_most_and_what_changed() -> None:
    report = make_report(metrics=make_slice_metrics(), hints=())

    line = line_with(render_comment(report), "**Next:**").replace("\u00a0", " ")

    assert line == (
        "**Next:** look at `contract = One year`, where ROC AUC loses most: −0.06 (−0.09 … −0.03); "
        "`params.yaml:train.max_depth` (`8` → `3`), `params.yaml:train.trees` (`300` → `40`)."
    )


@pytest.mark.parametrize(
    ("count", "expected"), [(1, "> [!WARNING]\n> text 0"), (2, "> [!WARNING]\n> - text 0\n> - text 1")]
)
def test_warnings_stand_in_one_alert(count: int, expected: str) -> None:
    warnings = tuple(Warning_(code="x", text=f"text {index}") for index in range(count))

    assert f"{expected}\n\n" in render_comment(make_report(warnings=warnings))


def test_too_many_warnings_are_counted() -> None:
    warnings = tuple(Warning_(code="x", text=f"text {index}") for index in range(13))

    assert "> - and 3 more warnings in report.json\n" in render_comment(make_report(warnings=warnings))


@pytest.mark.parametrize(("source", "warned"), [(Source.DVC_CACHE, True), (Source.REPRODUCED, False)])
def test_a_stale_baseline_is_a_warning_where_its_results_were_used(source: Source, *, warned: bool) -> None:
    baseline = RevisionInfo(revision=BASELINE_SHA, name="main", source=source, stale="train: src/train.py changed")

    above = render_comment(make_report(baseline=baseline)).split("<details>", 1)[0]

    said = "> The baseline's recorded results are older than its inputs: train: src/train.py changed"
    assert (said in above) is warned


def test_an_acceptance_keeps_the_loss_and_the_reason_in_sight() -> None:
    accepted = Acceptance(by="ada", reason="The old model saw the label.")
    comment = render_comment(make_report(verdict=Verdict.PASSED, exit_code=0, accepted=accepted))

    assert "## ✅ Accepted by ada: ROC AUC is 0.021 lower" in comment
    assert "**Accepted by** `ada`: The old model saw the label." in comment


def test_a_changed_policy_says_what_the_proposed_gates_would_have_said() -> None:
    report = make_report(candidate_policy="By the gates that this change proposes, the verdict would be passed.")

    assert "**Policy:** By the gates that this change proposes, the verdict would be passed." in render_comment(report)


def test_a_failed_pipeline_says_what_was_expected_what_to_do_and_its_last_lines() -> None:
    comment = render_comment(make_error_report())

    assert "**Expected:** `dvc repro` ends with exit code 0." in comment
    assert "**What to do:** Run `dvc repro train` on your machine" in comment
    assert '```text\nTraceback (most recent call last):\n  File "src/train.py", line 12' in comment


def test_rows_that_only_one_side_has_are_said_in_the_context() -> None:
    report = make_report(
        pairings=(make_pairing(rows=1300, baseline_rows=1409, candidate_rows=1350, test_set_changed=True),)
    )

    assert "1,300 test rows (374 positive), common to both sides (baseline 1,409, candidate 1,350)" in render_comment(
        report
    )


def test_a_laptop_has_no_commit_and_no_link() -> None:
    files = RevisionInfo(name="old.csv", source=Source.FILE), RevisionInfo(name="new.csv", source=Source.FILE)
    report = make_report(baseline=files[0], candidate=files[1], candidate_stages=(), timing=None)

    assert "\n`old.csv` → `new.csv` · 1,409 test rows" in render_comment(report)


def test_a_dirty_candidate_is_called_so() -> None:
    candidate = RevisionInfo(revision=CANDIDATE_SHA, name="x", dirty=True, source=Source.WORKSPACE)

    assert "`x` `9b7e310` with uncommitted changes" in render_comment(make_report(candidate=candidate))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("cached", "cached"), "2 stages reused, none ran"),
        (("ran", "unchanged"), "ran 1 of 2 stages in 41 s"),
        (("unchanged", "unchanged"), "no stage ran"),
    ],
)
def test_the_context_says_what_ran_and_what_was_reused(states: tuple[str, str], expected: str) -> None:
    stages = tuple(
        Stage.model_validate({"name": str(index), "state": state, "seconds": 41 if state == "ran" else None})
        for index, state in enumerate(states)
    )

    assert line_with(render_comment(make_report(candidate_stages=stages)), "test rows").endswith(f" · {expected}")


def test_a_pipeline_is_unchanged_only_where_nothing_of_it_changed() -> None:
    unchanged = (Stage(name="train", state="unchanged"),)
    edited = (Warning_(code="pipeline_changed", text="This change edits the pipeline: stage train (cmd)."),)
    committed = (Believed(what="train", reason="its results in dvc.lock are this change's own"),)

    def context(**changes: Any) -> str:
        return line_with(render_comment(make_report(candidate_stages=unchanged, changes=(), **changes)), "test rows")

    assert context().endswith(" · pipeline unchanged")
    assert context(warnings=edited).endswith(" · no stage ran")
    assert context(not_reproduced=committed).endswith(" · as committed, not reproduced")


def test_a_number_from_a_file_is_not_taken_for_a_metric_of_the_predictions() -> None:
    rows = (make_metric(), make_metric(source="metrics.json", low=None, high=None))

    text = fold_of(render_comment(make_report(metrics=rows)), "All metrics: 2")

    assert [line.split(" | ")[0] for line in text.replace("\u00a0", " ").splitlines() if "0.8" in line] == [
        "| ROC AUC",
        "| `metrics.json:roc_auc`",
    ]


def test_an_interval_without_width_around_a_change_is_not_shown() -> None:
    rows = (make_metric(difference=-0.0211, low=-0.0211, high=-0.0211),)

    assert "−0.0211 | 0.8452" in fold_of(render_comment(make_report(metrics=rows)), "All metrics: 1").replace(
        "\u00a0", " "
    )


def test_many_metrics_are_sorted_by_how_much_they_changed() -> None:
    rows = tuple(
        make_metric(
            name=f"m{index}", baseline=1.0, candidate=1.0 + index / 100, difference=index / 100, low=None, high=None
        )
        for index in range(40)
    )

    text = fold_of(render_summary(make_report(metrics=rows)), "All metrics: 40, 1 of them unchanged")

    names = [line.split("`")[1] for line in text.splitlines() if "`m" in line]
    assert names == [f"m{index}" for index in range(39, -1, -1)]


def test_earlier_runs_come_newest_first_with_their_changes() -> None:
    runs = tuple(
        PastRun(revision=digit * 40, verdict=verdict, headline=f"said {digit}", changes=("ROC AUC −0.02",))
        for digit, verdict in (("a", Verdict.FAILED), ("b", Verdict.PASSED))
    )

    text = fold_of(render_comment(make_report(), ViewContext(history=runs)), "Earlier runs in this pull request: 2")

    assert [line for line in text.splitlines() if "said" in line] == [
        "| `bbbbbbb` | ✅ said b | ROC AUC −0.02 |",
        "| `aaaaaaa` | ❌ said a | ROC AUC −0.02 |",
    ]


def test_a_run_is_remembered_by_its_headline_and_the_first_gates() -> None:
    run = remember_run(make_report(), CANDIDATE_SHA)

    assert run.headline == "Blocked: ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed"
    assert run.changes == ("ROC AUC −0.021", "F1 −0.012")


def test_without_pictures_the_forest_plot_is_drawn_in_characters_a_phone_can_show() -> None:
    forest = make_report().charts[0]

    lines = draw_text_forest(forest).splitlines()

    assert lines[1:5] == [
        "ROC AUC             −0.021   limit −0.010",
        "░░──━━━━━━━━■━━━━━━━─┃       │",
        "F1                  −0.012   limit −0.030",
        "░░░░░░░░░░░░░░░░──━━━┃━━━━◆━━━━━━━━──",
    ]
    assert max(map(len, lines)) <= 41


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(-0.09, -0.05, "← worse 0"), (-0.012, 0.003, "← worse 0 better →")],
    ids=["far worse", "near zero"],
)
def test_the_words_below_the_text_chart_never_touch_its_zero(low: float, high: float, words: str) -> None:
    forest = build_forest([make_gate(low=low, high=high, difference=(low + high) / 2)])
    assert forest is not None

    last = draw_text_forest(forest).splitlines()[-2]

    assert " ".join(last.split()) == words


def test_a_view_without_pictures_can_say_how_to_get_them() -> None:
    context = ViewContext(picture_note="Pictures need `contents: write`.")

    assert "_Pictures need &#96;contents: write&#96;._" in render_comment(make_report(), context)
    assert "Pictures need" not in render_comment(make_report(), GITHUB)


def test_lower_is_better_reads_as_a_rise() -> None:
    gate = make_gate(metric="log_loss", kind="max_increase", direction=Direction.LOWER, bound=0.02)

    assert "may rise by 0.020" in render_comment(make_report(gates=(gate,))).replace("\u00a0", " ")


def test_charts_are_folded_under_their_titles_with_what_is_not_drawn() -> None:
    own, foreign = (
        ChartData(name=name, kind="curves", title=title, alt="a") for name, title in (("roc", "ROC"), ("p", "@loss"))
    )
    addresses = ("https://p.example/light.png", "https://p.example/dark.png")
    report = make_report(charts=(own, foreign), chart_notes=("The plot x.png is not drawn: it is an image.",))

    text = fold_of(
        render_comment(report, ViewContext(pictures={"roc": addresses, "p": addresses})),
        "Charts: ROC, <code>@loss</code>",
    )

    assert text.count("<picture>") == 2
    assert "- The plot x.png is not drawn: it is an image." in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"bound": 0.04226, "share": 0.05}, "may fall by 5 % (0.042)"),
        ({"bound": 0.01, "rule": "by at most 99% may fall by 0.01"}, "may fall by 0.010"),
        ({"bound": 0.0}, "may not fall"),
        ({"bound": 0.03, "anchor": True}, "may fall by 0.030 since the anchor"),
        ({"kind": "min_gain"}, "must rise by 0.010"),
        ({"kind": "min_gain", "direction": Direction.LOWER}, "must fall by 0.010"),
        ({"kind": "max_increase", "direction": Direction.LOWER}, "may rise by 0.010"),
        ({"kind": "max", "candidate": 0.9}, "at most 0.010"),
    ],
)
def test_a_rule_is_said_in_the_words_of_its_direction(changes: dict[str, object], expected: str) -> None:
    gate = make_gate(**({"baseline": 0.8452} | changes))

    assert describe_rule(gate, 3) == expected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"low": -0.024, "high": 0.011}, True),
        ({"low": -0.008, "high": 0.011}, False),
        ({"low": -0.024, "high": 0.011, "role": Role.REQUIRED}, False),
        ({"kind": "max_increase", "direction": Direction.LOWER, "low": -0.024, "high": 0.011}, True),
        ({"kind": "max_increase", "direction": Direction.LOWER, "low": -0.024, "high": 0.009}, False),
        ({"low": None, "high": None}, True),
    ],
)
def test_a_guardrail_that_passes_without_proof_says_so(changes: dict[str, object], *, said: bool) -> None:
    gate = make_gate(**({"role": Role.GUARDRAIL, "outcome": Outcome.PASSED, "difference": -0.006} | changes))

    assert ("guardrail: no loss beyond it was shown" in draw_gates([gate], 0.95)) is said


def test_attempts_on_one_test_set_are_counted_and_other_test_sets_are_not() -> None:
    report = make_report(pairings=(make_pairing(test_set="a" * 16),))
    history = tuple(
        PastRun(revision=str(number) * 40, verdict=Verdict.FAILED, headline="worse", test_set=test_set)
        for number, test_set in enumerate(("a" * 16, "b" * 16, "a" * 16))
    )

    assert "attempt 3 on this test set" in render_comment(report, ViewContext(history=history))
    assert "attempt" not in render_comment(report)
    assert remember_run(report, "c" * 40).test_set == "a" * 16


def test_from_the_third_different_attempt_on_the_report_says_what_so_many_do_to_its_promise() -> None:
    report = make_report(pairings=(make_pairing(test_set="a" * 16, answers="9"),))
    history = tuple(
        PastRun(
            revision=f"{number:040x}", verdict=Verdict.FAILED, headline="x", test_set="a" * 16, answers=str(answers)
        )
        for number, answers in enumerate((1, 2, 3, 4, 4, 4))
    )

    fifth = render_comment(report, ViewContext(history=history))

    assert "This is attempt 5 on this test set." in fifth
    assert "2.5% of cases, and at least one of 5 in up to 12%. Fresh test rows help." in fifth.replace("\u00a0", " ")
    assert "This is attempt" not in render_comment(report, ViewContext(history=history[:1]))
    assert remember_run(report, "c" * 40).answers == "9"


def test_notes_on_a_gate_and_how_sure_a_failure_is_stand_below_its_rule() -> None:
    note = "One row carries 98% of the variance of the difference."
    gate = make_gate(
        notes=(note,), reason_code="worse_probably_beyond", reason="certainly worse; probably by more than is allowed"
    )

    table = draw_gates([gate], 0.95)

    assert note in table
    assert "certainly worse; probably by more than is allowed" in table


def test_a_percentage_of_a_tiny_baseline_is_questioned_where_it_does_not_pass() -> None:
    tiny = {"share": 0.05, "bound": 0.0001, "baseline": 0.002, "candidate": 0.003, "kind": "max_increase"}

    assert "5\u00a0% of so small a baseline is nearly nothing" in render_comment(
        make_report(gates=(make_gate(**tiny),))
    )
    assert "nearly nothing" not in render_comment(make_report(gates=(make_gate(**(tiny | {"baseline": 0.8})),)))
    passed = make_passed_gate(**tiny)
    assert "nearly nothing" not in render_comment(make_report(gates=(passed,)))


def test_a_report_of_numbers_alone_says_what_a_predictions_file_would_add() -> None:
    number = make_metric(name="metrics.json:accuracy", source="metrics.json", low=None, high=None)

    numbers_alone = render_comment(make_report(metrics=(number,), pairings=()))

    assert "With one file more" in numbers_alone
    assert "/docs/predictions.md)" in numbers_alone
    assert "With one file more" not in render_comment(make_report())
    assert "With one file more" not in render_comment(make_error_report())
