"""Annotations of the check run: at the rule that did not pass, and at the parameter that changed."""

from metricgate.models.result import Change, Location
from metricgate.report.formats.check_run import MAX_ANNOTATIONS, CheckAnnotation, annotate
from tests.report.reports import make_doubtful_gate, make_gate, make_passed_gate, make_report


def test_annotations_stand_at_the_rule_and_beside_a_failure_at_the_parameter() -> None:
    gates = (
        make_passed_gate(location=Location(path="metricgate.yaml", line=3)),
        make_doubtful_gate(location=Location(path="metricgate.yaml", line=7)),
        make_gate(location=Location(path="metricgate.yaml", line=5)),
    )
    changes = (
        Change(
            kind="parameter", name="train.depth", before="8", after="3", location=Location(path="params.yaml", line=2)
        ),
    )

    notes = annotate(make_report(gates=gates, changes=changes))

    assert notes == (
        CheckAnnotation(
            path="metricgate.yaml",
            line=5,
            level="failure",
            title="ROC AUC: failed",
            message="ROC AUC is 0.021 lower (0.012 to 0.030); 0.010 is allowed",
        ),
        CheckAnnotation(
            path="metricgate.yaml",
            line=7,
            level="warning",
            title="F1: undecided",
            message="up to 0.041 of F1 may be lost, 0.030 is allowed",
        ),
        CheckAnnotation(
            path="params.yaml",
            line=2,
            level="notice",
            title="train.depth changed",
            message="train.depth went from 8 to 3.",
        ),
    )


def test_a_passed_run_annotates_nothing_and_a_long_one_no_more_than_github_takes() -> None:
    place = Location(path="metricgate.yaml", line=3)
    many = tuple(make_gate(location=place, metric=f"m{index}") for index in range(80))

    assert annotate(make_report(gates=(make_passed_gate(location=place),))) == ()
    assert len(annotate(make_report(gates=many))) == MAX_ANNOTATIONS
