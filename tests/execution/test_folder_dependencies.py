"""Stages that depend on a folder which holds DVC-tracked files: data added in it, imports, outputs of other stages."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.errors import WorkspaceError
from metricgate.execution.worker.dvc_project import open_project
from metricgate.execution.worker.staleness import find_stale, hash_inputs
from metricgate.models.snapshot import Source
from tests.execution.conftest import Yield, states, values
from tests.projects import EVALUATE, PIPELINE, PREPARE, TinyProject, create_tiny, stages_find_python

FOLDER = """\
stages:
  prepare:
    cmd: python src/prepare.py
    deps: [src, data/raw]
    outs: [data/prepared.csv]
  evaluate:
    cmd: python src/evaluate.py
    deps: [src/evaluate.py, data]
    params: [shift]
    outs: [eval/predictions.csv]
    metrics: [metrics.json: {cache: false}, eval/cached.json]
"""


def use_folders(project: TinyProject) -> TinyProject:
    """Depend on folders with data added in them (a file, a folder, an import), an output, and what .dvcignore names."""
    project.dvc("remove", "data/raw.csv.dvc")
    (project.root / "data/raw.csv").unlink()
    for number in range(10):
        project.write(f"data/raw/parts/{number}.csv", str(number))
    project.write("data/raw/extra/notes/notes.csv", "nothing")
    project.write("data/README.md", "Customers.\n")
    project.write("src/notes/draft.md", "not read\n")
    project.write(".dvcignore", "notes/\n*.md\n__pycache__/\n")
    project.write(
        "src/prepare.py",
        PREPARE.replace(
            'open("data/raw.csv").read().split()',
            "[p.read_text() for p in sorted(__import__('pathlib').Path('data/raw/parts').iterdir())]",
        ),
    )
    project.write("src/evaluate.py", EVALUATE)
    project.write("dvc.yaml", FOLDER)
    (project.root / "dvc.lock").unlink()
    project.dvc("add", "--quiet", "data/raw/parts")
    project.write("data/raw/one.csv", "1")
    project.dvc("add", "--quiet", "data/raw/one.csv")
    project.dvc("import", "--quiet", project.origin.as_uri(), "params.yaml", "--out", "data/raw/imported.yaml")
    project.dvc("repro", "--quiet")
    project.dvc("push", "--quiet")
    project.commit("Depend on folders")
    project.git("push", "--quiet", "origin", "main")
    return project


def forget_data(project: TinyProject) -> None:
    project.forget_cache()
    shutil.rmtree(project.root / "data/raw/parts")
    for path in ("data/raw/one.csv", "data/raw/imported.yaml"):
        (project.root / path).unlink()


@pytest.fixture(scope="module")
def folders_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the project once; never change it, copy it."""
    directory = tmp_path_factory.mktemp("folders")
    with stages_find_python():
        use_folders(create_tiny(directory))
    return directory


@pytest.fixture
def folders(folders_template: Path, make_copy: Callable[[Path], TinyProject]) -> TinyProject:
    return make_copy(folders_template)


def test_recorded_results_belong_to_a_folder_whose_data_was_not_pulled(
    folders: TinyProject, produce: Yield, baseline_of: Yield
) -> None:
    here = produce(folders)
    forget_data(folders)

    baseline, candidate = baseline_of(folders), produce(folders)

    assert states(candidate) == states(here) == {"prepare": "unchanged", "evaluate": "unchanged"}
    assert baseline.info.stale == ""
    assert baseline.info.source is Source.DVC_REMOTE
    assert candidate.inputs == baseline.inputs == here.inputs
    assert not (folders.root / "data/raw/parts").exists()


