"""Values that pass between the rooms. Frozen; no I/O, no decisions."""
