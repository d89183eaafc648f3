"""Evaluation code that main reaches in an unusual way, and a pull request that edits what is behind it."""

from collections.abc import Callable, Mapping

import pytest

from tests.projects import TinyProject
from tests.tricks.conftest import EVALUATE, HELPERS, PIPELINE, TRAIN, PullRequest


def _nothing(_: TinyProject) -> None:
    pass


def change_main(
    change: PullRequest, files: Mapping[str, str], edit: Callable[[TinyProject], None] = _nothing
) -> TinyProject:
    """Make a project of main that is run and pushed, and start the pull request again from it."""
    project = change.project
    project.git("switch", "--quiet", "main")
    for path, text in files.items():
        project.write(path, text)
    edit(project)
    project.dvc("repro", "--quiet")
    project.dvc("push", "--quiet")
    project.commit("Evaluate in another way")
    project.git("push", "--quiet", "origin", "main")
    project.git("switch", "--quiet", "--force-create", "change", "main")
    return project


def replace(text: str, before: str, after: str) -> str:
    assert before in text
    return text.replace(before, after)


RUN_BY_SHELL = replace(
    PIPELINE, "python src/evaluate.py\n    deps: [src/evaluate.py, ", "sh run.sh\n    deps: [run.sh, "
)
RUN_BY_MAKE = replace(PIPELINE, "python src/evaluate.py\n    deps: [src/evaluate.py, ", "make -s evaluate\n    deps: [")


def link_the_program(project: TinyProject) -> None:
    for name in ("evaluate.py", "helpers.py"):
        project.write(f"lib/{name}", project.read(f"src/{name}"))
        (project.root / "src" / name).unlink()
    (project.root / "src/evaluate.py").symlink_to("../lib/evaluate.py")


def move_the_helpers(project: TinyProject) -> None:
    project.write("extra/vendored/helpers.py", HELPERS)
    (project.root / "src/helpers.py").unlink()


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("files", "edit", "path"),
    [
        ({"run.sh": "exec python src/evaluate.py\n", "dvc.yaml": RUN_BY_SHELL}, _nothing, "src/helpers.py"),
        ({"Makefile": "evaluate:\n\tpython src/evaluate.py\n", "dvc.yaml": RUN_BY_MAKE}, _nothing, "src/helpers.py"),
        ({}, link_the_program, "lib/helpers.py"),
        (
            {"src/evaluate.py": f"import sys; sys.path.insert(0, 'extra/' + 'vendored')\n{EVALUATE}"},
            move_the_helpers,
            "extra/vendored/helpers.py",
        ),
        (
            {"src/evaluate.py": replace(EVALUATE, "import helpers", "helpers = __import__('hel' + 'pers')")},
            _nothing,
            "src/helpers.py",
        ),
    ],
    ids=["shell", "make", "link", "sys.path", "__import__"],
)
def test_evaluation_code_is_named_however_it_is_reached(
    change: PullRequest, files: Mapping[str, str], edit: Callable[[TinyProject], None], path: str
) -> None:
    change_main(change, files, edit)
    change.edit(path, ">= 0.5", ">= 0.4")

    answer = change.judge()

    assert answer.text("evaluation_changed") == f"This change edits the evaluation code: {path}."
    assert "This change edits the evaluation code" in answer.top
    assert answer.states["evaluate"] == "ran"


@pytest.mark.acceptance
def test_a_parameter_of_the_evaluation_is_named_with_its_values(change: PullRequest) -> None:
    own = replace(PIPELINE, "    deps: [src/evaluate.py, ", "    params: [evaluate]\n    deps: [src/evaluate.py, ")
    change_main(change, {"params.yaml": "noise: 0.0\nevaluate: {limit: 0.5}\n", "dvc.yaml": own})
    change.edit("params.yaml", "limit: 0.5", "limit: 0.4")

    answer = change.judge()

    assert answer.codes == {"evaluation_parameters_changed"}
    assert "evaluate.limit (0.5 → 0.4)" in answer.text("evaluation_parameters_changed")
    assert "This change edits parameters of the evaluation" in answer.top


@pytest.mark.acceptance
def test_a_module_that_a_stage_writes_for_the_evaluation_is_named(change: PullRequest) -> None:
    module = "from _csv import *\\nfrom _csv import writer\\n"
    change.project.write("src/train.py", f"{TRAIN}open('src/csv.py', 'w').write('{module}')\n")

    answer = change.judge()

    assert answer.codes == {"rewritten_files"}
    assert "wrote code that is not in Git, and that it may load: src/csv.py." in answer.text("rewritten_files")


@pytest.mark.acceptance
def test_an_ordinary_change_is_not_warned_of(change: PullRequest) -> None:
    """A hyper-parameter, code of the model, a feature, a test and words, all at once."""
    project = change.project
    project.write("params.yaml", "noise: 0.001\n")
    change.edit("src/common.py", "import re", "import re  # as before")
    change.edit("src/prepare.py", "rows = ", "rows  = ")
    project.write("tests/test_helpers.py", "import helpers\n")
    project.write("README.md", "See src/evaluate.py.\n")
    project.write("web/app.ts", "export {}\n")

    answer = change.judge()

    assert answer.report.verdict == "passed"
    assert answer.codes == set()
    assert "Feeds the rows that are judged: `src/prepare.py`" in answer.top
    assert "1 other file (`web/app.ts`)" in answer.top
