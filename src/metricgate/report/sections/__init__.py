"""The parts of a report, each a function from the report to text."""
