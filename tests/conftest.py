"""What every test shares: an environment that no machine or platform has a say in, and the churn project."""

import os

import pytest

pytest_plugins = ["tests.churn", "tests.projects", "tests.stats.calibration.table"]

PLATFORM_PREFIXES = ("GITHUB_", "INPUT_", "RUNNER_", "ACTIONS_", "STATE_", "GIT_", "DVC_", "AWS_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(PLATFORM_PREFIXES) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    # Stages that train in parallel while tests run in parallel wait for each other more than they compute.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # A developer's own Git settings (signing, hooks, default branch) must not change a test.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
