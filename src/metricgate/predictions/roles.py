"""What the columns of a file mean, guessed from names and values where nobody says it."""

from dataclasses import dataclass, replace
from pathlib import Path

from metricgate.errors import PredictionsError
from metricgate.models.samples import Task
from metricgate.predictions.guesses import LABEL_NAMES, PREDICTION_NAMES, SCORE_ENDINGS, SCORE_NAMES, Guess
from metricgate.predictions.profiles import Profile, profile_column
from metricgate.predictions.source import Source, open_source
from metricgate.predictions.wording import list_names
from metricgate.settings.policy import LabelValue, PredictionsSpec


@dataclass(frozen=True, kw_only=True)
class ColumnOptions:
    """What a person said about the columns; what is None or empty is guessed."""

    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    id: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    positive: LabelValue | None = None
    task: Task | None = None
    group: str | None = None
    weight: str | None = None


def infer_spec(path: Path, options: ColumnOptions | None = None) -> PredictionsSpec:
    """Say what a file's columns mean: what ``options`` name, and for the rest what names and values suggest.

    Raises
    ------
    PredictionsError
        If an option names a column that is not there, two columns could have one role, or none is known as label,
        or as prediction or score.
    """
    asked = options or ColumnOptions()
    with open_source(path, str(path)) as source:
        for role, column in _asked_columns(asked):
            source.require(column, role)
        return _infer(source, asked)


def _asked_columns(asked: ColumnOptions) -> list[tuple[str, str]]:
    one = [("label", asked.label), ("prediction", asked.prediction), ("score", asked.score)]
    one += [("group", asked.group), ("weight", asked.weight)]
    several = [*(("id", column) for column in asked.id), *(("slice", column) for column in asked.slices)]
    return [*((role, column) for role, column in one if column is not None), *several]


def _infer(source: Source, asked: ColumnOptions) -> PredictionsSpec:
    guess = Guess(source, frozenset(column for _, column in _asked_columns(asked)))
    if asked.task == "score":
        return _build(source, asked, score=asked.score or guess.find("score", SCORE_NAMES, SCORE_ENDINGS))
    prediction = asked.prediction or guess.find("prediction", PREDICTION_NAMES)
    score = asked.score or guess.find("score", SCORE_NAMES, SCORE_ENDINGS)
    guess = guess.without(prediction, score)
    label = asked.label or guess.find("label", LABEL_NAMES) or guess.find_label(score or prediction)
    if label is None:
        raise _unknown(source, "label", "--label (or --task score, where rows have no label)")
    profile = profile_column(source, label)
    scores = guess.find_class_scores(profile) if asked.score is None else None
    if scores or (score != asked.score and _is_not_binary(profile) and prediction):
        score = asked.score  # a guessed score of one class says nothing about several, or about numbers
    if prediction is None and score is None and scores is None:
        raise _unknown(source, "prediction or score", "--prediction or --score")
    ids = asked.id or guess.without(label).find_id()
    return _build(source, replace(asked, label=label, prediction=prediction, id=ids), score=score, scores=scores)


def _build(
    source: Source, asked: ColumnOptions, *, score: str | None, scores: dict[str, str] | None = None
) -> PredictionsSpec:
    return PredictionsSpec(
        path=source.path,
        id=asked.id,
        label=asked.label,
        prediction=asked.prediction,
        score=score,
        scores=scores,
        positive=asked.positive,
        task=asked.task,
        slices=asked.slices,
        group=asked.group,
        weight=asked.weight,
    )


def _is_not_binary(label: Profile) -> bool:
    return label.values is None or len(label.values) > 2


def _unknown(source: Source, role: str, option: str) -> PredictionsError:
    return PredictionsError(
        f"{source.path}: no column can be recognised as {role}.",
        expected=f"a telling name (such as label, prediction, score); the columns are {list_names(tuple(source.types))}.",
        fix=f"name it with {option}, or give a policy with --policy.",
    )
