"""Bring a report to where people look: files, job summary, annotations, outputs, and GitHub."""
