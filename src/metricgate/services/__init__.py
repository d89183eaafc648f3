"""Requests to services other than GitHub: one client, with a deadline for each call."""
