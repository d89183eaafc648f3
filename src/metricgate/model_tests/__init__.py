"""The team's own tests of the model: run on both revisions, read from JUnit XML, and judged test by test."""
