"""What a comparison and a policy yield, in the form of report.json."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from metricgate.models.base import Bound, Finite, Value
from metricgate.models.outcome import Direction, Outcome, Role
from metricgate.models.samples import Task


class Slice(Value):
    """A subset of the test rows by one column's value; the value as text."""

    column: str
    value: str


class Location(Value):
    """A line of a file in the candidate's checkout; the first line is 1."""

    path: str
    line: int


class MetricRow(Value):
    """One metric of both models on the same rows. ``difference`` is candidate minus baseline.

    ``low`` and ``high`` bound the difference pointwise at the policy's confidence; null where there is no interval.
    A value that does not exist is null, and ``note`` says why.
    """

    name: str
    set: str = ""
    source: str = "predictions"
    slice: Slice | None = None
    direction: Direction | None = None  # null for a number from a file whose name does not tell
    rows: int | None = None
    positives: int | None = None
    baseline: Finite | None = None
    candidate: Finite | None = None
    difference: Finite | None = None
    low: Bound = None
    high: Bound = None
    candidate_low: Bound = None
    candidate_high: Bound = None
    method: str = ""
    note: str = ""


GateKind = Literal["max_drop", "max_increase", "min_gain", "min", "max", "max_shift"]


class GateRow(Value):
    """One rule and its outcome.

    ``bound`` is the number of the rule in the unit of the metric (a percentage already multiplied by the baseline).
    ``low`` and ``high``: the pointwise interval of the tested difference (candidate minus baseline), or of the
    candidate's value for ``min`` and ``max``. ``simultaneous_*``: the bounds that "failed" was decided with.
    A row with the source ``drift`` is about a watched ``feature``: ``metric`` names the effect, ``difference`` is how far
    the current rows lie from the reference, and both sets of bounds belong to it; the simultaneous ones decide.
    """

    rule: str
    metric: str
    feature: str = ""
    set: str = ""
    source: str = "predictions"
    slice: Slice | None = None
    role: Role
    kind: GateKind
    anchor: bool = False
    direction: Direction
    bound: Finite
    share: Finite | None = None  # the margin as a share of the baseline (0.05: 5 %), where the policy writes one
    outcome: Outcome
    reason: str
    reason_code: str
    beyond: bool = False  # the best estimate, by any reading of the rows, lies beyond what is allowed
    rows: int | None = None
    baseline: Finite | None = None
    candidate: Finite | None = None
    difference: Finite | None = None
    low: Bound = None
    high: Bound = None
    simultaneous_low: Bound = None
    simultaneous_high: Bound = None
    candidate_low: Bound = None
    candidate_high: Bound = None
    rows_needed: int | None = None
    unit: Literal["row", "question"] = "row"  # what ``rows`` and ``rows_needed`` count
    method: str = ""
    notes: tuple[str, ...] = ()  # what a reader must know about the value or its interval
    power: str = ""  # one sentence: what this gate can catch on this test set
    noise: Finite | None = None  # by how much another seed alone moves the metric, in 19 of 20 pairs
    location: Location | None = None  # where the policy writes it, if the candidate has the same line


class Pairing(Value):
    """How the rows of both models were joined, for one prediction set. ``rows`` is the number compared."""

    set: str = ""
    path: str
    task: Task
    method: Literal["id", "order"]
    rows: int
    baseline_rows: int
    candidate_rows: int
    only_baseline: int = 0
    only_candidate: int = 0
    label_differs: int = 0  # rows of both sides whose labels differ: judged by both labels
    positives: int | None = None
    positive_label: str | None = None
    classes: tuple[str, ...] = ()
    identical: bool = False  # predictions are the same on all rows of both sides
    test_set_changed: bool = False
    fresh: int = 0  # rows compared that only the candidate had, and on which `evaluation` judged the baseline's model
    trained: int = 0  # rows left out because one of the models was trained on them
    duplicates: int = 0
    test_set: str = ""  # a short hash of the baseline's ids and labels: equal ones are the same test set
    answers: str = ""  # a short hash of the candidate's answers: equal ones are the same attempt
    format: str = ""  # the evaluation tool whose log was read: rows are questions; empty where they are not
    baseline_answers: int | None = None  # to all questions together; null where rows are no questions
    candidate_answers: int | None = None
    baseline_ungraded: int = 0  # answers that failed, or whose grading did
    candidate_ungraded: int = 0
    changed_inputs: int = 0  # questions with another input behind the same id
    other_test: str = ""  # what the scores of the two sides depend on and differ in: the grader, the task's version
    notes: tuple[str, ...] = ()


MOST_FLIPS = 100
MOST_TEXT = 1000
Text = Annotated[str, Field(max_length=MOST_TEXT)]  # of a model or a data set: a report may come from another job


