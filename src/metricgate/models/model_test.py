"""The team's own tests of a model: what each said on both revisions, in the form of report.json."""

from typing import Annotated, Literal

from pydantic import Field

from metricgate.models.base import Finite, Value
from metricgate.models.result import Location

ModelTestOutcome = Literal["passed", "failed", "skipped"]
ModelTestState = Literal["passed", "failed", "skipped", "absent", "unknown"]
"""An outcome on one revision; ``absent``: there is no such test there, ``unknown``: none ran there."""
MOST_TESTS = 5000
MOST_SHOWN = 300


class ModelTest(Value):
    """One test as JUnit XML reports it.

    ``name`` is unique in its file: ``tests.model.test_churn::test_accuracy[2024]``. ``file`` and ``line`` are those of
    the XML, where it has them.
    """

    name: str
    outcome: ModelTestOutcome
    message: str = ""  # the first line of why it failed or was skipped
    file: str = ""
    line: int | None = None


class ModelTestRow(Value):
    """One test on both revisions. ``location`` is where the candidate defines it."""

    name: str
    words: str  # the name as people read it
    before: ModelTestState
    after: ModelTestState
    message: str = ""
    location: Location | None = None


class ModelTestReport(Value):
    """The tests of both revisions: the most telling rows first, and how many there are of all.

    ``problem`` says why nothing is known of a side, and ``details`` has the last lines of what it wrote (untrusted).
    """

    command: str
    rows: Annotated[tuple[ModelTestRow, ...], Field(max_length=MOST_SHOWN)] = ()
    tests: int = 0  # of the candidate
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: Finite | None = None
    baseline: Literal["run", "stored", "none", "unknown"] = "none"
    problem: str = ""
    details: str = ""


def spell_test(name: str) -> str:
    """Return a test's name as people read it: ``test_accuracy_is_kept[2024]`` is ``accuracy is kept [2024]``."""
    own = name.rpartition("::")[2] or name
    bare, bracket, case = own.partition("[")
    if not bare.startswith("test_"):
        return own
    return bare.removeprefix("test_").replace("_", " ").strip() + (f" [{case}" if bracket else "")
