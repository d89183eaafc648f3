"""A log as the rows of a comparison: which score, which task, which questions belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from metricgate.errors import PredictionsError
from metricgate.predictions.evaluation_logs.answer import COSTS, OWN_NAMES, EvaluationLog, LogFormat
from metricgate.predictions.evaluation_logs.log_files import unusable_log
from metricgate.predictions.evaluation_logs.log_folder import list_files
from metricgate.predictions.evaluation_logs.question_table import Questions, ask_questions
from metricgate.predictions.evaluation_logs.recognition import find_format, join_logs, read_log
from metricgate.predictions.label_text import canonical_text
from metricgate.predictions.wording import count_things, list_names
from metricgate.settings.policy import LabelValue, PredictionsSpec

_CLUSTERS = ("passage", "conversation", "document", "template", "dialogue", "dialog", "context", "scenario")
_CLUSTER_ENDINGS = ("", "_id", "_name")


@dataclass(frozen=True, eq=False, kw_only=True)
class ReadQuestions:
    """The questions of a log, the score that is judged, and the policy's columns with what the log itself says."""

    questions: Questions
    score: str
    spec: PredictionsSpec
    notes: tuple[str, ...]


def read_questions(path: Path, shown: str, spec: PredictionsSpec) -> ReadQuestions:
    """Return the questions that ``spec`` chooses.

    Raises
    ------
    PredictionsError
        If no log is there, one cannot be used, or several scores, tasks or filters could be meant.
    """
    log = _choose(_read_files(path, shown, spec.format), spec.where, shown)
    _require_one_task(log, spec, shown)
    _require_one_filter(log, shown)
    score = _choose_score(log, spec.score, shown)
    _require_free_name(score, shown)
    questions = ask_questions(log)
    group = spec.group or _guess_group(questions)
    own = {
        "format": log.format,
        "id": (*(spec.id or ("id",)), "target"),
        "score": score,
        "group": group,
        "task": "score",
    }
    return ReadQuestions(
        questions=questions,
        score=score,
        spec=spec.model_copy(update=own),
        notes=(
            *describe_answers(questions),
            *_describe_group(spec, group),
            *describe_failed(questions, score, redact=spec.redact),
            *describe_unknown_costs(questions),
        ),
    )


def _read_files(path: Path, shown: str, asked: LogFormat | None) -> EvaluationLog:
    files = list_files(path)
    kinds = [(file, find_format(file)) for file in files]
    chosen = [(file, kind) for file, kind in kinds if kind is not None]
    if not chosen:
        raise unusable_log(
            shown,
            "does not exist" if not files else f"is no log of {asked or 'an evaluation tool'} that MetricGate knows",
            fix="Check the path, and that the evaluation writes its log there.",
        )
    wrong = next(((file, kind) for file, kind in chosen if asked not in {None, kind}), None)
    if wrong is not None:
        raise unusable_log(
            shown,
            f"is a log of {wrong[1]}, not of {asked}",
            fix="Correct `format:`, or leave it out: it is found from the content.",
        )
    single = len(chosen) == 1
    names = [file.name for file, _ in chosen]
    return join_logs(
        [
            (name, read_log(file, shown if single else f"{shown}: {name}", kind))
            for name, (file, kind) in zip(names, chosen, strict=True)
        ],
        shown,
    )


def _choose(log: EvaluationLog, where: Mapping[str, tuple[LabelValue, ...]], shown: str) -> EvaluationLog:
    """Return the log with the answers that `where:` chooses."""
    known = dict.fromkeys(name for answer in log.answers for name in answer.facts)
    for name in where:
        if name not in known:
            near = get_close_matches(name, list(known), n=1)
            raise PredictionsError(
                f"{shown} has no column '{name}' (where)." + (f" Did you mean '{near[0]}'?" if near else ""),
                expected=f"one of its columns: {list_names(tuple(known))}.",
                fix="correct `where` in metricgate.yaml (or the option).",
                topic="the-column-does-not-exist",
            )
    wanted = {name: {canonical_text(value) for value in values} for name, values in where.items()}
    chosen = tuple(
        answer
        for answer in log.answers
        if all(canonical_text(answer.facts.get(name)) in values for name, values in wanted.items())
    )
    if not chosen:
        told = ", ".join(f"{name}: {', '.join(map(str, values))}" for name, values in where.items())
        raise unusable_log(
            shown,
            f"no answer has {told}",
            expected="; ".join(f"{name}: {_list_values(log, name)}" for name in where) + ".",
            fix="Correct `where:`.",
        )
    return log.keep(chosen)


def _list_values(log: EvaluationLog, name: str) -> str:
    return list_names(sorted({canonical_text(answer.facts.get(name))[:80] for answer in log.answers}), 12)


