"""Fixtures of the retraining's tests."""

from tests.retraining.projects import make_project, project, retrain_template

__all__ = ["make_project", "project", "retrain_template"]
