"""Every error has a code of its own, and its message says three things and where the longer answer is."""

import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

import metricgate
from metricgate import errors
from metricgate.cli.terminal_output import print_error
from metricgate.errors import MetricgateError
from metricgate.publish.runner import Runner
from metricgate.report.failure import report_failure
from metricgate.report.formats.check_run import render_check
from metricgate.report.formats.markdown import render_comment, render_summary
from metricgate.report.formats.terminal import render_terminal
from metricgate.report.value import Report
from tests.packaging.documents import ROOT

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MetricgateError)]
CODES = {
    "MetricgateError": 70,
    "ConfigurationError": 2,
    "PredictionsError": 3,
    "WorkspaceError": 4,
    "TimeLimitError": 4,
    "PublishError": 5,
    "CancelledError": 130,
}


def test_exit_codes_are_those_that_the_documents_promise() -> None:
    assert {kind.__name__: kind.exit_code for kind in ALL} == CODES
    assert 1 not in CODES.values()


@pytest.mark.parametrize("kind", ALL)
def test_a_message_says_what_happened_what_was_expected_and_what_to_do(kind: type[MetricgateError]) -> None:
    error = kind("A broke.", expected="a whole A.", fix="mend A.", details="line 1")

    assert str(error) == "A broke. Expected: a whole A. What to do: mend A."
    assert error.details == "line 1"
    assert kind.title
    assert kind.anchor


def list_kinds(kind: type[MetricgateError] = MetricgateError) -> Iterator[type[MetricgateError]]:
    """Yield every class of error that is ours, those that a room keeps for itself included."""
    yield kind
    for child in kind.__subclasses__():
        yield from list_kinds(child)


def test_every_error_of_every_room_has_its_longer_answer() -> None:
    for module in pkgutil.walk_packages(metricgate.__path__, "metricgate."):
        if "__main__" not in module.name and ".demo.churn" not in module.name:
            import_module(module.name)
    answered = {page.stem for page in (ROOT / "docs/errors").glob("*.md")}

    kinds = [kind for kind in list_kinds() if kind.__module__.startswith("metricgate.")]

    assert {"GitHubError", *CODES} <= {kind.__name__ for kind in kinds}
    assert {kind.__name__: kind.anchor for kind in kinds if kind.anchor not in answered} == {}
    assert {kind.anchor for kind in kinds} == {kind.anchor for kind in ALL}, "a link to another anchor is left out"


VIEWS: dict[str, Callable[[Report], str]] = {
    "comment": render_comment,
    "summary": render_summary,
    "check": lambda report: render_check(report).summary,
    "terminal": lambda report: render_terminal(report, color=False, width=100),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))
@pytest.mark.parametrize("kind", ALL)
def test_a_report_of_an_error_links_to_the_longer_answer(
    kind: type[MetricgateError], view: Callable[[Report], str]
) -> None:
    error = kind("A broke.", expected="a whole A.", fix="mend A.")

    assert error.help_url in view(report_failure(error))


@pytest.mark.parametrize("kind", ALL)
def test_an_error_without_a_report_links_to_the_longer_answer(
    kind: type[MetricgateError], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = kind("A broke.", expected="a whole A.", fix="mend A.")
    said: list[str] = []
    summary = tmp_path / "summary.md"

    print_error(error)
    Runner({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}, emit=said.append).explain(error)

    assert error.help_url in capsys.readouterr().err
    assert error.help_url in summary.read_text(encoding="utf-8")
    assert error.help_url.replace(":", "%3A") in said[0] or error.help_url in said[0]
