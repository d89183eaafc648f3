"""What else is tried of a candidate, beside its predictions: the team's own tests, the server that serves it, its file.

Each is a room of its own, imported only where the policy asks for it.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metricgate.context import RunContext
from metricgate.execution.snapshots import SnapshotSet
from metricgate.judging import Case
from metricgate.models.proof import JudgedModel
from metricgate.models.result import Warning_
from metricgate.settings.policy import Policy
from metricgate.settings.selection import PolicyChoice
from metricgate.trigger import Trigger

if TYPE_CHECKING:
    from metricgate.model_tests.tested_sides import TriedChange
    from metricgate.serving.judged_serving import JudgedServing


@dataclass(frozen=True, kw_only=True)
class ServingInputs:
    """What the workflow says of the server: its address instead of the policy's, and the digest of its image."""

    url: str = ""
    image: str = ""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """The results; None where nothing was asked for."""

    tests: "TriedChange | None" = None
    serving: "JudgedServing | None" = None
    model: JudgedModel | None = None

    @property
    def has_run_code(self) -> bool:
        return self.tests is not None

    def add_to(self, case: Case) -> Case:
        """Return the case with the gates of these trials, and what the report shows of them."""
        tests, serving = self.tests, self.serving
        return replace(
            case,
            other_gates=(*(tests.judged.gates if tests else ()), *(serving.gates if serving else ())),
            model_tests=tests.judged.report if tests else None,
            serving=serving.report if serving else None,
            model=self.model,
            warnings=(*case.warnings, *self._warn_of_model()),
        )

    def _warn_of_model(self) -> tuple[Warning_, ...]:
        problem = self.model.problem if self.model else ""
        return (Warning_(code="no_statement", text=problem),) if problem else ()

    def keep(self, context: RunContext, trigger: Trigger, policy: Policy) -> tuple[str, ...]:
        """Keep what later runs need, where this one may; return a sentence for each part that failed."""
        if self.tests is None:
            return ()
        from metricgate.model_tests.tested_sides import keep_tests  # noqa: PLC0415

        return tuple(filter(None, [keep_tests(context, trigger, self.tests, policy)]))


def try_candidate(
    context: RunContext,
    choice: PolicyChoice,
    snapshots: SnapshotSet,
    serving: ServingInputs,
    *,
    policy_text: str | None = None,
) -> Trials:
    """Try what the policies name; ``policy_text`` is that of the policy that judges."""
    tests = served = model = None
    if choice.judging.proof is not None:
        from metricgate.proof.judged_file import hash_model  # noqa: PLC0415

        # Before any test of the change runs, which could write another file.
        judged_by = (choice.origin, policy_text)
        model = hash_model(context, choice.judging.proof, choice.candidate, snapshots.candidate, judged_by=judged_by)
    if choice.candidate.tests is not None or choice.judging.tests is not None:
        from metricgate.model_tests.tested_sides import try_change  # noqa: PLC0415

        tests = try_change(context, choice, snapshots)
    if choice.judging.serving is not None:
        from metricgate.serving.served_change import serve_change  # noqa: PLC0415

        served = serve_change(context, choice, snapshots, url=serving.url, image=serving.image)
    return Trials(tests=tests, serving=served, model=model)
