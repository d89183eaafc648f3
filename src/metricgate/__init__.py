"""MetricGate: a merge gate for models."""

__version__ = "0.1.0"
