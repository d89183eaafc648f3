"""Everything that speaks to GitHub, and nothing else does."""
