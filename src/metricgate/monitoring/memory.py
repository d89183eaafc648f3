"""What earlier watching runs found: the last 60, in a small Git ref.

``refs/metricgate/monitor/ID`` points to a commit without parents whose tree holds ``runs.json``. It is on origin where
the run may write there, or in the clone of a person at a terminal.
"""

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field, ValidationError

from metricgate.models.base import Finite, Value
from metricgate.models.outcome import Outcome, Verdict
from metricgate.results.retention import MAX_JSON_BYTES
from metricgate.revisions.ancestry import fetch_ref
from metricgate.revisions.checkout import Checkout

MONITOR = "refs/metricgate/monitor"
MOST_RUNS = 60
MOST_EFFECTS = 1500  # of a run: the furthest ones
_IDENTITY = ("-c", "user.name=MetricGate", "-c", "user.email=metricgate@users.noreply.github.com")


class PastEffect(Value):
    """One gate of a past run: an effect of a feature, or a metric."""

    feature: str = ""
    metric: str
    source: str
    outcome: Outcome
    value: Finite | None = None
    low: Finite | None = None
    high: Finite | None = None
    bound: Finite


class PastRun(Value):
    """A watching run: when, on which data, of which model, and what it found."""

    at: datetime
    data: str  # a hash of the current rows
    model: str  # a hash of what they were compared with, and how
    first_seen: datetime  # when a run first saw this data
    verdict: Verdict
    headline: str
    exit_code: int
    effects: tuple[PastEffect, ...] = Field((), max_length=MOST_EFFECTS)


class WatchMemory(Value):
    """The runs of one set-up, the oldest first."""

    runs: tuple[PastRun, ...] = Field((), max_length=MOST_RUNS)

    def add(self, run: PastRun) -> "WatchMemory":
        """Return the memory with one more run, and the oldest forgotten."""
        return WatchMemory(runs=(*self.runs, run)[-MOST_RUNS:])

    def encode(self) -> bytes:
        """Return the memory as JSON that can be read again: of wide tables, runs keep their furthest effects only."""
        for most in (MOST_EFFECTS, 300, 60, 0):
            runs = tuple(run.model_copy(update={"effects": run.effects[:most]}) for run in self.runs)
            found = WatchMemory(runs=runs).model_dump_json().encode()
            if len(found) <= MAX_JSON_BYTES:
                break
        return found

    @property
    def last(self) -> PastRun | None:
        return self.runs[-1] if self.runs else None


@dataclass(frozen=True, kw_only=True)
class WatchRef:
    """Where the memory of one set-up lies; ``is_shared``: on origin."""

    checkout: Checkout
    id: str
    is_shared: bool

    @property
    def name(self) -> str:
        return f"{MONITOR}/{self.id}"

    def read(self) -> WatchMemory:
        """Return what is remembered; nothing where there is no ref, or one that cannot be understood."""
        sha = fetch_ref(self.checkout, self.name) if self.is_shared else self.checkout.find_commit(self.name)
        found = self.checkout.run_git("cat-file", "-s", f"{sha}:runs.json") if sha else None
        if found is None or found.returncode != 0 or int(found.stdout) > MAX_JSON_BYTES:
            return WatchMemory()
        try:
            return WatchMemory.model_validate_json(self.checkout.git("cat-file", "blob", f"{sha}:runs.json"))
        except ValidationError:
            return WatchMemory()

    def write(self, memory: WatchMemory) -> str:
        """Keep the memory; return why it could not be kept, if it could not."""
        blob = self.checkout.write_blob(memory.encode())
        tree = self.checkout.make_tree({"runs.json": blob})
        commit = self.checkout.git(*_IDENTITY, "commit-tree", tree, "-m", f"What watching {self.id} found")
        self.checkout.git("update-ref", self.name, commit)
        if not self.is_shared:
            return ""
        words = self.checkout.push(f"+{commit}:{self.name}")
        return "" if words is None else f"this run could not be kept under {self.name}: {words}"
