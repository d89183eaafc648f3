"""Why MetricGate runs, and on which commit: read from environment and event, purely."""

from metricgate.trigger.event_reader import read_trigger
from metricgate.trigger.triggers import PullRequest, Trigger, TriggerKind, WorkflowRun

__all__ = ["PullRequest", "Trigger", "TriggerKind", "WorkflowRun", "read_trigger"]
