"""What each changed file of a project can do: judged without Git, on projects of a few lines."""

from collections.abc import Mapping

import pytest

from metricgate.revisions.changed_files import ChangedFiles, Sides, classify_changes
from metricgate.revisions.code_reach import FileIndex, Tracer
from metricgate.revisions.dvc_yaml import read_written_stages
from metricgate.settings.policy import Policy, PredictionsSpec

POLICY = Policy(predictions=PredictionsSpec(path="eval/predictions.csv", label="label", score="score"))
PIPELINE = """\
stages:
  prepare:
    cmd: python src/prepare.py
    deps: [src/prepare.py, data/raw.csv]
    params: [split]
    outs: [data/prepared.csv]
  train:
    cmd: python src/train.py
    deps: [src/train.py, data/prepared.csv]
    params: [train]
    outs: [model.json]
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py, model.json, data/prepared.csv]
    params: [evaluate]
    outs: [eval/predictions.csv]
    metrics:
      - metrics.json: {cache: false}
"""
PARAMETERS = "split: 0.2\ntrain: {depth: 3}\nevaluate: {threshold: 0.5}\nother: 1\n"
PROJECT = {
    "dvc.yaml": PIPELINE,
    "params.yaml": PARAMETERS,
    "src/prepare.py": "import features",
    "src/train.py": "import features, network\nopen('params.yaml')",
    "src/evaluate.py": "import scores\nopen('limits.json')",
    "src/features.py": "",
    "src/network.py": "",
    "src/scores.py": "",
    "limits.json": "{}",
    "metrics.json": "{}",
    "README.md": "See src/evaluate.py.",
    "tests/test_scores.py": "import scores",
    "web/app.js": "",
}


def classify(
    edits: Mapping[str, str | None], project: Mapping[str, str] = PROJECT, policy: Policy = POLICY, **more: str
) -> ChangedFiles:
    before = {**project, **more}
    after = {path: text for path, text in {**before, **edits}.items() if text is not None}
    sides = Sides(before=before.get, after=after.get, changed=frozenset(edits))
    stages = [stage for read in (before.get, after.get) for stage in read_written_stages("dvc.yaml", read) or []]
    tracer = Tracer(index=FileIndex({*before, *after}), read=after.get, follow_link=lambda path: path)
    return classify_changes(sides, stages, (policy, policy), tracer)


@pytest.mark.parametrize(
    ("path", "belongs"),
    [
        ("src/evaluate.py", "evaluation"),
        ("src/scores.py", "evaluation"),
        ("limits.json", "evaluation"),
        ("src/train.py", "sources"),
        ("src/features.py", "sources"),  # though train.py does not declare it
        ("src/network.py", "sources"),
        ("web/app.js", "rest"),
        ("notes/plan.ipynb", "rest"),
        (".env", "rest"),
        ("README.md", ""),
        ("docs/conf.py", ""),
        ("tests/test_scores.py", ""),
        ("tests/data/expected.json", ""),
        (".pre-commit-config.yaml", ""),
        ("metrics.json", ""),  # a result
        ("src/fast.so", "hidden"),
        ("src/__pycache__/scores.cpython-313.pyc", "hidden"),
        ("src/paths.pth", "hidden"),
        ("sitecustomize.py", "hidden"),
    ],
)
def test_each_changed_file_belongs_somewhere(path: str, belongs: str) -> None:
    found = classify({path: "# changed"})

    names = ("evaluation", "hidden", "rest") if belongs != "sources" else ("evaluation", "hidden", "rest", "sources")
    assert {name for name in names if path in getattr(found, name)} == ({belongs} if belongs else set())


def test_prose_and_tests_that_the_evaluation_reads_are_named() -> None:
    project = PROJECT | {"src/evaluate.py": "open('README.md'); from tests import helpers"}

    found = classify({"README.md": "x", "tests/helpers.py": "x"}, project)

    assert found.evaluation == {"README.md", "tests/helpers.py"}


