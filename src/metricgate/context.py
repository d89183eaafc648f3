"""What every part of a run shares: made once, and passed as one value."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from metricgate.processes.progress import Progress
from metricgate.revisions.checkout import Checkout
from metricgate.settings.mlflow import MlflowAccess


@dataclass
class Traffic:
    """Bytes that a run pulled from DVC's remote."""

    pulled: int = 0


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """Where a run works, whom it tells, and how far it may go.

    Attributes
    ----------
    scratch : an empty folder that lives as long as the run
    logs : the folder of the processes' logs
    timeout_s : wall time in seconds for each run of a pipeline, a command or an installation
    reproduce : whether a pipeline may be run
    baseline_results : where the baseline's results may come from
    traffic : what was pulled so far
    mlflow : the server that has the runs which predictions may lie in
    use_active : let stages use the active environment, where it satisfies what the policy asks for
    reuse_stored : use the results of a run on the default branch for a candidate whose pipeline has the same inputs
    """

    checkout: Checkout
    progress: Progress
    logs: Path
    scratch: Path
    timeout_s: float | None = None
    reproduce: Literal["if-needed", "never"] = "if-needed"
    baseline_results: Literal["auto", "stored", "reproduce"] = "auto"
    use_active: bool = False
    reuse_stored: bool = False
    traffic: Traffic = field(default_factory=Traffic)
    mlflow: MlflowAccess = field(default_factory=MlflowAccess)
