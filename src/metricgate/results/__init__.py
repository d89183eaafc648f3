"""Results kept between runs: in Git refs and in the workspace."""
