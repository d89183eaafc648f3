"""The role of a column, guessed from its name and its values."""

from dataclasses import dataclass, replace

from metricgate.errors import PredictionsError
from metricgate.predictions.formats import quote_name
from metricgate.predictions.labels import canonical_text
from metricgate.predictions.profiles import Profile, distinct_values
from metricgate.predictions.source import Source
from metricgate.predictions.wording import list_names

LABEL_NAMES = ("label", "y_true", "target", "y", "truth", "actual", "ground_truth", "true_label", "class")
PREDICTION_NAMES = ("prediction", "y_pred", "predicted", "pred", "predictions", "predicted_label", "y_hat", "yhat")
SCORE_NAMES = ("score", "y_score", "probability", "proba", "prob", "y_prob", "y_proba")
SCORE_ENDINGS = ("_probability", "_score", "_proba", "_prob")
CLASS_SCORE_STARTS = ("p_", "prob_", "proba_", "probability_", "score_")
ID_NAMES = ("id", "row_id", "example_id", "sample_id", "uuid", "key", "index")


@dataclass(frozen=True)
class Guess:
    """The columns of a file that have no role yet."""

    source: Source
    taken: frozenset[str]

    def without(self, *columns: str | None) -> "Guess":
        return replace(self, taken=self.taken.union(column for column in columns if column is not None))

    @property
    def free(self) -> list[str]:
        return [column for column in self.source.types if column not in self.taken]

    def find(self, role: str, names: tuple[str, ...], endings: tuple[str, ...] = ()) -> str | None:
        """Return the column with a common name, else with a telling ending; refuse to choose between two."""
        exact = [column for column in self.free if column.lower() in names]
        found = exact or [column for column in self.free if endings and column.lower().endswith(endings)]
        return self._only(role, found)

    def find_label(self, answer: str | None) -> str | None:
        """Return the one column with two values; where there are several, the one named like the score."""
        found = [column for column in self.free if len(distinct_values(self.source, column, 2) or ()) == 2]
        stem = (answer or "").lower().rpartition("_")[0]
        alike = [column for column in found if stem and column.lower().startswith(stem)]
        return self._only("label", alike or found)

    def find_class_scores(self, label: Profile) -> dict[str, str] | None:
        """Return a score column for each class, where all of them are named after it: ``p_cat``, ``p_dog``."""
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
        """Return the column that is named as an id, if each of its values occurs once."""
        named = [column for column in self.free if column.lower() in ID_NAMES]
        named += [column for column in self.free if column.lower().endswith("_id") and column not in named]
        return next(((column,) for column in named if self._is_unique(column)), ())

    def _is_unique(self, column: str) -> bool:
        ((rows, values),) = self.source.ask(f"SELECT count(*), count(DISTINCT {quote_name(column)}) FROM rows")
        return bool(rows == values)

    def _only(self, role: str, found: list[str]) -> str | None:
        if len(found) > 1:
            raise PredictionsError(
                f"{self.source.path}: the {role} could be any of the columns {list_names(found)}.",
                expected=f"one column as {role}.",
                fix=f"say which one with --{role}.",
            )
        return found[0] if found else None
