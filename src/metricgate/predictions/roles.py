"""What the columns of a file mean, guessed from their names where nobody says it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from metricgate.errors import PredictionsError
from metricgate.models.samples import Task
from metricgate.predictions.source import Source, open_source
from metricgate.predictions.wording import list_names
from metricgate.settings.policy import LabelValue, PredictionsSpec

LABEL_NAMES = ("label", "y_true", "target", "y", "truth", "actual", "ground_truth", "true_label", "class")
PREDICTION_NAMES = ("prediction", "y_pred", "predicted", "pred", "predictions", "predicted_label", "y_hat", "yhat")
SCORE_NAMES = ("score", "y_score", "probability", "proba", "prob", "y_prob", "y_proba", "p", "confidence")
SCORE_ENDINGS = ("_probability", "_score", "_proba", "_prob")
ID_NAMES = ("id", "row_id", "example_id", "sample_id", "uuid", "key", "index")


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
    """Say what a file's columns mean: what ``options`` name, and for the rest what common names suggest.

    Raises
    ------
    PredictionsError
        If two columns could have one role, or no column is known as label, prediction or score.
    """
    asked = options or ColumnOptions()
    with open_source(path, str(path)) as source:
        return _infer(source, asked)


def describe_spec(spec: PredictionsSpec) -> str:
    """Return one sentence that says which column has which role."""
    roles = [("label", spec.label), ("prediction", spec.prediction), ("score", spec.score), ("group", spec.group)]
    roles += [("id", ", ".join(spec.id) or None), ("slices", ", ".join(spec.slices) or None), ("weight", spec.weight)]
    named = [f"{role}: {column}" for role, column in roles if column]
    task = f"task: {spec.task}" if spec.task else "task: by the label's values"
    return "; ".join([*named, task])


def _infer(source: Source, asked: ColumnOptions) -> PredictionsSpec:
    taken = {asked.label, asked.prediction, asked.score, asked.group, asked.weight, *asked.id, *asked.slices}
    free = [column for column in source.types if column not in taken]
    score_task = asked.task == "score"
    label = asked.label or (None if score_task else _guess(source, free, "label", LABEL_NAMES))
    prediction = asked.prediction or _guess(source, free, "prediction", PREDICTION_NAMES)
    score = asked.score or _guess(source, free, "score", SCORE_NAMES, SCORE_ENDINGS)
    ids = asked.id or tuple(filter(None, [_guess(source, free, "id", ID_NAMES, ("_id",))]))
    if prediction is None and score is None:
        raise _unknown(source, "prediction or score", "--prediction or --score")
    if label is None and not score_task:
        raise _unknown(source, "label", "--label (or --task score, where rows have no label)")
    return PredictionsSpec(
        path=source.path,
        id=ids,
        label=label,
        prediction=prediction,
        score=score,
        positive=asked.positive,
        task=asked.task,
        slices=asked.slices,
        group=asked.group,
        weight=asked.weight,
    )


def _guess(
    source: Source, free: Iterable[str], role: str, names: tuple[str, ...], endings: tuple[str, ...] = ()
) -> str | None:
    """Return the column with a common name, or with a telling ending; refuse to choose between two."""
    columns = list(free)
    for found in (
        [column for column in columns if column.lower() in names],
        [column for column in columns if endings and column.lower().endswith(endings)],
    ):
        if len(found) > 1:
            raise PredictionsError(
                f"{source.path}: the {role} could be any of the columns {list_names(tuple(found))}.",
                expected=f"one column as {role}.",
                fix=f"say which one with --{role}.",
            )
        if found:
            return found[0]
    return None


def _unknown(source: Source, role: str, option: str) -> PredictionsError:
    return PredictionsError(
        f"{source.path}: no column is known as {role} by its name.",
        expected=f"the columns are {list_names(tuple(source.types))}; which one is it?",
        fix=f"say so with {option}, or give a policy with --policy.",
    )
