"""The roles of a file's columns: named by the user, or guessed from names and values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from metricgate.errors import PredictionsError
from metricgate.models.samples import Task
from metricgate.predictions.column_profiles import Profile, distinct_values, profile_column
from metricgate.predictions.file_formats import quote_name
from metricgate.predictions.label_text import canonical_text
from metricgate.predictions.prediction_table import PredictionTable
from metricgate.predictions.question_rows import names_log, open_rows
from metricgate.predictions.wording import list_names
from metricgate.settings.policy import LabelValue, PredictionsSpec

LABEL_NAMES = ("label", "y_true", "target", "y", "truth", "actual", "ground_truth", "true_label", "class")
PREDICTION_NAMES = ("prediction", "y_pred", "predicted", "pred", "predictions", "predicted_label", "y_hat", "yhat")
SCORE_NAMES = ("score", "y_score", "probability", "proba", "prob", "y_prob", "y_proba")
SCORE_ENDINGS = ("_probability", "_score", "_proba", "_prob")
CLASS_SCORE_STARTS = ("p_", "prob_", "proba_", "probability_", "score_")
ID_NAMES = ("id", "row_id", "example_id", "sample_id", "uuid", "key", "index")


@dataclass(frozen=True, kw_only=True)
class ColumnOptions:
    """The roles that the user named; those that are None or empty are guessed."""

    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    id: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    positive: LabelValue | None = None
    task: Task | None = None
    group: str | None = None
    weight: str | None = None
    format: Literal["inspect", "lm-eval", "promptfoo", "deepeval"] | None = None
    where: Mapping[str, tuple[LabelValue, ...]] = field(default_factory=dict)


def infer_spec(path: Path, options: ColumnOptions | None = None) -> PredictionsSpec:
    """Return what a file's columns mean: the roles that ``options`` name, the others guessed from names and values.

    Raises
    ------
    PredictionsError
        If an option names a column that does not exist, two columns could have the same role, or no column could be
        the label, or the prediction or score.
    """
    asked = options or ColumnOptions()
    named = _build(str(path), asked, score=asked.score)
    if names_log(path, named):
        return _infer_of_log(path, named)
    with open_rows(path, str(path), named) as opened:
        for role, column in _asked_columns(asked):
            opened.table.require(column, role)
        return _infer(opened.table, asked)


def _infer_of_log(path: Path, named: PredictionsSpec) -> PredictionsSpec:
    """Return the spec of a log: its score is found now, since the candidate's log must have the same."""
    with open_rows(path, str(path), named) as opened:
        for column in named.slices:
            opened.table.require(column, "slice")
        return named.model_copy(update={"format": opened.spec.format, "score": opened.spec.score, "task": "score"})


def _asked_columns(asked: ColumnOptions) -> list[tuple[str, str]]:
    one = [("label", asked.label), ("prediction", asked.prediction), ("score", asked.score)]
    one += [("group", asked.group), ("weight", asked.weight)]
    several = [*(("id", column) for column in asked.id), *(("slice", column) for column in asked.slices)]
    return [*((role, column) for role, column in one if column is not None), *several]


def _infer(table: PredictionTable, asked: ColumnOptions) -> PredictionsSpec:
    guess = _Guess(table, frozenset(column for _, column in _asked_columns(asked)))
    if asked.task == "score":
        score = asked.score or guess.find("score", SCORE_NAMES, SCORE_ENDINGS)
        if score is None and asked.prediction is None:
            raise _unknown(table, "score", "--score")
        return _build(table.path, replace(asked, id=asked.id or guess.without(score).find_id()), score=score)
    prediction = asked.prediction or guess.find("prediction", PREDICTION_NAMES)
    score = asked.score or guess.find("score", SCORE_NAMES, SCORE_ENDINGS)
    guess = guess.without(prediction, score)
    label = asked.label or guess.find("label", LABEL_NAMES) or guess.find_label(score or prediction)
    if label is None:
        raise _unknown(table, "label", "--label (or --task score, if rows have no label)")
    profile = profile_column(table, label)
    scores = guess.find_class_scores(profile) if asked.score is None else None
    if scores or (score != asked.score and _is_not_binary(profile) and prediction):
        score = asked.score  # a guessed score of one class means nothing for several classes or for numbers
    if prediction is None and score is None and scores is None:
        raise _unknown(table, "prediction or score", "--prediction or --score")
    ids = asked.id or guess.without(label).find_id()
    return _build(table.path, replace(asked, label=label, prediction=prediction, id=ids), score=score, scores=scores)


