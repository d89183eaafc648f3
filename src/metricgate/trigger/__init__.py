"""Why MetricGate runs, and on which commit: read from environment and event, purely."""

from metricgate.trigger.value import PullRequest, Trigger, TriggerKind

__all__ = ["PullRequest", "Trigger", "TriggerKind"]
