"""Fixtures of the retraining's tests."""

from tests.github.fixtures import fake_github, make_client
from tests.retraining.projects import make_project, project, retrain_template

__all__ = ["fake_github", "make_client", "make_project", "project", "retrain_template"]
