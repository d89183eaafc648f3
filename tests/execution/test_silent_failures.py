"""Where DVC itself says nothing, or something else: each behaviour was seen with DVC 3.67.1."""

from pathlib import Path

import pytest

from metricgate.errors import WorkspaceError
from metricgate.execution.worker.dvc_failures import explain_failure
from metricgate.models.snapshot import Source
from tests.execution.conftest import Yield, states, values
from tests.execution.test_failures import cached
from tests.projects import EVALUATE, PIPELINE, TinyProject


def test_remote_with_a_relative_path_is_read_at_another_revision(tiny: TinyProject, baseline_of: Yield) -> None:
    # `dvc metrics diff`: "No storage files available", old values null, exit code 0.
    (tiny.root / ".dvc/config.local").unlink()
    tiny.write(".dvc/config", "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../remote\n")
    tiny.commit()
    tiny.forget_cache()

    baseline = baseline_of(tiny)

    assert baseline.info.source is Source.DVC_REMOTE
    assert values(baseline)["eval/cached.json:shift"] == 0.0


def test_damaged_cache_file_that_can_be_written_does_not_stay_in_the_checkout(
    tiny: TinyProject, produce: Yield
) -> None:
    # `dvc pull --force` fetches the object again, and leaves the junk in the work tree.
    good = tiny.read("eval/predictions.csv")
    for path in (tiny.root / "eval/predictions.csv", cached(tiny, "eval/predictions.csv")):
        path.chmod(0o644)
        path.write_text("junk")

    assert produce(tiny).predictions[""] == tiny.root / "eval/predictions.csv"
    assert tiny.read("eval/predictions.csv") == good


def test_damaged_object_of_the_remote_is_not_read(tiny: TinyProject, baseline_of: Yield) -> None:
    # DVC takes it for missing; `dvc metrics diff` then shows nothing, exit code 0.
    name = cached(tiny, "eval/cached.json").relative_to(tiny.root / ".dvc/cache")
    (tiny.remote / name).chmod(0o644)
    (tiny.remote / name).write_text('{"shift": 99}')
    tiny.forget_cache()

    baseline = baseline_of(tiny)

    assert values(baseline)["eval/cached.json:shift"] == 0.0
    assert baseline.info.source is Source.REPRODUCED


def test_broken_pipeline_of_the_baseline_is_an_error_that_names_the_file(tiny: TinyProject, baseline_of: Yield) -> None:
    # `dvc metrics show` and `diff` end with exit code 0.
    tiny.write("dvc.yaml", "stages:\n  evaluate:\n    cmd: [\n")
    tiny.commit()
    tiny.start_branch(start="HEAD")
    tiny.write("dvc.yaml", PIPELINE)

    with pytest.raises(WorkspaceError, match=r"A file of the pipeline cannot be read: .*dvc\.yaml"):
        baseline_of(tiny)


def test_metrics_file_that_the_baseline_lacks_is_missing_with_its_name(tiny: TinyProject, baseline_of: Yield) -> None:
    # `dvc metrics diff` leaves it out, exit code 0.
    tiny.write("dvc.yaml", PIPELINE + "metrics: [forgotten.json]\n")
    tiny.commit()

    assert [(p.what, p.missing) for p in baseline_of(tiny).problems] == [("forgotten.json", True)]


def test_lists_texts_and_infinity_keep_their_names(tiny: TinyProject, produce: Yield) -> None:
    # `dvc metrics diff` drops lists, and writes Infinity into its JSON.
    tiny.write(
        "src/evaluate.py",
        EVALUATE.replace('{"shift": shift}', '{"shift": shift, "per_class": [0.5, 1e999], "ok": True, "at": "now"}'),
    )

    snapshot = produce(tiny)

    found = {metric.key: (metric.value, metric.problem) for metric in snapshot.metrics if "cached" in metric.file}
    assert found == {
        "at": (None, "is the text 'now', not a number"),
        "ok": (None, "is true, not a number"),
        "per_class.0": (0.5, ""),
        "per_class.1": (None, "is inf, not a finite number"),
        "shift": (0.0, ""),
    }


def test_fresh_clone_with_nothing_pulled_is_not_stale(tiny: TinyProject, produce: Yield) -> None:
    # `dvc status` calls every dependency deleted, and `dvc repro --dry` ends with exit code 255.
    tiny.forget_cache()

    assert set(states(produce(tiny)).values()) == {"unchanged"}
    assert not (tiny.root / "data/raw.csv").exists()


