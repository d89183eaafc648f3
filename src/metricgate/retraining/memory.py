"""What earlier trainings came to, so that nothing is trained twice, and what MetricGate itself wrote to the branch."""

from datetime import datetime
from typing import Literal

from metricgate.models.base import Value

FRUITLESS_IN_A_ROW = 2
MAX_TRAININGS = 60
MAX_HEADS = 30


class Training(Value):
    """One training that came to a verdict.

    Attributes
    ----------
    key : of reasons, inputs of the pipeline and released model: equal ones are the same training
    at : when it began, in UTC
    model : names the released model that it was compared with
    helped : whether it gave a model that may be offered
    """

    key: str
    at: datetime
    model: str
    reasons: tuple[str, ...]
    verdict: str
    headline: str
    helped: bool
    seconds: float = 0.0
    number: int | None = None  # of the pull request that offered it
    end: Literal["", "not_due"] = ""  # MetricGate itself closed it


class Memory(Value):
    """The trainings, the oldest first, and the commits that MetricGate wrote to the branch, the oldest first."""

    version: Literal[1] = 1
    trainings: tuple[Training, ...] = ()
    heads: tuple[str, ...] = ()

    @property
    def last(self) -> Training | None:
        return self.trainings[-1] if self.trainings else None

    def find(self, key: str) -> Training | None:
        """Return the training of this key; None if there was none."""
        return next((one for one in reversed(self.trainings) if one.key == key), None)

    def find_cooldown(self, model: str) -> Training | None:
        """Return the last of two trainings in a row that did not help against this released model."""
        recent = self.trainings[-FRUITLESS_IN_A_ROW:]
        fruitless = [one for one in recent if not one.helped and one.model == model]
        return recent[-1] if len(fruitless) == FRUITLESS_IN_A_ROW else None

    def add(self, training: Training) -> "Memory":
        """Return the memory with a training, in the place of the one with its key."""
        if any(one.key == training.key for one in self.trainings):
            changed = (training if one.key == training.key else one for one in self.trainings)
            return self.model_copy(update={"trainings": tuple(changed)})
        return self.model_copy(update={"trainings": (*self.trainings, training)[-MAX_TRAININGS:]})

    def add_head(self, sha: str) -> "Memory":
        kept = tuple(head for head in self.heads if head != sha)
        return self.model_copy(update={"heads": (*kept, sha)[-MAX_HEADS:]})
