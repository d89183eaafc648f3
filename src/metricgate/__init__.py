"""MetricGate: a merge gate for models."""

__version__ = "1.0.0"
