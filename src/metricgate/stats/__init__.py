"""Metrics with their influence values, paired differences, intervals and simultaneous bounds. No I/O, no decisions."""
