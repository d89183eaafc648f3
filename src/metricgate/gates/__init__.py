"""Gates in, outcomes and the verdict out. Pure: no clock, no network, no process, no environment."""
