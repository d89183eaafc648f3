"""Other ways for a pull request to decide its own verdict: each is named above the first table."""

from collections.abc import Callable

import pytest

from metricgate.processes.progress import QuietProgress
from metricgate.report.formats.check_run import render_check
from metricgate.run import Request, run
from tests.tricks.conftest import PullRequest

LOOP = """\
  evaluate:
    foreach: [eval]
    do:
      cmd: python ${script}
      deps: [src/evaluate.py, model.json, data/prepared.csv]
      outs: ["${item}/predictions.csv"]
      metrics:
        - metrics.json: {cache: false}
"""


def shadow_a_module(change: PullRequest) -> None:
    """A file beside evaluate.py that Python finds before its own module csv."""
    change.project.write("src/csv.py", "from _csv import writer\n")


def edit_an_undeclared_module(change: PullRequest) -> None:
    change.edit("src/helpers.py", ">= 0.5", ">= 0.4")


def ask_for_other_packages(change: PullRequest) -> None:
    change.project.write("requirements.txt", "scikit-learn @ https://example.org/another.whl\n")


def ignore_files(change: PullRequest) -> None:
    change.project.write(".dvcignore", "src\n")


def point_dvc_elsewhere(change: PullRequest) -> None:
    change.project.write(".dvc/config", change.project.read(".dvc/config") + "[cache]\n    type = symlink\n")


def give_the_table_to_another_stage(change: PullRequest) -> None:
    change.edit("dvc.yaml", "    outs: [eval/predictions.csv]\n", "")
    change.edit("dvc.yaml", "    outs: [model.json]\n", "    outs: [model.json, eval/predictions.csv]\n")
    change.edit(
        "src/train.py", "json.dump", "exec(open('src/evaluate.py').read().split('with')[0]) if 0 else 0\njson.dump"
    )
    text = "import os; os.makedirs('eval', exist_ok=True)\nopen('eval/predictions.csv', 'w').write('id,label,score\\n' + ''"
    rows = ".join(f'{i},{int(i >= 150)},{i / 300}\\n' for i in range(300)))\n"
    change.project.write("src/train.py", change.project.read("src/train.py") + text + rows)
    change.edit("src/evaluate.py", 'open("eval/predictions.csv", "w")', 'open("eval/other.csv", "w")')


def pad_the_pipeline(change: PullRequest) -> None:
    """A file that is too large to be compared may not be silent about it."""
    change.edit("dvc.yaml", "stages:\n", "# nothing\n" * 12_000 + "stages:\n")


def move_a_stage_into_a_loop(change: PullRequest) -> None:
    text = change.project.read("dvc.yaml")
    change.project.write("dvc.yaml", text[: text.index("  evaluate:")] + LOOP)
    change.project.write("params.yaml", "noise: 0.0\nscript: src/evaluate.py\n")


def hide_among_new_stages(change: PullRequest) -> None:
    extra = "".join(f"  a{number}: {{cmd: 'true', deps: [params.yaml]}}\n" for number in range(30))
    change.edit("dvc.yaml", "stages:\n", f"stages:\n{extra}")
    change.edit("dvc.yaml", "cmd: python src/evaluate.py", "cmd: python  src/evaluate.py")


@pytest.mark.parametrize(
    ("trick", "code", "named"),
    [
        (shadow_a_module, "evaluation_changed", "src/csv.py"),
        (edit_an_undeclared_module, "evaluation_changed", "src/helpers.py"),
        (ask_for_other_packages, "environment_changed", "requirements.txt"),
        pytest.param(ignore_files, "settings_changed", ".dvcignore", marks=pytest.mark.acceptance),
        pytest.param(point_dvc_elsewhere, "settings_changed", ".dvc/config", marks=pytest.mark.acceptance),
        (give_the_table_to_another_stage, "pipeline_changed", "stage train (outs)"),
        pytest.param(
            pad_the_pipeline,
            "pipeline_changed",
            "dvc.yaml (too large or broken to be compared)",
            marks=pytest.mark.acceptance,
        ),
        pytest.param(
            move_a_stage_into_a_loop, "pipeline_changed", "stage evaluate (foreach, outs)", marks=pytest.mark.acceptance
        ),
        pytest.param(hide_among_new_stages, "pipeline_changed", "stage evaluate (cmd)", marks=pytest.mark.acceptance),
    ],
)
def test_what_a_change_edits_is_named(
    change: PullRequest, trick: Callable[[PullRequest], None], code: str, named: str
) -> None:
    trick(change)

    answer = change.judge()

    assert named in answer.text(code)
    assert answer.text(code).split(":")[0] in answer.top
    assert "pipeline unchanged" not in answer.comment
    assert answer.text(code) in [note.message for note in render_check(answer.report).annotations]


def test_a_change_that_nothing_depends_on_runs_nothing_and_warns_of_nothing(change: PullRequest) -> None:
    change.project.write("README.md", "Only words.\n")
    change.project.write("tests/test_model.py", "assert True\n")

    answer = change.judge()

    assert answer.report.verdict == "passed"
    assert answer.codes == set()
    assert set(answer.states.values()) == {"unchanged"}
    assert "· pipeline unchanged" in answer.top


@pytest.mark.acceptance
def test_a_value_that_fills_a_command_is_a_change_of_the_pipeline(change: PullRequest) -> None:
    project = change.project
    project.git("switch", "--quiet", "main")
    project.write("params.yaml", "noise: 0.0\nscript: src/train.py\n")
    change.edit("dvc.yaml", "cmd: python src/train.py", "cmd: python ${script}")
    project.dvc("repro", "--quiet")
    project.dvc("push", "--quiet")
    project.commit("Name the script in params.yaml")
    project.git("push", "--quiet", "origin", "main")
    project.git("switch", "--quiet", "--force-create", "change", "main")
    change.project.write("src/other.py", project.read("src/train.py"))
    change.edit("params.yaml", "src/train.py", "src/other.py")
    project.dvc("commit", "--force", "--quiet")

    answer = change.judge()

    assert "stage train (cmd)" in answer.text("pipeline_changed")
    assert answer.states["train"] == "ran"