def test_code_of_all_that_is_not_accounted_for_is_named_where_the_evaluation_loads_by_an_unknown_name() -> None:
    edits = {"plugins/one.py": "x", "web/app.js": "x", "tests/test_one.py": "x", "src/train.py": "x"}
    project = PROJECT | {"src/evaluate.py": "import importlib, json\nimportlib.import_module(json.load(x)['name'])"}

    assert classify(edits).evaluation == set()
    assert classify(edits, project).evaluation == {"plugins/one.py"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("threshold: 0.5", "threshold: 0.4", ["evaluate.threshold"]),
        ("depth: 3", "depth: 5", []),
        ("split: 0.2", "split: 0.3", []),
        ("other: 1", "other: 2", []),
    ],
)
def test_of_the_parameters_those_of_the_evaluating_stage_count(before: str, after: str, told: list[str]) -> None:
    found = classify({"params.yaml": PARAMETERS.replace(before, after)})

    assert [parameter.key for parameter in found.parameters] == told
    assert "params.yaml" not in found.evaluation


@pytest.mark.parametrize(
    "code", ["import yaml; yaml.safe_load(open('params.yaml'))", "import dvc.api as d; d.params_show()"]
)
@pytest.mark.parametrize(
    ("before", "after", "told"), [("other: 1", "other: 2", ["other"]), ("depth: 3", "depth: 5", [])]
)
def test_what_the_evaluation_reads_as_a_whole_counts_but_for_other_stages_own(
    code: str, before: str, after: str, told: list[str]
) -> None:
    edits = {"params.yaml": PARAMETERS.replace(before, after)}

    found = classify(edits, PROJECT | {"src/evaluate.py": code})
    with_name = classify(edits, PROJECT | {"src/evaluate.py": f"{code}\nvalues['train']['depth']"})

    assert [parameter.key for parameter in found.parameters] == told
    assert [parameter.key for parameter in with_name.parameters] == (told or ["train.depth"])


def test_a_stage_that_trains_and_evaluates_has_parameters_of_the_model() -> None:
    pipeline = """\
stages:
  model:
    cmd: python src/train.py
    deps: [src/train.py]
    params: [train]
    outs: [eval/predictions.csv, model.json]
"""
    project = PROJECT | {"dvc.yaml": pipeline}

    assert classify({"params.yaml": PARAMETERS.replace("3", "5")}, project).parameters == []
    assert classify({"src/network.py": "x"}, project).evaluation == {"src/network.py"}


def test_what_prepares_the_judged_rows_is_known() -> None:
    found = classify({"src/prepare.py": "x", "src/train.py": "x", "src/features.py": "x"})

    assert found.feeding == {"src/prepare.py"}


def test_a_folder_that_all_stages_name_is_not_all_of_it_evaluation() -> None:
    pipeline = PIPELINE.replace("[src/", "[src, src/")
    edits = {"src/network.py": "x", "src/scores.py": "x"}

    found = classify(edits, PROJECT | {"dvc.yaml": pipeline})

    assert found.evaluation == {"src/scores.py"}
    assert found.sources == set(edits)


def test_a_folder_that_only_the_evaluation_names_is_its_own() -> None:
    pipeline = PIPELINE.replace("[src/evaluate.py", "[judges, src/evaluate.py")

    assert classify({"judges/x.txt": "x"}, PROJECT | {"dvc.yaml": pipeline}).evaluation == {"judges/x.txt"}


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("bash run.sh", {"run.sh": "python lib/real.py"}),
        ("make evaluate", {"Makefile": "evaluate:\n\tpython lib/real.py\n"}),
        ("bin/evaluate", {"bin/evaluate": "#!/usr/bin/env python3\nimport lib.real\n"}),
        ("PYTHONPATH=lib python -m real", {}),
        ("judge --all", {"pyproject.toml": "[project.scripts]\njudge = 'lib.real:main'\n"}),
        ("uv run judge", {"setup.py": "setup(entry_points={'console_scripts': [\n'judge = lib.real:main'\n]})"}),
        ("inv evaluate", {"tasks.py": "from lib import real"}),
        ("snakemake -j1 eval", {"Snakefile": "rule eval:\n  shell: 'python lib/real.py'\n"}),
        ("env PYTHONPATH=extra/lib python src/scores.py", {"src/scores.py": "import real", "extra/lib/real.py": ""}),
    ],
)
def test_programs_behind_a_command_are_what_judges(command: str, files: dict[str, str]) -> None:
    pipeline = PIPELINE.replace("python src/evaluate.py", command).replace("[src/evaluate.py, ", "[")
    project = PROJECT | {"dvc.yaml": pipeline, "lib/real.py": ""} | files
    real = "extra/lib/real.py" if "extra/lib/real.py" in files else "lib/real.py"

    assert classify({real: "changed"}, project).evaluation == {real}
