"""The first five minutes: what a repository has, the files to start from, and what would stop a first run."""
