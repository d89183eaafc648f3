"""Watching a released model: fresh rows, predictions and performance against what it was released on."""