def _build(
    path: str, asked: ColumnOptions, *, score: str | None, scores: dict[str, str] | None = None
) -> PredictionsSpec:
    return PredictionsSpec(
        path=path,
        format=asked.format,
        where=dict(asked.where),
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


def _unknown(table: PredictionTable, role: str, option: str) -> PredictionsError:
    columns = list_names(tuple(table.types))
    return PredictionsError(
        f"{table.path}: no column could be recognised as {role}.",
        expected=f"a common name, such as label, prediction or score; the columns are {columns}.",
        fix=f"name the column with {option}, or pass a policy with --policy.",
        topic="which-column-is-which",
    )


@dataclass(frozen=True)
class _Guess:
    """Guesses of roles among the columns of a file that have none yet."""

    table: PredictionTable
    taken: frozenset[str]

    def without(self, *columns: str | None) -> "_Guess":
        return replace(self, taken=self.taken.union(column for column in columns if column is not None))

    @property
    def free(self) -> list[str]:
        return [column for column in self.table.types if column not in self.taken]

    def find(self, role: str, names: tuple[str, ...], endings: tuple[str, ...] = ()) -> str | None:
        """Return the column with one of the names, else with one of the endings; raise PredictionsError for two."""
        exact = [column for column in self.free if column.lower() in names]
        found = exact or [column for column in self.free if endings and column.lower().endswith(endings)]
        return self._only(role, found)

    def find_label(self, answer: str | None) -> str | None:
        """Return the only column with two values, or, of several, the one that is named like the answer."""
        found = [column for column in self.free if len(distinct_values(self.table, column, 2) or ()) == 2]
        stem = (answer or "").lower().rpartition("_")[0]
        alike = [column for column in found if stem and column.lower().startswith(stem)]
        return self._only("label", alike or found)

    def find_class_scores(self, label: Profile) -> dict[str, str] | None:
        """Return the score column of each class if all are named after their class: ``p_cat``, ``p_dog``."""
        if label.values is None or len(label.values) < 3:
            return None
        by_name = {canonical_text(column).lower(): column for column in self.free}
        for start in CLASS_SCORE_STARTS:
            found = {value: by_name.get(f"{start}{value}".lower()) for value in label.values}
            complete = {value: column for value, column in found.items() if column is not None}
            if len(complete) == len(found):
                return complete
        return None

    def find_id(self) -> tuple[str, ...]:
        """Return the first column that is named like an id and has no value twice."""
        named = [column for column in self.free if column.lower() in ID_NAMES]
        named += [column for column in self.free if column.lower().endswith("_id") and column not in named]
        return next(((column,) for column in named if self._is_unique(column)), ())

    def _is_unique(self, column: str) -> bool:
        ((rows, values),) = self.table.ask(f"SELECT count(*), count(DISTINCT {quote_name(column)}) FROM rows")
        return bool(rows == values)

    def _only(self, role: str, found: list[str]) -> str | None:
        if len(found) > 1:
            raise PredictionsError(
                f"{self.table.path}: the {role} could be any of the columns {list_names(found)}.",
                expected=f"one column as {role}.",
                fix=f"choose one with --{role}.",
                topic="which-column-is-which",
            )
        return found[0] if found else None
