"""A change whose model is tested: a real repository, real processes, and whatever a command may do instead of testing."""

import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from metricgate.context import RunContext
from metricgate.execution.snapshots import SnapshotSet
from metricgate.gates.verdict import decide_verdict
from metricgate.model_tests.tested_sides import TriedChange, try_change
from metricgate.models.outcome import Outcome, Verdict
from metricgate.models.result import GateRow
from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.processes.progress import QuietProgress
from metricgate.report.formats.check_run import render_check
from metricgate.report.formats.markdown import render_comment
from metricgate.report.headline import headline
from metricgate.report.value import Report
from metricgate.revisions.changed_sources import find_changed_sources
from metricgate.revisions.checkout import Checkout
from metricgate.run import Request, run
from metricgate.settings.selection import PolicyChoice, choose_policy
from tests.projects import set_identity, stages_find_python

POLICY = """\
predictions: {path: predictions.csv, id: id, label: label, score: score}
gates: [{metric: accuracy, min: 0.1}]
"""
PYTEST = "tests: python -m pytest -q -p no:randomly tests/model\n"
WRITTEN = "tests: {command: sh write.sh, junit: out/junit.xml}\n"
ROWS = "".join(f"{number},{number % 2},{(number % 2) * 0.6 + 0.2}\n" for number in range(40))
MODEL = """\
import csv
import pytest

@pytest.fixture
def rows():
    with open("predictions.csv") as file:
        return list(csv.DictReader(file))

def test_every_customer_has_an_answer(rows):
    assert len(rows) == 40

@pytest.mark.parametrize("limit", [0.1, 0.5])
def test_answers_are_above(rows, limit):
    assert all(float(row["score"]) > limit for row in rows)
"""


@dataclass(frozen=True, kw_only=True)
class TriedProject:
    """A repository without DVC: the predictions and the tests are files in Git."""

    root: Path

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change something")
        return self.git("rev-parse", "HEAD")

    def try_change(self, choice: PolicyChoice | None = None, **context: object) -> TriedChange:
        """Test the branch and main, without the rest of a run."""
        checkout = Checkout.open(self.root)
        policy = choice or choose_policy(POLICY + WRITTEN, POLICY + WRITTEN, baseline_name="main")
        scratch = self.root.parent / f"scratch-{len(list(self.root.parent.iterdir()))}"
        scratch.mkdir()
        with_snapshots = SnapshotSet(
            candidate=Snapshot(info=RevisionInfo(revision=checkout.head_sha, name="HEAD", source=Source.WORKSPACE)),
            baseline=Snapshot(
                info=RevisionInfo(revision=self.git("rev-parse", "main"), name="main", source=Source.GIT)
            ),
            anchor=None,
        )
        tried = try_change(
            RunContext(
                checkout=checkout,
                progress=QuietProgress(),
                logs=self.root.parent / "logs",
                scratch=scratch,
                **context,  # type: ignore[arg-type]
            ),
            policy,
            with_snapshots,
        )
        assert tried is not None
        return tried

    def judge(self, **request: object) -> Report:
        wanted = {"baseline": "main", **request}
        return run(
            Request(directory=self.root, output=self.root / "metricgate-report", **wanted),  # type: ignore[arg-type]
            QuietProgress(),
        )


