"""Every error has a code of its own, and its message says three things and where the longer answer is."""

import ast
import pkgutil
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

import metricgate
from metricgate import errors
from metricgate.cli.terminal_output import print_error
from metricgate.errors import MetricgateError, WorkspaceError, find_help
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


def import_rooms() -> None:
    for module in pkgutil.walk_packages(metricgate.__path__, "metricgate."):
        if "__main__" not in module.name and ".demo.churn" not in module.name:
            import_module(module.name)


def test_every_error_of_every_room_has_its_longer_answer() -> None:
    import_rooms()
    answered = {page.stem for page in (ROOT / "docs/errors").glob("*.md")}

    kinds = [kind for kind in list_kinds() if kind.__module__.startswith("metricgate.")]

    assert {"GitHubError", *CODES} <= {kind.__name__ for kind in kinds}
    assert {kind.__name__: kind.anchor for kind in kinds if kind.anchor not in answered} == {}
    assert {kind.anchor for kind in kinds} == {kind.anchor for kind in ALL}, "a link to another anchor is left out"


WITHOUT_SECTIONS = {"a-defect-in-metricgate", "cancelled"}  # pages of one error
IN_THE_WORKER = ("PipelineFailedError", "RemoteFailedError", "Failed")  # they become a WorkspaceError


def list_raised() -> Iterator[tuple[str, str, str]]:
    """Yield each error that the sources make: where, the page of its kind, and its topic (empty where it has none)."""
    import_rooms()
    kinds = {kind.__name__: (kind.anchor, kind.usual_topic) for kind in list_kinds()}
    kinds |= dict.fromkeys(IN_THE_WORKER, (WorkspaceError.anchor, ""))
    for path in sorted((ROOT / "src/metricgate").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and (name := ast.unparse(call.func)) in kinds:
                page, usual = kinds[name]
                given = next((argument.value for argument in call.keywords if argument.arg == "topic"), None)
                if given is None or isinstance(given, ast.Constant):  # else it is passed on
                    yield f"{path.name}:{call.lineno}", page, usual if given is None else str(given.value)


def test_every_error_that_is_raised_has_a_section_of_its_page_and_every_section_an_error() -> None:
    sections = {
        (page.stem, slug_of(heading))
        for page in (ROOT / "docs/errors").glob("*.md")
        for heading in re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    raised = [found for found in list_raised() if found[1] not in WITHOUT_SECTIONS]

    assert len(raised) > 100
    nameless = [where for where, _, topic in raised if not topic]
    assert nameless == [], "name a section of docs/errors: topic=…"
    assert {(page, topic) for _, page, topic in raised} == sections
    assert all(find_help(page, topic).endswith(f"/{page}.md#{topic}") for page, topic in sections)


def slug_of(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("topic", ["", "A b", "a)b", "<b>", "../x", "a" + "-a" * 20])
def test_a_topic_from_a_file_that_is_none_leads_to_the_top_of_the_page(topic: str) -> None:
    assert find_help("workspace", topic) == find_help("workspace")


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
    error = kind("A broke.", expected="a whole A.", fix="mend A.", topic="a-is-broken")

    assert error.help_url.endswith("#a-is-broken")
    assert error.help_url in view(report_failure(error))


@pytest.mark.parametrize("kind", ALL)
def test_an_error_without_a_report_links_to_the_longer_answer(
    kind: type[MetricgateError], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = kind("A broke.", expected="a whole A.", fix="mend A.", topic="a-is-broken")
    said: list[str] = []
    summary = tmp_path / "summary.md"

    print_error(error)
    Runner({"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}, emit=said.append).explain(error)

    assert error.help_url in capsys.readouterr().err
    assert error.help_url in summary.read_text(encoding="utf-8")
    assert error.help_url.replace(":", "%3A") in said[0] or error.help_url in said[0]
