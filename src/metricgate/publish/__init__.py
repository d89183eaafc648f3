"""Brings a report to where people look: the report folder, and destinations such as the runner and GitHub."""