def test_a_fresh_clone_pulls_what_lies_in_the_folder_before_a_stage_reads_it(
    folders: TinyProject, produce: Yield, baseline_of: Yield, tmp_path: Path
) -> None:
    clone = folders.clone(tmp_path / "clone")
    shutil.rmtree(folders.root / ".dvc/cache")
    clone.write("params.yaml", "shift: 0.2\n")
    clone.write("src/prepare.py", clone.read("src/prepare.py") + "\n# the same rows\n")

    candidate, baseline = produce(clone), baseline_of(clone)

    assert states(candidate) == {"prepare": "ran", "evaluate": "ran"}
    assert clone.read("data/raw/imported.yaml") == "shift: 0.0\n"
    assert values(candidate)["metrics.json:accuracy"] == pytest.approx(0.8)
    assert values(baseline)["metrics.json:accuracy"] == 1.0
    assert baseline.info.source is Source.DVC_REMOTE


@pytest.mark.parametrize(
    ("path", "before", "after", "named"),
    [
        ("data/README.md", "Customers", "Customers of 2024", None),
        ("data/new.csv", "", "1\n", "data"),
        ("data/raw/one.csv.dvc", "md5: c4ca", "md5: c4cb", "data"),
        (".dvcignore", "notes/\n", "", "data"),
        (".dvcignore", "*.md\n", "", "data"),
    ],
    ids=["an ignored file", "a file in Git", "a .dvc file", "an ignored folder in data", "ignored files"],
)
def test_results_of_a_folder_that_changed_are_stale_and_those_of_ignored_files_are_not(  # noqa: PLR0917
    folders: TinyProject, produce: Yield, path: str, before: str, after: str, named: str | None
) -> None:
    folders.write(path, folders.read(path).replace(before, after) if (folders.root / path).exists() else after)
    folders.commit()
    forget_data(folders)

    if named is None:
        assert states(produce(folders, reproduce="never")) == {"prepare": "unchanged", "evaluate": "unchanged"}
    else:
        with pytest.raises(WorkspaceError, match=f"does not belong to this checkout: {named}.* changed"):
            produce(folders, reproduce="never")


def test_a_baseline_of_folders_is_reproduced_from_what_is_pulled(folders: TinyProject, baseline_of: Yield) -> None:
    folders.write("params.yaml", "shift: 0.2\n")
    folders.commit()
    forget_data(folders)

    baseline = baseline_of(folders)

    assert baseline.info.source is Source.REPRODUCED
    assert values(baseline)["metrics.json:accuracy"] == pytest.approx(0.8)
    assert "shift in params.yaml changed" in baseline.info.stale


def test_a_folder_that_only_stages_fill_is_recorded_where_it_does_not_exist(
    tiny: TinyProject, produce: Yield, baseline_of: Yield
) -> None:
    tiny.write(".gitignore", "/data/made\n")
    tiny.write("src/prepare.py", PREPARE.replace("data/prepared.csv", "data/made/prepared.csv"))
    tiny.write("src/evaluate.py", EVALUATE.replace("data/prepared.csv", "data/made/prepared.csv"))
    pipeline = PIPELINE.replace("deps: [src/evaluate.py, data/prepared.csv]", "deps: [src/evaluate.py, data/made]")
    tiny.write("dvc.yaml", pipeline.replace("data/prepared.csv", "data/made/prepared.csv"))
    (tiny.root / "data/made").mkdir()
    tiny.dvc("repro", "--quiet")
    (tiny.root / "data/made/.gitignore").unlink(missing_ok=True)
    tiny.dvc("push", "--quiet")
    tiny.commit()
    tiny.forget_cache()
    shutil.rmtree(tiny.root / "data/made")

    assert baseline_of(tiny).info.source is Source.DVC_REMOTE
    assert states(produce(tiny)) == {"prepare": "unchanged", "evaluate": "unchanged"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's, which otherwise stays in its worker
@pytest.mark.parametrize("path", ["data/raw/one.csv", "data/raw/parts/3.csv"], ids=["a file", "a file of a folder"])
def test_data_that_a_person_changed_since_it_was_added_is_another_input(folders: TinyProject, path: str) -> None:
    def change(text: str) -> str:
        (folders.root / path).unlink()  # it may be a link into the cache
        folders.write(path, text)
        with open_project(folders.root) as project:
            assert project is not None
            return hash_inputs(project, find_stale(project, to_run=True))

    assert change("7") != change("8")
