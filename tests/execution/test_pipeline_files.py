"""What DVC says of broken files of a pipeline, as MetricGate's advice: which file, which line, what to do."""

import os
from pathlib import Path

import pytest

from metricgate.execution.messages import Failed
from metricgate.execution.worker.dvc_failures import explain_failure

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own libraries
STAGES = "stages:\n  a:\n    cmd: echo ${x} > a.txt\n    params: [x]\n    outs: [a.txt]\n"
PLAIN = STAGES.replace("${x}", "1")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dvc.repo import Repo  # noqa: PLC0415  half a second

    folder = tmp_path_factory.mktemp("project")
    Repo.init(str(folder), no_scm=True).close()
    return folder


def fail(repository: Path, monkeypatch: pytest.MonkeyPatch, dvc_yaml: str, parameters: str | None) -> Failed:
    from dvc.repo import Repo  # noqa: PLC0415  half a second

    for name in ("a.txt", "dvc.lock", "params.yaml"):
        (repository / name).unlink(missing_ok=True)
    (repository / "dvc.yaml").write_text(dvc_yaml, encoding="utf-8")
    if parameters is not None:
        (repository / "params.yaml").write_text(parameters, encoding="utf-8")
    monkeypatch.chdir(repository)
    with pytest.raises(Exception) as caught, Repo(str(repository)) as repo:  # noqa: PT011  of whatever kind DVC raises
        repo.reproduce(force=True)
    return explain_failure(caught.value)


@pytest.mark.parametrize(
    ("files", "what", "fix"),
    [
        (
            (STAGES, "x: 1\nx: 2\n"),
            "params.yaml is not valid YAML: the key x occurs twice (line 2)",
            "line of params.yaml",
        ),
        ((STAGES, "x: [\n"), "params.yaml is not valid YAML: expected the node content", "line of params.yaml"),
        ((STAGES, "y: 1\n"), "Could not find 'x'", "add x to params.yaml"),
        ((STAGES, None), "Could not find 'x'", "add x to params.yaml"),
        ((STAGES, "- 1\n"), "got 'list' in file 'params.yaml'", "`dvc status` names the same"),
        ((PLAIN, "y: 1\n"), "Parameters 'x' are missing from 'params.yaml'", "add the parameter"),
        ((f"vars: [gone.yaml]\n{STAGES}", "x: 1\n"), "'gone.yaml' does not exist", "commit that file"),
        (
            ("- a\n- b\n", "x: 1\n"),
            "dvc.yaml is YAML, but not a pipeline: it holds no mapping of `stages:`",
            "correct dvc.yaml",
        ),
        (("hello\n", "x: 1\n"), "it holds no mapping of `stages:`", "correct dvc.yaml"),
        (
            (f"{PLAIN}    outz: [b]\n", "x: 1\n"),
            "extra keys not allowed @ data['stages']['a']['outz']",
            "correct dvc.yaml",
        ),
        ((PLAIN + PLAIN.removeprefix("stages:\n"), "x: 1\n"), "the key a occurs twice (line 6)", "line of dvc.yaml"),
        ((f"{PLAIN}  b: {{cmd: 'true', outs: [a.txt]}}\n", "x: 1\n"), "contradict each other", "`dvc dag`"),
        (
            (PLAIN.replace("echo 1 > a.txt", "cd ."), "x: 1\n"),
            "ended without writing its output a.txt",
            "make the command",
        ),
        (
            (PLAIN.replace("echo 1 >", "mkfifo"), "x: 1\n"),
            "wrote a.txt as a named pipe, not as a file",
            "make the command",
        ),
        (
            (PLAIN.replace("echo 1 >", "ln -s /dev/null"), "x: 1\n"),
            "wrote a.txt as a link to /dev/null, a device",
            "make the command",
        ),
    ],
)
def test_the_file_the_place_and_the_way_out_are_named(
    repository: Path, monkeypatch: pytest.MonkeyPatch, files: tuple[str, str | None], what: str, fix: str
) -> None:
    failed = fail(repository, monkeypatch, *files)

    assert what in failed.what
    assert fix in failed.fix
    assert "conflict markers" not in failed.expected
    assert os.fspath(repository) not in failed.what
