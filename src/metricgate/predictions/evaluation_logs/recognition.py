"""Which tool wrote a log, found from its content; files of one evaluation read as one log."""

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from metricgate.predictions.evaluation_logs.answer import Answer, EvaluationLog, LogFormat
from metricgate.predictions.evaluation_logs.deepeval_run import read_deepeval
from metricgate.predictions.evaluation_logs.inspect_log import read_inspect
from metricgate.predictions.evaluation_logs.lm_eval_samples import read_lm_eval
from metricgate.predictions.evaluation_logs.log_files import ZIP_START, unusable_log
from metricgate.predictions.evaluation_logs.promptfoo_results import read_promptfoo

_START_BYTES = 8192
_KEY = re.compile(rb'"([A-Za-z_]\w*)"\s*:')
_OF_INSPECT = frozenset({b"version", b"status", b"eval"})
_OF_PROMPTFOO = frozenset({b"evalId", b"results"})
_OF_PROMPTFOO_LINE = (frozenset({b"gradingResult", b"promptIdx"}), frozenset({b"promptId", b"testIdx"}))
_OF_LM_EVAL = frozenset({b"doc_id", b"doc"})


def find_format(path: Path) -> LogFormat | None:
    """Return which tool's log a file is, by its first bytes; None for any other file."""
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    if start.startswith(ZIP_START):
        return "inspect" if _is_inspect_archive(path) else None
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text.startswith(b"{"):
        return None
    keys = frozenset(_KEY.findall(text))
    if keys >= _OF_INSPECT:
        return "inspect"
    if keys >= _OF_PROMPTFOO or any(keys >= needed for needed in _OF_PROMPTFOO_LINE):
        return "promptfoo"
    if b"testCases" in keys:
        return "deepeval"
    return "lm-eval" if keys >= _OF_LM_EVAL else None


def _is_inspect_archive(path: Path) -> bool:
    """Return whether a zip has Inspect's entries; one that was cut off has none, and is taken for one by its suffix."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return path.suffix == ".eval"
    return any(name == "header.json" or name.startswith("_journal/") for name in names)


def read_log(path: Path, shown: str, log_format: LogFormat, *, name: str = "") -> EvaluationLog:
    """Return the answers of one file. ``name``: what the tool called it, where ``path`` has another name."""
    if log_format == "inspect":
        return read_inspect(path, shown)
    if log_format == "lm-eval":
        return read_lm_eval(path, shown, name=name)
    if log_format == "promptfoo":
        return read_promptfoo(path, shown, lines=not _is_one_value(path))
    return read_deepeval(path, shown)


def _is_one_value(path: Path) -> bool:
    with path.open("rb") as file:
        keys = frozenset(_KEY.findall(file.read(_START_BYTES)))
    return keys >= _OF_PROMPTFOO


def join_logs(logs: Sequence[tuple[str, EvaluationLog]], shown: str) -> EvaluationLog:
    """Return one log of several files, each with its name.

    Raises
    ------
    PredictionsError
        If two files hold the same answer to the same question: an older run lies beside the newest one.
    """
    if len(logs) == 1:
        return logs[0][1]
    _require_one_format(logs, shown)
    seen: dict[tuple[object, ...], str] = {}
    for name, log in logs:
        for key in {_key(answer) for answer in log.answers}:
            if seen.setdefault(key, name) != name:
                raise unusable_log(
                    shown,
                    f"{seen[key]} and {name} both hold the answer to the question {str(key[1])[:80]}",
                    expected="each answer once: the logs of one evaluation.",
                    fix="Name one of them, or empty the folder before each run: an older log lies beside the newest.",
                )
    return EvaluationLog(
        format=logs[0][1].format,
        answers=tuple(answer for _, log in logs for answer in log.answers),
        graded_by=_join_facts([log.graded_by for _, log in logs]),
        extent=_join_facts([log.extent for _, log in logs]),
        has_outputs=all(log.has_outputs for _, log in logs),
    )


def _join_facts(facts: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return every file's facts: what two files differ in is told of both."""
    values: dict[str, set[str]] = {}
    for own in facts:
        for name, value in own.items():
            values.setdefault(name, set()).add(value)
    return {name: ", ".join(sorted(found)) for name, found in values.items()}


def _key(answer: Answer) -> tuple[object, ...]:
    return answer.task, answer.question, answer.target, answer.number, answer.facts.get("filter")


def _require_one_format(logs: Sequence[tuple[str, EvaluationLog]], shown: str) -> None:
    formats = {log.format: name for name, log in logs}
    if len(formats) > 1:
        listed = ", ".join(f"{name} ({kind})" for kind, name in sorted(formats.items()))
        raise unusable_log(
            shown,
            f"holds logs of several tools: {listed}",
            expected="logs of one tool.",
            fix="Name the files of one tool, such as `logs/*.eval`.",
        )
