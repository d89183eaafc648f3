"""DVC, in a process of its own: stages inherit its environment, its output and its signals, never MetricGate's."""
