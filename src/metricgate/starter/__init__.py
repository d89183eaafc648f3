"""The first five minutes: what a repository has, the files to start from, and what a first run would trip over."""
