"""In repositories of many shapes, what `metricgate init` writes passes `metricgate doctor`, and judges."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.starter.shapes import PIPELINE, Repository, add_dvc, create_repository


def make_dvc(folder: Path) -> Repository:
    repository = create_repository(folder / "repository", {"dvc.yaml": PIPELINE})
    add_dvc(repository, folder / "remote")
    repository.commit("A DVC pipeline")
    return repository


def make_script_on_master(folder: Path) -> Repository:
    """No DVC: a script, whose outputs are ignored by Git but lie there."""
    repository = create_repository(
        folder / "repository", {".gitignore": "out/\n"}, branch="master", predictions="test_preds.csv"
    )
    repository.must("python", "train.py")
    repository.commit("A script")
    return repository


def make_committed_predictions(folder: Path) -> Repository:
    """Nothing to run: somebody trains elsewhere and commits the predictions."""
    repository = create_repository(folder / "repository", {})
    repository.must("python", "train.py")
    for path in ("train.py", "out/metrics.json"):
        repository.must("mv", path, str(folder))
    repository.commit("Predictions")
    return repository


def make_monorepo(folder: Path) -> Repository:
    repository = create_repository(folder / "repository", {"dvc.yaml": PIPELINE}, folder="models/churn")
    add_dvc(repository, folder / "remote")
    repository.commit("A project in a folder")
    return repository


def make_numbers_only(folder: Path) -> Repository:
    """A DVC pipeline without remote, whose predictions nobody kept: only metrics.json is there."""
    repository = create_repository(
        folder / "repository",
        {"dvc.yaml": PIPELINE.replace("out/predictions.csv", "out/rows.bin")},
        predictions="rows.bin",
    )
    repository.must("dvc", "init", "--quiet")
    repository.must("dvc", "repro", "--quiet")
    repository.commit("Numbers")
    return repository


def train_worse(repository: Repository) -> None:
    """Commit a change that makes the model worse; where nothing is run here, with the new predictions."""
    repository.write("noise.txt", "25\n")
    if not (repository.project / "train.py").exists():
        repository.must("python", "../train.py")
        (repository.project / "out/metrics.json").unlink()
    repository.commit("A worse model")


SHAPES = [make_script_on_master, make_committed_predictions]
SLOW_SHAPES = [make_dvc, make_monorepo, make_numbers_only]


@pytest.mark.parametrize(
    "make",
    [*SHAPES, *(pytest.param(make, marks=pytest.mark.acceptance) for make in SLOW_SHAPES)],
    ids=lambda make: make.__name__.removeprefix("make_"),
)
def test_the_starter_passes_doctor_and_blocks_a_worse_model(make: Callable[[Path], Repository], tmp_path: Path) -> None:
    repository = make(tmp_path)
    repository.must("git", "switch", "--quiet", "--create", "gate")

    begun = repository.metricgate("init")
    repository.commit("The gate")
    examined = repository.metricgate("doctor")
    train_worse(repository)
    worse = repository.metricgate("run")

    assert begun.exit_code == 0, begun.output
    assert begun.output.count("written:") == 2
    assert examined.exit_code == 0, examined.output
    assert "broken" not in examined.output
    assert worse.exit_code == 1, worse.output
    assert {gate["outcome"] for gate in repository.report()["gates"]} >= {"failed"}


def test_the_workflow_names_the_default_branch_and_what_the_first_run_has_to_know(tmp_path: Path) -> None:
    repository = make_script_on_master(tmp_path)

    begun = repository.metricgate("init")

    workflow = YAML(typ="safe").load(repository.read(".github/workflows/metricgate.yml"))
    assert workflow["on"]["push"]["branches"] == ["master"]
    assert "Check `command: python train.py`" in begun.output
    assert "those of master" in begun.output


def test_a_project_in_a_folder_has_a_workflow_of_its_own(tmp_path: Path) -> None:
    repository = make_monorepo(tmp_path)

    begun = repository.metricgate("init")

    assert begun.exit_code == 0, begun.output
    text = (repository.root / ".github/workflows/metricgate-models-churn.yml").read_text(encoding="utf-8")
    workflow = YAML(typ="safe").load(text)
    assert workflow["name"] == "Model gate: models/churn"
    assert workflow["jobs"]["gate"]["with"] == {"id": "models-churn", "working-directory": "models/churn"}


def test_above_the_projects_it_says_where_they_are_and_writes_nothing(tmp_path: Path) -> None:
    repository = make_monorepo(tmp_path)
    above = Repository(root=repository.root)

    begun = above.metricgate("init")

    assert begun.exit_code == 2
    assert "models/churn" in begun.output
    assert above.must("git", "status", "--porcelain") == ""


def test_numbers_whose_names_say_which_way_is_better_become_gates(tmp_path: Path) -> None:
    repository = make_numbers_only(tmp_path)

    repository.metricgate("init")

    text = repository.read("metricgate.yaml")
    assert "  - {metric: out/metrics.json:accuracy, max_drop: 5%}\n" in text
    assert "#   - {metric: out/metrics.json:rows, max_drop: 5%}\n" in text


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"uv.lock": "", "requirements.txt": ""}, "uv.lock"),
        ({"requirements.txt": "", "pyproject.toml": ""}, "requirements.txt"),
        ({"pyproject.toml": '[project]\nname = "a"\nversion = "1"\ndependencies = ["numpy"]\n'}, "pyproject.toml"),
        ({"pyproject.toml": "[tool.ruff]\n"}, None),
        ({"pyproject.toml": "[project\n"}, None),
        ({"src/requirements.txt": "", "requirements-dev.txt": ""}, "src/requirements.txt"),
        ({"requirements/train.txt": "", "requirements/test.txt": ""}, "requirements/train.txt"),
    ],
)
def test_the_file_that_names_the_packages_is_found(files: dict[str, str], named: str | None, tmp_path: Path) -> None:
    repository = create_repository(tmp_path / "repository", files)
    repository.must("python", "train.py")
    repository.commit("All")

    repository.metricgate("init")

    policy = YAML(typ="safe").load(repository.read("metricgate.yaml"))
    assert policy["pipeline"].get("requirements") == named


def test_where_there_is_nothing_to_judge_doctor_says_so_before_a_run_does(tmp_path: Path) -> None:
    repository = create_repository(tmp_path / "repository", {"README.md": "Nothing yet.\n"})
    (repository.project / "train.py").unlink()
    repository.commit("Nothing")

    begun, examined, ran = (repository.metricgate(name) for name in ("init", "doctor", "run"))

    assert begun.exit_code == 2
    assert "no predictions and no metrics file" in begun.output
    assert not (repository.root / ".github").exists()
    assert "nothing else to judge" in examined.output
    assert (examined.exit_code, ran.exit_code) == (2, 4)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "run `python train.py` once"),
        ({"dvc.yaml": PIPELINE}, "dvc.yaml names out/metrics.json as metrics, and no such file is here"),
        ({"metrics.json": '{"rows": 600, "foo": 0.5}'}, "which way is better: metrics.json:foo, metrics.json:rows"),
        ({"predictions.csv": "a,b\n1,2\n"}, "no column could be recognised as label"),
    ],
    ids=["never run", "not pulled", "names without a direction", "columns without a meaning"],
)
def test_it_fails_rather_than_write_a_policy_that_judges_nothing(
    files: dict[str, str], said: str, tmp_path: Path
) -> None:
    repository = create_repository(tmp_path / "repository", files)
    repository.commit("All")

    begun = repository.metricgate("init")

    assert begun.exit_code == 2
    assert said in begun.output
    assert not (repository.root / "metricgate.yaml").exists()


def test_without_git_or_without_a_commit_it_says_what_to_do_and_writes_nothing(tmp_path: Path) -> None:
    nowhere = Repository(root=tmp_path / "nowhere")
    nowhere.root.mkdir()
    empty = create_repository(tmp_path / "empty", {})

    outside, uncommitted = nowhere.metricgate("init"), empty.metricgate("init")

    ran = nowhere.metricgate("run")

    assert (outside.exit_code, uncommitted.exit_code, ran.exit_code) == (4, 4, 4)
    assert "is not in a Git repository" in outside.output
    assert "has no commit" in uncommitted.output
    assert not list(nowhere.root.iterdir())
    assert not (empty.root / "metricgate.yaml").exists()


@pytest.mark.acceptance
def test_the_first_run_installs_what_the_repository_names(tmp_path: Path) -> None:
    repository = make_script_on_master(tmp_path)
    repository.write("requirements.txt", "iniconfig==2.0.0  # a small one\n")
    repository.write("train.py", "import iniconfig\n" + repository.read("train.py"))
    repository.commit("A script that needs a package")
    repository.must("git", "switch", "--quiet", "--create", "gate")

    repository.metricgate("init")
    repository.commit("The gate")
    done = repository.metricgate("run")

    assert done.exit_code == 0, done.output
    assert repository.report()["verdict"] == "passed"
