"""Logs of Inspect: `.eval`, a zip with a file for each sample, and `.json`, one value.

Formats: https://inspect.aisi.org.uk/eval-logs.html. A sample is one answer (an epoch) to one question (its id).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from metricgate.predictions.evaluation_logs.answer import (
    SCORER,
    Answer,
    EvaluationLog,
    as_amount,
    as_mapping,
    as_mappings,
    as_number,
    as_text,
    describe_fact,
    flatten,
)
from metricgate.predictions.evaluation_logs.log_files import (
    ZIP_START,
    LogArchive,
    open_archive,
    read_json,
    unusable_log,
)

_LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}  # correct, incorrect, partially correct, no answer
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_MOST_OUTPUT_BYTES = 500_000_000
"""Of samples whose complete outputs are read; beyond, agents' transcripts cost more than the texts are worth."""
_ANOTHER_RUN = "Run the evaluation again, to its end: a part of a test set is another test set."


def read_inspect(path: Path, shown: str) -> EvaluationLog:
    """Return the answers of one log.

    Raises
    ------
    PredictionsError
        If the file is damaged, the evaluation did not end with success, or its samples are not in the log.
    """
    with path.open("rb") as file:
        is_archive = file.read(4) == ZIP_START
    if not is_archive:
        log = read_json(path, shown)
        header = _require_success(log, shown)
        return _build(header, as_mappings(log.get("samples")), shown, has_outputs=True)
    with open_archive(path, shown) as archive:
        if "header.json" not in archive.sizes:
            raise unusable_log(shown, "the evaluation has not ended: the log has no header.json yet", fix=_ANOTHER_RUN)
        header = _require_success(archive.read_json("header.json"), shown)
        samples, has_outputs = _read_samples(archive)
    return _build(header, samples, shown, has_outputs=has_outputs)


def _require_success(header: Any, shown: str) -> dict[str, Any]:
    if not isinstance(header, dict) or not isinstance(header.get("eval"), dict):
        raise unusable_log(shown, "is not a log of Inspect: it has no `eval`", fix="Name a log that Inspect wrote.")
    status = header.get("status")
    if status != "success":
        error = header.get("error")
        reason = f": {as_text(error.get('message'))[:300]}" if isinstance(error, dict) else ""
        raise unusable_log(shown, f"the evaluation has the status {status!r}{reason}", fix=_ANOTHER_RUN)
    if header.get("invalidated"):
        raise unusable_log(shown, "the log is marked as invalidated", fix="Name a log that is valid.")
    return header


def _read_samples(archive: LogArchive) -> tuple[list[dict[str, Any]], bool]:
    """Return the samples and whether they have outputs: without them, the summaries are enough."""
    names = sorted(name for name in archive.sizes if name.startswith("samples/") and name.endswith(".json"))
    if names and sum(archive.sizes[name] for name in names) <= _MOST_OUTPUT_BYTES:
        return as_mappings([archive.read_json(name) for name in names]), True
    return as_mappings(archive.read_json("summaries.json")) if "summaries.json" in archive.sizes else [], False


def _build(
    header: Mapping[str, Any], samples: Iterable[Mapping[str, Any]], shown: str, *, has_outputs: bool
) -> EvaluationLog:
    own = header["eval"]
    answers = tuple(_read_sample(sample, own) for sample in samples)
    expected = as_mapping(header.get("results")).get("total_samples")
    if not answers:
        raise unusable_log(
            shown, "holds no samples", fix="Log them (`--log-samples` is Inspect's default), and ask at least one."
        )
    if isinstance(expected, int) and expected > len(answers):
        raise unusable_log(shown, f"holds {len(answers)} of {expected} samples", fix=_ANOTHER_RUN)
    _require_once(answers, shown)
    return EvaluationLog(
        format="inspect",
        answers=answers,
        graded_by=_find_grading(own, answers),
        extent=_find_extent(own),
        has_outputs=has_outputs,
    )


def _require_once(answers: Sequence[Answer], shown: str) -> None:
    counts = Counter((answer.question, answer.number) for answer in answers)
    (question, number), count = counts.most_common(1)[0]
    if count > 1:
        raise unusable_log(
            shown,
            f"holds {count} answers to the question {question[:80]} in epoch {number or 'none'}",
            expected="one answer to each question in each epoch.",
            fix="Give every sample of the data set an id of its own, and run the evaluation again.",
        )


