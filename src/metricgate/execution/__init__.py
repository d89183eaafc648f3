"""How a revision's results are produced, and what was produced as a snapshot."""