FOLDER_STAGE = PIPELINE.replace("deps: [src/evaluate.py, data/prepared.csv]", "deps: [src, data/prepared.csv]")


@pytest.mark.parametrize("ignored", [False, True], ids=["not ignored", "ignored"])
def test_bytecode_in_a_folder_of_code_is_named_as_the_reason(
    tiny: TinyProject, produce: Yield, *, ignored: bool
) -> None:
    tiny.write("dvc.yaml", FOLDER_STAGE)
    if ignored:
        tiny.write(".dvcignore", "__pycache__/\n")
    tiny.dvc("repro", "--quiet")
    tiny.write("src/__pycache__/evaluate.cpython-311.pyc", "bytecode")

    if ignored:
        assert set(states(produce(tiny, reproduce="never")).values()) == {"unchanged"}
    else:
        with pytest.raises(WorkspaceError, match=r"src changed \(DVC counts __pycache__ in it.*\.dvcignore"):
            produce(tiny, reproduce="never")


INNER = """\
stages:
  judge:
    cmd: python judge.py
    deps: [judge.py, ../eval/predictions.csv]
    metrics: [rows.json: {cache: false}]
"""
JUDGE = (
    "import json\njson.dump({'rows': len(open('../eval/predictions.csv').readlines()) - 1}, open('rows.json', 'w'))\n"
)


def test_several_pipelines_are_one_project(tiny: TinyProject, produce: Yield, baseline_of: Yield) -> None:
    tiny.write("second/dvc.yaml", INNER)
    tiny.write("second/judge.py", JUDGE)
    tiny.dvc("repro", "--quiet", "--all-pipelines")
    tiny.dvc("push", "--quiet")
    tiny.commit("Add a second pipeline")
    tiny.git("push", "--quiet", "origin", "main")
    tiny.start_branch()
    tiny.write("params.yaml", "shift: 0.2\n")

    candidate, baseline = produce(tiny), baseline_of(tiny)

    assert states(candidate) == {"prepare": "unchanged", "evaluate": "ran", "second/dvc.yaml:judge": "ran"}
    assert set(states(baseline).values()) == {"unchanged"}
    assert values(candidate)["second/rows.json:rows"] == values(baseline)["second/rows.json:rows"] == 10


def test_plugin_that_is_not_installed_is_named_with_its_package(
    tiny: TinyProject, baseline_of: Yield, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tiny.forget_cache()
    tiny.use_remote("s3://models/dvc")
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    # What Python finds first under the plugin's name fails as a plugin does that is not there.
    (blocked / "dvc_s3.py").write_text("raise ModuleNotFoundError('dvc_s3', name='dvc_s3')\n")
    (blocked / "s3fs.py").write_text("raise ModuleNotFoundError('s3fs', name='s3fs')\n")
    monkeypatch.setenv("PYTHONPATH", str(blocked))

    with pytest.raises(WorkspaceError, match="needs DVC's plugin for s3, which is not installed") as caught:
        baseline_of(tiny)

    assert "dvc[s3]" in caught.value.fix


def test_file_that_cannot_be_written_is_named_with_its_cure() -> None:
    failed = explain_failure(PermissionError(13, "Permission denied", "/project/dvc.lock"))

    assert failed.what == "/project/dvc.lock cannot be written: Permission denied."
    assert "change the owner of that file" in failed.fix


def test_a_stage_that_fails_leaves_the_metrics_that_git_has(tiny: TinyProject, produce: Yield) -> None:
    # `dvc repro` removes a stage's outputs before it runs.
    before = tiny.read("metrics.json")
    tiny.write("src/evaluate.py", "raise SystemExit(3)\n")

    with pytest.raises(WorkspaceError):
        produce(tiny)

    assert tiny.read("metrics.json") == before


def test_a_file_that_the_remote_lacks_is_not_taken_for_one_that_the_pipeline_lacks() -> None:
    listing = "/storage/files/md5/80/a081570c800c60b9b98ca4b3c91dd7.dir"

    failed = explain_failure(FileNotFoundError(2, "No such file or directory", listing))

    assert failed.topic == "files-are-missing-from-the-remote"
    assert "dvc push" in failed.fix
