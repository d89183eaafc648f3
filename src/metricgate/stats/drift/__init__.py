"""Two-sample effects: how far fresh rows lie from the reference, with bounds to hold against a margin."""
