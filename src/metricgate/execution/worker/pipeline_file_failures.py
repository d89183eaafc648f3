"""DVC's exceptions about the files of a pipeline, and about outputs that its stages did not write, as advice."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from metricgate.execution.messages import Failed
from metricgate.models.file_kind import describe_kind

_PIPELINE = "a dvc.yaml as `dvc stage add` writes it: `stages:`, with a mapping from names to stages below it."


def explain_pipeline_file(chain: Sequence[BaseException]) -> Failed | None:
    """Return the explanation of a chain of exceptions, the outermost first; None where it is about something else."""
    for cause in chain:
        if (explain := _EXPLAIN.get(type(cause).__name__)) is not None:
            return explain(cause, chain[-1])
    return None


def _explain_yaml(error: BaseException, last: BaseException) -> Failed:
    path = str(getattr(error, "path", "")) or "A file of the pipeline"
    shown = Path(path).name if Path(path).is_absolute() else path.removeprefix("./")
    problem = _find_problem(last)
    details = "" if last is error else str(last)
    if _has_conflict_markers(Path(path)):
        return Failed(
            what=f"A file of the pipeline has conflict markers: {shown}.",
            expected="dvc.yaml and dvc.lock without conflict markers, as `dvc repro` writes them.",
            fix="resolve the conflict (keep either side, then run `dvc repro`) and commit.",
            details=details,
            topic="a-file-of-the-pipeline-cannot-be-read",
        )
    if type(error).__name__ == "YAMLValidationError":
        return Failed(
            what=f"A file of the pipeline cannot be read: {shown} is YAML, but not a pipeline: {problem}.",
            expected=_PIPELINE if shown.endswith("dvc.yaml") else "a file as DVC writes it.",
            fix=f"correct {shown}: `dvc status` names the same place. A dvc.lock is written again by `dvc repro`.",
            details=details,
            topic="a-file-of-the-pipeline-cannot-be-read",
        )
    return Failed(
        what=f"A file of the pipeline cannot be read: {shown} is not valid YAML: {problem}.",
        expected="a YAML file in which each key occurs once.",
        fix=f"correct that line of {shown}, and commit.",
        details=details,
        topic="a-file-of-the-pipeline-cannot-be-read",
    )


def _find_problem(error: BaseException) -> str:
    """Return what a YAML or schema library complains of, with the line, in one sentence."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", "") or error)
    if double := re.search(r"found duplicate key \"([^\"]*)\"", problem):
        problem = f"the key {double[1]} occurs twice"
    problem = " ".join(problem.split())
    if problem == "expected a dictionary":
        problem = "it holds no mapping of `stages:`"
    return f"{problem} (line {mark.line + 1})" if mark is not None else problem or type(error).__name__


def _has_conflict_markers(path: Path) -> bool:
    return path.is_file() and "\n<<<<<<<" in "\n" + path.read_text(encoding="utf-8", errors="replace")


def _explain_ignored(error: BaseException, _: BaseException) -> Failed:
    return Failed(
        what=f"DVC cannot use a file that Git ignores: {_join(error)}",
        expected="dvc.yaml, dvc.lock and .dvc files that Git does not ignore.",
        fix="remove it from .gitignore; it need not be committed.",
        topic="git-ignores-a-file-that-dvc-needs",
    )


def _explain_parameters(error: BaseException, _: BaseException) -> Failed:
    return Failed(
        what=f"{_join(error).removesuffix('.')}.",
        expected="every parameter that a stage lists under `params:` in its file.",
        fix="add the parameter, or correct its name under `params:` in dvc.yaml.",
        topic="a-parameter-does-not-exist",
    )


def _explain_graph(error: BaseException, _: BaseException) -> Failed:
    return Failed(
        what=f"The stages of dvc.yaml contradict each other: {_join(error)}",
        expected="each output written by one stage, and no stage that depends on itself.",
        fix="correct `deps` and `outs` in dvc.yaml; `dvc dag` shows them.",
        topic="a-file-of-the-pipeline-cannot-be-read",
    )


def _explain_template(error: BaseException, _: BaseException) -> Failed:
    """Explain a value that dvc.yaml takes from elsewhere (``${…}``, ``vars:``)."""
    text = _join(error)
    if name := re.search(r"Could not find '([^']+)'", text):
        fix = f"add {name[1]} to params.yaml, or correct the name in dvc.yaml."
    elif "does not exist" in text:
        fix = "commit that file, or correct `vars:` in dvc.yaml."
    else:
        fix = "correct that place; `dvc status` names the same one."
    return Failed(
        what=f"DVC {text.removesuffix('.')}.",
        expected="every `${…}` of dvc.yaml in params.yaml, or in what `vars:` names: files that hold mappings.",
        fix=fix,
        topic="a-value-of-the-pipeline-does-not-exist",
    )


def _explain_tracked(error: BaseException, _: BaseException) -> Failed:
    path = _find_output(error)
    return Failed(
        what=f"Git tracks {path}, which is also an output of a stage.",
        expected="outputs of stages in DVC's cache or, with `cache: false`, in Git, but not in both.",
        fix=f"run `git rm --cached {path}` and commit, or write `cache: false` below the output in dvc.yaml.",
        topic="a-stage-did-not-write-its-output",
    )


def _explain_output(error: BaseException, _: BaseException) -> Failed:
    path = _find_output(error)
    kind = describe_kind(Path(path))
    what = f"wrote {path} as {kind}, not as a file" if kind else f"ended without writing its output {path}"
    return Failed(
        what=f"A stage of the pipeline {what}.",
        expected="every output of a stage as a file or a folder by the time its command ends.",
        fix="make the command write it there, or correct `outs`, `metrics` and `plots` in dvc.yaml.",
        topic="a-stage-did-not-write-its-output",
    )


def _find_output(error: BaseException) -> str:
    found = re.search(r"output '([^']+)'", str(error))
    return found[1] if found else "an output"


def _join(error: BaseException) -> str:
    return " ".join(str(error).split())


_EXPLAIN: Mapping[str, Callable[[BaseException, BaseException], Failed]] = {
    "YAMLFileCorruptedError": _explain_yaml,
    "YAMLSyntaxError": _explain_yaml,
    "YAMLValidationError": _explain_yaml,
    "FileIsGitIgnored": _explain_ignored,
    "ResolveError": _explain_template,
    "MissingParamsError": _explain_parameters,
    "CyclicGraphError": _explain_graph,
    "OutputDuplicationError": _explain_graph,
    "OverlappingOutputPathsError": _explain_graph,
    "StagePathAsOutputError": _explain_graph,
    "OutputDoesNotExistError": _explain_output,
    "OutputIsNotFileOrDirError": _explain_output,
    "OutputAlreadyTrackedError": _explain_tracked,
}
