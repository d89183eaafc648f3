"""The report as one value, and its views: Markdown, HTML, JSON, charts, terminal text."""
