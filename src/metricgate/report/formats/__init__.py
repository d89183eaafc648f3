"""The report as Markdown, HTML, JSON, terminal text and annotations."""
