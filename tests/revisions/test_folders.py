"""Folders around a path that a command names."""

from itertools import islice

import pytest

from metricgate.revisions.dvc_yaml import list_folders


@pytest.mark.parametrize(
    ("path", "folders"),
    [
        ("evals/data/a.csv", ["evals/data", "evals"]),
        ("/usr/bin/python", ["/usr/bin", "/usr", "/"]),
        ("//server/share", ["//server", "//"]),
        ("a.csv", []),
    ],
)
def test_folders_end_at_the_root(path: str, folders: list[str]) -> None:
    assert list(islice(list_folders(path), 9)) == folders
