"""The views of a report: Markdown, HTML, JSON, check run, terminal text."""