Make = Callable[[str, Mapping[str, str]], TriedProject]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return a factory of projects with a main that has ``files`` and the ``tests`` of its policy, and a branch."""

    def make_project(tests: str, files: Mapping[str, str]) -> TriedProject:
        project = TriedProject(root=tmp_path / "work")
        project.root.mkdir()
        project.git("init", "--quiet", "--initial-branch", "main")
        set_identity(project.root)
        project.write("predictions.csv", f"id,label,score\n{ROWS}")
        project.write("metricgate.yaml", POLICY + tests)
        project.write(".gitignore", "metricgate-report\n__pycache__\nout\n.metricgate\n")
        for path, text in files.items():
            project.write(path, text)
        project.commit()
        project.git("switch", "--quiet", "--create", "change")
        return project

    with stages_find_python():
        yield make_project


def write_junit(*cases: str, after: str = "") -> str:
    return f"mkdir -p out\ncat > out/junit.xml <<'END'\n<testsuite>{''.join(cases)}</testsuite>\nEND\n{after}\n"


def case(name: str, *, body: str = "") -> str:
    return f'<testcase classname="tests.m" name="{name}">{body}</testcase>'


FAILURE = "<failure message='too low' />"


def list_tests(report: Report) -> dict[str, GateRow]:
    return {gate.metric: gate for gate in report.gates if gate.source == "tests"}


def test_a_test_that_passed_and_now_fails_blocks(make: Make) -> None:
    project = make(WRITTEN, {"write.sh": write_junit(case("test_a"), case("test_b"))})
    project.write("write.sh", write_junit(case("test_a"), case("test_b", body=FAILURE)))
    project.commit()

    report = project.judge()

    assert (report.verdict, report.exit_code) == (Verdict.FAILED, 1)
    assert headline(report) == "Blocked: b: it passed on the baseline and fails now: too low"
    assert list_tests(report)["tests.m::test_b"].reason_code == "test_broken"
    assert "<summary>Tests of the model: 1 of 2 pass, 1 fails</summary>" in render_comment(report)


@pytest.mark.acceptance
def test_a_test_that_passed_and_now_fails_blocks_and_is_shown_at_its_line(make: Make) -> None:
    project = make(PYTEST, {"tests/model/test_m.py": MODEL})
    project.write("predictions.csv", f"id,label,score\n{ROWS.replace('0.8', '0.7')}".replace(",0.2", ",0.05"))
    project.commit()

    report = project.judge()

    assert report.verdict is Verdict.FAILED
    assert report.exit_code == 1
    assert headline(report) == (
        "Blocked: answers are above [0.1]: it passed on the baseline and fails now: assert False"
    )
    broken = list_tests(report)["tests.model.test_m::test_answers_are_above[0.1]"]
    assert (broken.outcome, broken.reason_code) == (Outcome.FAILED, "test_broken")
    (note,) = [note for note in render_check(report).annotations if note.level == "failure"]
    assert (note.path, note.line) == ("tests/model/test_m.py", 13)
    assert report.model_tests is not None
    assert (report.model_tests.tests, report.model_tests.passed, report.model_tests.failed) == (3, 1, 2)
    comment = render_comment(report)
    assert "<summary>Tests of the model: 1 of 3 pass, 2 fail</summary>" in comment
    assert "every customer has an answer<br>`tests/model/test_m.py:9`" in comment
    assert not (project.root / ".pytest_cache").exists()


def test_a_change_of_tests_and_of_their_policy_is_named(make: Make) -> None:
    project = make(WRITTEN, {"write.sh": write_junit(case("a")), "tests/conftest.py": ""})
    project.write("metricgate.yaml", POLICY)
    project.write("write.sh", write_junit(case("a", body=FAILURE)))
    project.write("tests/conftest.py", "collect_ignore = ['model']\n")
    project.commit()
    choice = choose_policy(POLICY + WRITTEN, POLICY, baseline_name="main")

    warnings = [*choice.warnings, *find_changed_sources(Checkout.open(project.root), "main", choice).warnings]

    texts = {warning.code: warning.text for warning in warnings}
    assert "tests.command ('sh write.sh' → not set)" in texts["own_policy_changed"]
    assert "tests/conftest.py" in texts["tests_changed"]
    assert "write.sh" in texts["tests_changed"]


def test_removing_the_tests_from_the_policy_is_no_way_around_them(make: Make) -> None:
    project = make(WRITTEN, {"write.sh": write_junit(case("a"))})
    project.write("write.sh", write_junit(case("a", body=FAILURE)))
    project.commit()

    tried = project.try_change(choose_policy(POLICY + WRITTEN, POLICY, baseline_name="main"))

    assert tried.judged.gates[0].reason_code == "test_broken"


def test_a_change_that_brings_the_first_tests_is_judged_by_them(make: Make) -> None:
    project = make("", {})
    project.write("write.sh", write_junit(case("a"), case("b", body=FAILURE)))
    project.commit()

    tried = project.try_change(choose_policy(POLICY, POLICY + WRITTEN, baseline_name="main"))

    assert [gate.reason_code for gate in tried.judged.gates] == ["test_new_and_failing"]
    assert tried.judged.report.baseline == "none"


def test_a_baseline_that_cannot_be_tested_leaves_the_verdict_open(make: Make) -> None:
    project = make(WRITTEN, {})
    project.write("write.sh", write_junit(case("a")))
    project.commit()

    tried = project.try_change()

    (gate,) = tried.judged.gates
    assert (gate.outcome, gate.reason_code) == (Outcome.INCONCLUSIVE, "tests_without_baseline")
    assert "ended with exit code 127" in gate.reason or "ended with exit code 2" in gate.reason


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 0", "ended with exit code 0, and wrote no JUnit XML to out/junit.xml"),
        ("no-such-program", "ended with exit code 127, and wrote no JUnit XML"),
        ("mkdir -p out; : > out/junit.xml", "out/junit.xml is empty"),
        ("mkdir -p out; echo '<html></html>' > out/junit.xml", "out/junit.xml starts with <html>"),
        (write_junit(after="exit 5"), "ended with exit code 5, and out/junit.xml names no test"),
        (write_junit(case("a"), after="exit 3"), "ended with exit code 3, although no test"),
        ("mkdir -p out; ln -s /etc/hostname out/junit.xml", "is not a file of its own"),
        ("mkdir -p out/junit.xml", "is not a file of its own"),
        (write_junit(case("a", body="<skipped/>")), "every test was skipped"),
        (write_junit(case("a"), after="kill -9 $$"), "killed"),
    ],
)
def test_a_command_that_tests_nothing_is_an_error_and_never_a_pass(make: Make, script: str, said: str) -> None:
    project = make(WRITTEN, {"write.sh": write_junit(case("a"))})
    project.write("write.sh", script)
    project.commit()

    tried = project.try_change()

    assert decide_verdict(tried.judged.gates) is Verdict.ERROR
    assert any(said in gate.reason for gate in tried.judged.gates), tried.judged.gates


def test_a_file_that_was_there_before_is_not_taken_for_the_results(make: Make) -> None:
    project = make(WRITTEN, {"write.sh": write_junit(case("a"))})
    project.write("write.sh", "exit 0\n")
    project.write("out/junit.xml", f"<testsuite>{case('a')}</testsuite>")
    project.commit()

    (gate,) = project.try_change().judged.gates

    assert gate.reason_code == "tests_not_run"


def test_tests_that_take_too_long_are_an_error(make: Make) -> None:
    project = make(WRITTEN, {"write.sh": "exec sleep 600\n"})
    project.commit()

    tried = project.try_change(timeout_s=0.3)

    assert [gate.reason_code for gate in tried.judged.gates] == ["tests_not_run"]
    assert "time" in tried.judged.report.problem


def test_the_baselines_tests_run_once_and_are_kept(make: Make) -> None:
    counted = write_junit(case("a"), after="echo x >> '{}'")
    project = make(WRITTEN, {})
    log = project.root.parent / "log"
    project.write("write.sh", counted.format(log))
    project.commit()
    project.git("branch", "--force", "main")
    project.commit()

    first, second = project.try_change().judged.report, project.try_change().judged.report

    assert (first.baseline, second.baseline) == ("run", "stored")
    assert log.read_text(encoding="utf-8").count("x") == 3
