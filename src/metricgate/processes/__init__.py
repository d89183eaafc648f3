"""The only room that starts a process: its environment, owner, time limit and output."""
