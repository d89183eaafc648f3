"""What a project's own files say without running anything: templated paths, and which script trains."""

from pathlib import Path

import pytest

from metricgate.starter.project_survey import find_command, find_outputs, list_files, list_plots

TEMPLATED = """\
vars: [{kind: val}]
stages:
  eval:
    cmd: python eval.py
    metrics: ["${out.folder}/${kind}.json": {cache: false}]
    outs: ["${nowhere.named}/model"]
    plots: ["${out.folder}/plots/cm.json": {template: confusion, x: actual, y: predicted}]
"""


def test_paths_that_dvc_fills_from_parameters_are_known(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(TEMPLATED, encoding="utf-8")
    (tmp_path / "params.yaml").write_text("out: {folder: outs/eval}\n", encoding="utf-8")

    assert list(find_outputs(tmp_path)) == [("outs/eval/val.json", "metrics")]
    assert list(list_plots(tmp_path)) == ["outs/eval/plots/cm.json"]


@pytest.mark.parametrize(
    ("scripts", "command"),
    [
        (("src/api/main.py", "src/training/train_model.py"), "python src/training/train_model.py"),
        (("app/main.py",), None),
        (("main.py",), "python main.py"),
        (("model/train.py", "model/evaluate.py"), "python model/train.py && python model/evaluate.py"),
    ],
    ids=["beside a server", "a server alone", "at the top", "with its evaluation"],
)
def test_a_script_that_serves_is_not_taken_for_training(
    tmp_path: Path, scripts: tuple[str, ...], command: str | None
) -> None:
    for name in scripts:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert find_command(tmp_path, list_files(tmp_path)) == command
