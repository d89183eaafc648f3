"""Which edits of a change are listed as sources, and which a reader is warned of."""

import py_compile
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from metricgate.errors import ConfigurationError
from metricgate.models.result import Change
from metricgate.revisions.changed_parameters import locate_parameters
from metricgate.revisions.changed_sources import find_changed_sources, find_rewritten
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.dvc_yaml import list_paths, read_dvc_yaml, read_stages
from metricgate.settings.policy import Policy, PredictionsSpec
from metricgate.settings.selection import PolicyChoice
from tests.projects import TinyProject

POLICY = Policy(predictions=PredictionsSpec(path="eval/predictions.csv", label="label", score="score"))
CHOICE = PolicyChoice(judging=POLICY, baseline=POLICY, candidate=POLICY, origin="metricgate.yaml at main")


def test_inputs_of_stages_are_sources_and_what_evaluates_or_starts_metricgate_is_a_warning(tiny: TinyProject) -> None:
    baseline = tiny.sha()
    for path in ("src/prepare.py", "src/evaluate.py", "notes.md", ".github/workflows/gate.yml"):
        tiny.write(path, "# changed\n")
    tiny.commit("change")

    found = find_changed_sources(Checkout.open(tiny.root), baseline, CHOICE)

    assert [change.name for change in found.sources] == ["src/evaluate.py", "src/prepare.py"]
    assert {warning.code: warning.text for warning in found.warnings} == {
        "workflow_changed": "This change edits the workflow: .github/workflows/gate.yml.",
        "evaluation_changed": "This change edits the evaluation code: src/evaluate.py.",
    }


def test_test_data_under_dvc_is_named_like_test_data_in_git(tiny: TinyProject) -> None:
    tiny.write("dvc.yaml", tiny.read("dvc.yaml").replace("[src/evaluate.py", "[data/test.csv, src/evaluate.py"))
    tiny.write("data/test.csv.dvc", "outs:\n- md5: 1b1c2d3e4f5061728394a5b6c7d8e9f0\n  path: test.csv\n")
    tiny.commit("name the test data")
    baseline = tiny.sha()
    tiny.write("data/test.csv.dvc", "outs:\n- md5: ffff2d3e4f5061728394a5b6c7d8e9f0\n  path: test.csv\n")
    tiny.commit("replace it")

    found = find_changed_sources(Checkout.open(tiny.root), baseline, CHOICE)

    assert [(warning.code, warning.text) for warning in found.warnings] == [
        ("evaluation_changed", "This change edits the evaluation code: data/test.csv.dvc.")
    ]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (".dvc/config.local", "settings_changed"),
        ("src/.dvcignore", "settings_changed"),
        ("data/.gitattributes", "settings_changed"),
        ("requirements/base.txt", "environment_changed"),
        ("setup.py", "environment_changed"),
        ("poetry.lock", "environment_changed"),
        ("environment.yml", "environment_changed"),
    ],
)
def test_settings_and_packages_are_named_wherever_they_lie(tiny: TinyProject, path: str, code: str) -> None:
    baseline = tiny.sha()
    tiny.write(path, "# changed\n")
    tiny.git("add", "--force", path)
    tiny.commit("change")

    found = find_changed_sources(Checkout.open(tiny.root), baseline, CHOICE)

    assert [(warning.code, path in warning.text) for warning in found.warnings] == [(code, True)]


@pytest.mark.parametrize(
    ("added", "codes"),
    [
        ("[tool.ruff]\nline-length = 100\n", []),
        ("[tool.uv]\nindex-url = 'https://example.org'\n", ["environment_changed"]),
        ("[dependency-groups]\ndev = ['numpy']\n", ["environment_changed"]),
        ("not toml", ["environment_changed"]),
    ],
)
def test_settings_of_a_linter_ask_for_no_packages(tiny: TinyProject, added: str, codes: list[str]) -> None:
    tiny.write("pyproject.toml", '[project]\nname = "x"\nversion = "1"\n')
    baseline = tiny.commit("a project")
    tiny.write("pyproject.toml", tiny.read("pyproject.toml") + added)
    tiny.commit("change")

    found = find_changed_sources(Checkout.open(tiny.root), baseline, CHOICE)

    assert [warning.code for warning in found.warnings] == codes


def test_bytecode_that_python_would_not_compare_with_its_source_is_named(tiny: TinyProject) -> None:
    tiny.write("src/helpers.py", "")
    baseline = tiny.commit("a module")
    tiny.write("src/train.py", "")
    tiny.commit("change")
    checkout = Checkout.open(tiny.root)
    found = find_changed_sources(checkout, baseline, CHOICE)
    for mode in (PycInvalidationMode.TIMESTAMP, PycInvalidationMode.UNCHECKED_HASH):
        target = tiny.root / f"src/__pycache__/{mode.name.lower()}.pyc"
        py_compile.compile(str(tiny.root / "src/helpers.py"), cfile=str(target), invalidation_mode=mode)

    [warning] = find_rewritten(checkout, found)

    assert warning.code == "rewritten_files"
    assert "not in Git, and that it may load: src/__pycache__/unchecked_hash.pyc." in warning.text


def test_only_parameters_with_a_line_are_located(tiny: TinyProject) -> None:
    tiny.write("params.yaml", "# the shift of all scores\nshift: 0.1\n")
    changes = tuple(Change(kind="parameter", name=name) for name in ("shift", "params.toml:depth"))

    located, unlocated = locate_parameters(Checkout.open(tiny.root), changes)

    assert located.location is not None
    assert (located.location.path, located.location.line) == ("params.yaml", 2)
    assert unlocated.location is None


def test_a_broken_pipeline_has_no_stages_for_those_who_only_look(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: [", encoding="utf-8")

    assert read_stages(tmp_path) == []
    with pytest.raises(ConfigurationError, match=r"dvc\.yaml"):
        read_dvc_yaml(tmp_path)


def test_paths_with_options_are_paths() -> None:
    stage = {"outs": ["a.csv", {"b.csv": {"cache": False}}], "metrics": {"not": "a list"}, "deps": ["c.csv"]}

    assert list(list_paths(stage, "outs", "metrics")) == ["a.csv", "b.csv"]