def _require_one_task(log: EvaluationLog, spec: PredictionsSpec, shown: str) -> None:
    if len(log.tasks) > 1 and "task" not in spec.id:
        raise unusable_log(
            shown,
            f"holds {count_things(len(log.tasks), 'task')}: {list_names(log.tasks, 12)}",
            expected="the questions of one task, or a policy that takes the tasks together.",
            fix=f"Choose one with `where: {{task: {log.tasks[0]}}}`, or join all of them with `id: [task, id]`.",
        )


def _require_one_filter(log: EvaluationLog, shown: str) -> None:
    filters = sorted({str(answer.facts["filter"]) for answer in log.answers if "filter" in answer.facts})
    if len(filters) > 1:
        raise unusable_log(
            shown,
            f"holds each answer with the filters {list_names(filters)}",
            expected="one filter, whose grades are judged.",
            fix=f"Choose one with `where: {{filter: {filters[0]}}}`.",
        )


def _choose_score(log: EvaluationLog, asked: str | None, shown: str) -> str:
    names = log.score_names
    if asked in names:
        return str(asked)
    if asked is None and len(names) == 1:
        return names[0]
    if not names:
        raise unusable_log(shown, "has no score: no answer was graded", fix="Score the answers, and check the scorer.")
    near = get_close_matches(asked or "", names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    what = f"has no score '{asked}'.{hint}" if asked else f"has {len(names)} scores, and none is chosen."
    raise PredictionsError(
        f"{shown} {what}",
        expected=f"one of its scores: {list_names(names)}.",
        fix=f"name it as `score: {near[0] if near else names[0]}` (or with --score).",
        topic="a-log-that-cannot-be-read",
    )


def _require_free_name(score: str, shown: str) -> None:
    if score.lower() in OWN_NAMES:
        raise unusable_log(
            shown,
            f"its score '{score}' has the name of something else that is counted",
            expected=f"a name other than {list_names(sorted(OWN_NAMES))}.",
            fix="Rename the scorer or the metric.",
        )


def _guess_group(questions: Questions) -> str | None:
    """Return the column that plainly says which questions share a text: named so, and with repeated values."""
    first = [answers[0].facts for answers in questions.answers]
    for name in dict.fromkeys(name for facts in first for name in facts):
        field = name.rpartition(".")[2].lower()
        if not any(field == stem + ending for stem in _CLUSTERS for ending in _CLUSTER_ENDINGS):
            continue
        values = [facts.get(name) for facts in first]
        if None not in values and 1 < len(set(map(str, values))) < len(values):
            return name
    return None


def describe_answers(questions: Questions) -> list[str]:
    """Return how many answers each question has, unless it is one."""
    counts = sorted({len(answers) for answers in questions.answers})
    if counts == [1]:
        return []
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    total = sum(len(answers) for answers in questions.answers)
    return [f"{count_things(len(questions), 'question')} with {each} answers each ({total:,} answers), averaged."]


def _describe_group(spec: PredictionsSpec, group: str | None) -> list[str]:
    if spec.group or group is None:
        return []
    return [f"Questions with the same {group} count as one group, as its name suggests; `group:` chooses another."]


def describe_unknown_costs(questions: Questions) -> list[str]:
    """Return of how many answers it is known what they took, where it is known of some alone."""
    listed = [answer for answers in questions.answers for answer in answers]
    counts = {name: sum(getattr(answer, name) is not None for answer in listed) for name in COSTS}
    told = [f"{name} of {count:,}" for name, count in counts.items() if 0 < count < len(listed)]
    return [f"Known of {count_things(len(listed), 'answer')} are the {list_names(told)} alone."] if told else []


def describe_failed(questions: Questions, score: str, *, redact: bool) -> list[str]:
    """Return how many answers have no grade, what they count as, and the mean without them."""
    count = questions.count_ungraded(score)
    if not count:
        return []
    total = sum(len(answers) for answers in questions.answers)
    alone = questions.mean_of_graded(score)
    without = "" if alone is None else f"; the mean of the graded ones alone is {alone:.3g}"
    reasons = "" if redact else _list_errors(questions, score)
    told = f"{count:,} of {count_things(total, 'answer')} failed or could not be graded{reasons}"
    return [f"{told}: each counts as {questions.lowest[score]:g}{without}."]


def _list_errors(questions: Questions, score: str) -> str:
    errors: Sequence[str] = [
        answer.error.splitlines()[0][:80]
        for answers in questions.answers
        for answer in answers
        if answer.error and answer.scores.get(score) is None
    ]
    return f" (the first: {errors[0]})" if errors else ""
