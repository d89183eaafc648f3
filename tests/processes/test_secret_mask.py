"""Secrets are hidden in what a process writes."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metricgate.processes.command import run_command
from metricgate.processes.secret_mask import HIDDEN, Mask, MaskedOutput

SECRET = "wJalrXUtnFEMI/K7MDENG"
TOKEN = "ghs_424242_" + "abcDEF.123-" * 5


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "INPUT_GITHUB-TOKEN", "db_password", "AZURE_STORAGE_CONNECTION_STRING"]
)
def test_a_value_whose_name_says_secret_is_hidden(name: str) -> None:
    assert Mask.of({name: SECRET, "PATH": "/usr/bin/long"}).hide(f"<{SECRET}> /usr/bin/long") == "<***> /usr/bin/long"


def test_what_other_services_are_reached_with_is_hidden() -> None:
    mask = Mask.of(
        {
            "CHAT_WEBHOOK_URL": "https://chat.example/T00/B00/long",
            "SLACK_SIGNING": "8f742231b10e8888abcd",
            "MLFLOW_TRACKING_URI": "http://mlflow.internal:5000",
            "MLFLOW_EXPERIMENT_NAME": "churn model",
            "DATABASE_URL": "postgresql://ann:p%40ssword99@db/churn",
            "https_proxy": "http://ann:proxy-password@proxy:3128",
        }
    )

    assert (
        mask.hide("https://chat.example/T00/B00/long 8f742231b10e8888abcd http://mlflow.internal:5000") == "*** *** ***"
    )
    assert mask.hide("p%40ssword99, p@ssword99, proxy-password") == "***, ***, ***"
    assert mask.hide("a churn model") == "a churn model"


def test_each_line_of_a_secret_is_hidden_and_short_values_are_not() -> None:
    mask = Mask.of({"DEPLOY_TOKEN": "first line of it\nsecond line of it\nend", "NO_TOKEN": "true"})

    assert mask.hide("second line of it, true, end") == "***, true, end"


def test_githubs_tokens_are_hidden_without_being_told() -> None:
    assert Mask().hide(f"Authorization: token {TOKEN}\n") == f"Authorization: token {HIDDEN}\n"


def test_texts_inside_a_report_are_hidden_and_numbers_stay() -> None:
    mask = Mask.of({"A_SECRET": "12345678"})

    assert mask.hide_in({"12345678": ["x12345678", 12345678, None]}) == {"12345678": [f"x{HIDDEN}", 12345678, None]}


@given(st.lists(st.integers(0, 120), max_size=12))
def test_no_way_of_cutting_the_output_shows_a_secret(cuts: list[int]) -> None:
    text = f"a{SECRET[:5]} b{SECRET}c {TOKEN} {SECRET}{SECRET} {SECRET[:-1]}"
    seen: list[str] = []
    output = MaskedOutput(Mask.of({"MY_SECRET": SECRET}), seen.append)

    bounds = [0, *sorted(cuts), len(text)]
    for start, end in pairwise(bounds):
        output(text[start:end])
    output.flush()

    assert "".join(seen) == f"a{SECRET[:5]} b***c *** ****** {SECRET[:-1]}"


def test_a_process_that_prints_a_secret_leaves_it_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    seen: list[str] = []
    code = f"import sys; sys.stdout.write({SECRET[:9]!r}); sys.stdout.flush(); print({SECRET[9:]!r})"

    done = run_command([sys.executable, "-c", code], cwd=tmp_path, env={}, log=tmp_path / "log", output=seen.append)

    assert "".join(seen) == "***\n"
    assert done.output == "***"
    assert (tmp_path / "log").read_text(encoding="utf-8") == "***\n"
