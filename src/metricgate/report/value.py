"""The report: the verdict and all that supports it, as one value. All output for people is a view of it."""

from typing import Final, Literal

from pydantic import Field

from metricgate.models.base import Finite, Value
from metricgate.models.model_test import ModelTestReport
from metricgate.models.outcome import Verdict
from metricgate.models.proof import JudgedModel
from metricgate.models.result import Change, ChartData, Flips, GateRow, MetricRow, Pairing, Warning_
from metricgate.models.retraining import Retraining
from metricgate.models.serving import ServingReport
from metricgate.models.snapshot import Believed, DataEntry, Parameter, RevisionInfo, Stage
from metricgate.models.watch import Watch

SCHEMA_VERSION: Final = 1

__all__ = ["SCHEMA_VERSION", "Acceptance", "Cost", "Failure", "Pairing", "Report", "Timing"]


class Failure(Value):
    """Why a run could not judge: the three sentences of an error, and the last lines of what failed (untrusted)."""

    title: str
    what: str
    expected: str
    fix: str
    details: str = ""
    anchor: str
    topic: str = ""  # the section of the page ``anchor`` in docs/errors
    exit_code: int
    timed_out: bool = False


class Acceptance(Value):
    """A person with write permission accepted a known regression, or a comparison that could not be decided."""

    by: str
    reason: str = ""
    exit_code: int = 1  # of the verdict that was accepted: 1 is failed, any other is inconclusive


class Timing(Value):
    """Seconds of wall time, of all revisions together: the whole run, the stages that ran in it, and the reused ones.

    A reused stage counts with the time that it took when it ran, if an earlier run kept that.
    """

    total: Finite
    trained: Finite = 0.0
    reused: Finite = 0.0


class Cost(Value):
    """What a run cost, all revisions together.

    ``cpu_seconds`` is the time of all processes that it started, ``pulled_bytes`` came from DVC's remote. ``tokens`` is
    the sum of the numbers ``tokens`` and ``total_tokens`` in the metrics files of pipelines that ran.
    """

    cpu_seconds: Finite
    pulled_bytes: int = 0
    tokens: int | None = None


class Report(Value):
    """One run of MetricGate. ``schema_version`` rises when a reader of an older version could misread it."""

    schema_version: Literal[1] = SCHEMA_VERSION
    metricgate: str
    id: str = "default"
    verdict: Verdict
    reason: str  # one sentence, plain text: the first gate that led to the verdict, or why nothing was judged
    exit_code: int
    confidence: Finite = 0.95
    baseline: RevisionInfo | None = None
    candidate: RevisionInfo | None = None
    pairings: tuple[Pairing, ...] = ()
    metrics: tuple[MetricRow, ...] = ()
    gates: tuple[GateRow, ...] = ()
    flips: tuple[Flips, ...] = Field((), max_length=100)  # of evaluations: questions whose grades differ
    changes: tuple[Change, ...] = ()
    baseline_stages: tuple[Stage, ...] = ()
    candidate_stages: tuple[Stage, ...] = ()
    parameters: tuple[Parameter, ...] = ()  # the candidate's, all of them; the first 1,000
    data: tuple[DataEntry, ...] = ()  # the candidate's files under DVC; the first 200
    not_reproduced: tuple[Believed, ...] = ()  # the candidate's results that were judged as they were committed
    warnings: tuple[Warning_, ...] = ()
    charts: tuple[ChartData, ...] = ()
    chart_notes: tuple[str, ...] = ()  # the pipeline's own plots that are not drawn, each with the reason
    policy_origin: str = ""  # the file and revision that the gates were read from, or that there is no policy
    candidate_policy: str = ""  # the verdict by the candidate's own gates, where the change edits the policy
    power: str = ""  # one sentence: what the first gate with an interval can catch on this test set
    hints: tuple[str, ...] = ()  # what to do next
    missing_policy: str = ""  # YAML for metricgate.yaml that would let more rows be judged
    reproduce: str = ""  # one shell command that runs the same comparison on a laptop
    accepted: Acceptance | None = None
    failure: Failure | None = None
    model_tests: ModelTestReport | None = None  # the team's own tests, where the policy names any
    watch: Watch | None = None  # where fresh rows were watched instead of a change judged
    serving: ServingReport | None = None  # how a running model server answered, where the policy names one
    model: JudgedModel | None = None  # the file that a statement about the verdict speaks of
    timing: Timing | None = None
    cost: Cost | None = None
    enforced: bool = True  # false: the policy says `enforce: false`, and no verdict blocks
    retraining: Retraining | None = None  # of `metricgate retrain`: why it trained, or did not
