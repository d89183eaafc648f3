"""The report value and its views: Markdown, HTML, charts, terminal lines."""
