"""Why a model is retrained, or why it is not: what a report says of it."""

from typing import Literal

from metricgate.models.base import Value

ReasonKind = Literal["age", "new_data", "drift", "performance", "forced"]
Obstacle = Literal["", "not_due", "frozen", "approval", "cooldown", "cost", "few_rows", "tried", "no_news"]
"""Why nothing is trained: ``tried``: the same was trained before; ``no_news``: nothing would come out differently."""


class RetrainReason(Value):
    """One reason why the model is due; ``text`` is a sentence without its full stop."""

    kind: ReasonKind
    text: str


class Retraining(Value):
    """What a run decided about retraining.

    Attributes
    ----------
    looked : what was looked at and did not make the model due, in sentences
    obstacle : why a model that is due is not trained now, and ``why_not`` the sentence for people
    next : when it will be due, or looked at again, as far as that is known
    released : the released revision that a retrained model is compared with
    helped : whether the training gave a model that may be offered; null where nothing was trained
    """

    reasons: tuple[RetrainReason, ...] = ()
    looked: tuple[str, ...] = ()
    obstacle: Obstacle = ""
    why_not: str = ""
    next: str = ""
    released: str = ""
    helped: bool | None = None

    @property
    def is_due(self) -> bool:
        return bool(self.reasons)

    @property
    def may_train(self) -> bool:
        return self.is_due and not self.obstacle