class QuestionFlip(Value):
    """One question that the two models answer differently well; the means of its answers' grades, and one text of each.

    Texts are empty where the log holds none, or the policy says `redact: true`; ``id`` is then a hash.
    """

    id: Text
    input: Text = ""
    target: Text = ""
    baseline: Finite
    candidate: Finite
    baseline_answer: Text = ""
    candidate_answer: Text = ""


class Flips(Value):
    """How many questions of a prediction set got a worse and a better grade, and the worst of them first."""

    set: str = ""
    score: str
    lost: int
    gained: int
    redacted: bool = False
    questions: tuple[QuestionFlip, ...] = Field((), max_length=MOST_FLIPS)


ChangeKind = Literal["parameter", "data", "package", "source", "file"]


class Change(Value):
    """Something that differs between the two revisions: a parameter, a file, a package.

    A ``source`` is a file that the pipeline reads, a ``file`` one of which nothing says what it is for.
    """

    kind: ChangeKind
    name: str
    before: str | None = None
    after: str | None = None
    details: str = ""
    location: Location | None = None  # where the candidate writes it


# What a change can do to its own verdict: shown beside the run and the check as well, even where the verdict is passed.
ANNOTATED = frozenset(
    {
        "environment_changed",
        "evaluation_changed",
        "evaluation_parameters_changed",
        "first_policy",
        "hidden_code_changed",
        "invalid_baseline_policy",
        "not_reproduced",
        "other_test",
        "own_policy_changed",
        "parameters_differ",
        "pipeline_changed",
        "policy_changed",
        "rewritten_files",
        "run_cache",
        "settings_changed",
        "tests_changed",
        "unusable_baseline_policy",
        "workflow_changed",
    }
)


class Warning_(Value):  # noqa: N801  `Warning` is a builtin exception
    """A sentence that a reader must not miss, with a code that tests and tools can rely on."""

    code: str
    text: str
    location: Location | None = None  # where the candidate has what it is about


Side = Literal["baseline", "candidate"]
# Limits of what a chart may hold: a report may come from another job's artifact.
MOST_POINTS = 5000
MOST_PARTS = 40
MOST_CELLS = 64
MOST_BASE64 = 2_000_000
Matrix = Annotated[tuple[Annotated[tuple[int, ...], Field(max_length=MOST_CELLS)], ...], Field(max_length=MOST_CELLS)]


class CurveData(Value):
    """A line or a cloud of points in a chart: ``x`` and ``y`` of equal length, and the side it belongs to."""

    label: str
    side: Side | Literal[""] = ""
    x: tuple[Finite, ...] = Field(max_length=MOST_POINTS)
    y: tuple[Finite, ...] = Field(max_length=MOST_POINTS)

    @model_validator(mode="after")
    def _has_points(self) -> Self:
        if len(self.x) != len(self.y):
            raise ValueError("x and y must be equally long")
        return self


class ForestRow(Value):
    """One relative gate in the forest plot, in the unit of its metric.

    ``margin`` is the difference at which the loss is no longer allowed: -0.01 for ``max_drop: 0.01``.
    """

    label: str
    outcome: Outcome
    better: Direction
    difference: Finite
    low: Finite
    high: Finite
    simultaneous_low: Finite | None = None
    simultaneous_high: Finite | None = None
    margin: Finite


class ChartData(Value):
    """The data of one chart, enough to draw it again anywhere. ``kind`` names the drawing function.

    ``matrices`` and ``images`` (PNG in base64): one per side, in the order of ``sides``; ``labels`` names rows and
    columns. ``diagonal``: the line y = x is drawn as a reference. ``left_out``: how many rows ``forest`` leaves out.
    """

    name: str  # file name without suffix, unique in the report
    kind: Literal[
        "forest",
        "curves",
        "confusion",
        "calibration",
        "residuals",
        "scatter",
        "bars",
        "images",
        "shifts",
        "distributions",
        "history",
    ]
    title: str
    alt: str
    x_label: str = ""
    y_label: str = ""
    curves: tuple[CurveData, ...] = Field((), max_length=MOST_PARTS)
    labels: tuple[str, ...] = Field((), max_length=MOST_PARTS)
    matrices: tuple[Matrix, ...] = Field((), max_length=2)
    sides: tuple[Side, ...] = Field((), max_length=2)
    images: tuple[Annotated[str, Field(max_length=MOST_BASE64)], ...] = Field((), max_length=2)
    forest: tuple[ForestRow, ...] = Field((), max_length=MOST_PARTS)
    left_out: int = 0
    diagonal: bool = False
    x_range: tuple[Finite, Finite] | None = None
    y_range: tuple[Finite, Finite] | None = None
