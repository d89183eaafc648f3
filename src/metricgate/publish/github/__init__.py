"""All code that talks to GitHub."""
