"""Continuous training with the gate in it: is the model due, does a retrained one pass, and who is asked to merge it."""