def _find_grading(own: Mapping[str, Any], answers: Iterable[Answer]) -> dict[str, str]:
    scorers, roles = as_mappings(own.get("scorers")), as_mapping(own.get("model_roles"))
    chosen = [as_mapping(scorer.get("options")).get("model") for scorer in scorers]
    chosen += [_name_model(model) for model in roles.values()]
    judges = {name for answer in answers for name in as_text(answer.facts.get("judges")).split(", ") if name}
    judges -= {as_text(model) for model in chosen}
    if "grader" not in roles and any(_asks_model_itself(scorer) for scorer in scorers):
        judges.add(f"the model itself ({as_text(own.get('model'))})")
    named = {
        f"{SCORER} {as_text(scorer.get('name'))}": describe_fact(scorer.get("options")) or "without options"
        for scorer in scorers
    }
    named |= {f"model role {role}": describe_fact(_name_model(model)) for role, model in roles.items()}
    named["task"] = describe_fact(own.get("task"))
    named["version of the task"] = describe_fact(own.get("task_version"))
    named["data set"] = describe_fact(as_mapping(own.get("dataset")).get("name"))
    named["judge"] = ", ".join(sorted(judges))
    return {name: value for name, value in named.items() if value}


def _asks_model_itself(scorer: Mapping[str, Any]) -> bool:
    """Return whether one of Inspect's graders judges by the model that answers, as they do where none is named."""
    name = as_text(scorer.get("name")).rpartition("/")[2]
    return name.startswith("model_graded_") and not as_mapping(scorer.get("options")).get("model")


def _name_model(model: Any) -> Any:
    return model.get("model") if isinstance(model, dict) else model


def _find_extent(own: Mapping[str, Any]) -> dict[str, str]:
    config, dataset = as_mapping(own.get("config")), as_mapping(own.get("dataset"))
    named = {
        "epochs": config.get("epochs"),
        "limit": config.get("limit"),
        "sample_id": config.get("sample_id"),
        "location": dataset.get("location"),
    }
    return {name: text for name, value in named.items() if (text := describe_fact(value))}


def _read_sample(sample: Mapping[str, Any], own: Mapping[str, Any]) -> Answer:
    usage = as_mapping(sample.get("model_usage"))
    error = sample.get("error")
    output = as_mapping(sample.get("output"))
    seconds = as_amount(sample.get("working_time"))
    return Answer(
        question=as_text(sample.get("id")),
        target=as_text(sample.get("target")),
        task=as_text(own.get("task")),
        number=as_text(sample.get("epoch")),
        scores={
            name: number
            for scorer, score in as_mapping(sample.get("scores")).items()
            for name, number in _read_score(scorer, score).items()
        },
        error=as_text(error.get("message") if isinstance(error, dict) else error) or _find_unreadable(sample),
        input=_read_input(sample.get("input")),
        output=as_text(output.get("completion")) or _find_text(sample.get("scores")),
        seconds=as_amount(sample.get("total_time")) if seconds is None else seconds,
        tokens=_sum_usage(usage, "total_tokens"),
        cost=_sum_usage(usage, "total_cost"),
        facts={
            **flatten(sample.get("metadata") or {}, "metadata"),
            "task": as_text(own.get("task")),
            "model": as_text(own.get("model")),
            "epoch": sample.get("epoch"),
            "judges": ", ".join(sorted(str(name) for name in usage if name != own.get("model"))),
        },
    )


def _find_unreadable(sample: Mapping[str, Any]) -> str:
    """Return the first grade that is a word of no known meaning, as a reason."""
    for scorer, score in as_mapping(sample.get("scores")).items():
        value = score.get("value") if isinstance(score, dict) else score
        if isinstance(value, str) and _as_score(value) is None:
            return f"{as_text(scorer)} graded with the word {as_text(value)[:40]!r}"
    return ""


def _sum_usage(usage: Mapping[str, Any], key: str) -> float | None:
    counts = [as_amount(part.get(key)) for part in usage.values() if isinstance(part, dict)]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _find_text(scores: Any) -> str:
    """Return what a scorer took for the answer, where the complete output is not at hand."""
    texts = (score.get("answer") for score in as_mapping(scores).values() if isinstance(score, dict))
    return next((as_text(text) for text in texts if text), "")


def _read_input(value: Any) -> str:
    if not isinstance(value, list):
        return as_text(value)
    texts = (as_text(message.get("content")) for message in value if isinstance(message, dict))
    return "\n\n".join(text for text in texts if text)


def _read_score(scorer: str, score: Any) -> dict[str, float | None]:
    """Return the numbers of a scorer: one, or one for each part of a mapping or a list."""
    value = score.get("value") if isinstance(score, dict) else score
    if isinstance(value, dict):
        return {f"{scorer}.{as_text(key)}": _as_score(part) for key, part in value.items()}
    if isinstance(value, list):
        return {f"{scorer}.{index}": _as_score(part) for index, part in enumerate(value)}
    return {as_text(scorer): _as_score(value)}


def _as_score(value: Any) -> float | None:
    """Return a value as Inspect's ``value_to_float`` does; None for text that is no number, and for NaN."""
    if not isinstance(value, str):
        return as_number(value)
    text = value.strip()
    if text in _LETTERS:
        return _LETTERS[text]
    try:
        return as_number(float(text))
    except ValueError:
        return _WORDS.get(text.lower())