def test_a_stage_that_puts_the_evaluation_code_back_is_named(change: PullRequest) -> None:
    """The code that judged was another one: it rewrites itself to what main has."""
    honest = change.project.read("src/evaluate.py")
    change.make_worse()
    change.project.write("honest.txt", honest)
    change.edit("src/evaluate.py", 'noise = json.load(open("model.json"))["noise"]', "noise = 0.0")
    back = "open('src/evaluate.py', 'w').write(open('honest.txt').read())\n"
    change.project.write("src/evaluate.py", change.project.read("src/evaluate.py") + back)

    answer = change.judge()

    assert answer.report.verdict == "passed"
    assert "src/evaluate.py" in answer.text("evaluation_changed")
    assert "src/evaluate.py" in answer.text("rewritten_files")


def test_a_model_that_was_trained_elsewhere_is_judged_by_an_evaluation_that_runs_here(change: PullRequest) -> None:
    change.make_worse()
    change.project.dvc("repro", "--quiet")

    answer = change.judge()

    assert answer.report.verdict == "failed"
    assert answer.states == {"prepare": "unchanged", "train": "committed", "evaluate": "ran"}
    assert [entry.what for entry in answer.report.not_reproduced] == ["train"]
    assert "ran 1 of 3 stages" in answer.top
    assert "`train` as committed, not reproduced" in answer.top


def test_a_stage_that_runs_again_and_fails_says_why_it_ran_and_what_else_is_possible(change: PullRequest) -> None:
    change.edit("src/evaluate.py", "import helpers\n", "import helpers\nraise SystemExit('no GPU')\n")
    change.project.dvc("commit", "--force", "--quiet")

    answer = change.judge()

    assert answer.report.verdict == "error"
    assert answer.report.failure is not None
    assert "evaluate.py, exited with 1" in answer.report.failure.what
    assert "it ran because the change edits what decides the verdict" in answer.report.failure.fix
    assert "no GPU" in answer.report.failure.details
    assert "src/evaluate.py" in answer.text("evaluation_changed")
    assert answer.text("evaluation_changed").split(":")[0] in answer.top
    assert "Changed: 1 source file (`src/evaluate.py`)" in answer.top


@pytest.mark.acceptance
def test_a_model_that_is_swapped_alone_is_trained_again(change: PullRequest) -> None:
    change.project.write("model.json", '{"noise": 0.8}')
    change.project.dvc("commit", "--force", "--quiet")

    answer = change.judge()

    assert answer.report.verdict == "passed"
    assert answer.states["train"] == answer.states["evaluate"] == "ran"


@pytest.mark.acceptance
def test_stages_that_cannot_run_for_lack_of_data_are_named(change: PullRequest) -> None:
    change.make_worse()
    change.project.dvc("repro", "--quiet")
    change.edit("dvc.yaml", "cmd: python src/prepare.py", "cmd: python  src/prepare.py")
    change.project.dvc("commit", "--force", "--quiet")
    change.project.dvc("push", "--quiet")
    raw = change.project.read("data/raw.csv.dvc").split("md5: ")[1][:32]
    (change.project.remote / "files/md5" / raw[:2] / raw[2:]).unlink()

    answer = change.judge(push=False)

    assert "data/raw.csv is needed" in answer.text("not_reproduced")
    assert answer.states["evaluate"] == "committed"
    assert answer.report.verdict == "failed"


def test_a_policy_that_reproduces_always_runs_every_stage(change: PullRequest) -> None:
    project = change.project
    project.git("switch", "--quiet", "main")
    change.edit("metricgate.yaml", "gates:", "reproduce: always\ngates:")
    project.commit("Believe nothing")
    project.git("push", "--quiet", "origin", "main")
    project.git("switch", "--quiet", "--force-create", "change", "main")
    change.make_worse()
    project.write("model.json", '{"noise": 0.0, "lucky": true}')
    project.dvc("commit", "--force", "--quiet")
    change.edit("metricgate.yaml", "reproduce: always\n", "")

    answer = change.judge()

    assert answer.report.verdict == "failed"
    assert answer.codes == {"policy_changed"}
    assert set(answer.states.values()) == {"ran"}


def test_a_run_that_may_reproduce_nothing_refuses_a_policy_that_always_does(change: PullRequest) -> None:
    change.edit("metricgate.yaml", "gates:", "reproduce: always\ngates:")
    change.project.commit("Believe nothing")

    report = run(
        Request(directory=change.project.root, output=change.folder / "report", reproduce="never", baseline="HEAD"),
        QuietProgress(),
    )

    assert report.exit_code == 2
    assert report.failure is not None
    assert "reproduce: always" in report.failure.what


@pytest.mark.acceptance
def test_the_same_results_are_named_on_a_second_run(change: PullRequest) -> None:
    """What an earlier run kept is no better than what that run had."""
    change.make_worse()
    change.edit("metricgate.yaml", "gates:", "pipeline: {command: 'true'}\ngates:")
    first = change.judge()
    clone = change.folder / "clone"

    again = run(Request(directory=clone, output=change.folder / "again", baseline="origin/main"), QuietProgress())

    assert first.report.candidate is not None
    assert again.candidate is not None
    assert again.candidate.made != ""
    assert again.not_reproduced == first.report.not_reproduced
