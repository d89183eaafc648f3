"""`metricgate history`: what would have been blocked, as the checks on GitHub say."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from metricgate.cli import commands
from metricgate.cli.history import find_repository
from metricgate.errors import ConfigurationError
from metricgate.models.outcome import Verdict
from metricgate.report.headline import headline
from metricgate.report.value import Report
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.job import make_report
from tests.github.state import CheckRun


def add_check(fake: FakeGitHub, number: int, report: Report, *, merged: bool = False) -> None:
    sha = f"{number:040x}"
    pull_request = fake.open_pull_request(number, sha)
    pull_request.merged_at = "2026-11-01T12:00:00Z" if merged else None
    pull_request.title = f"Change {number}\x1b[31m"
    fake.check_runs.append(
        CheckRun(fake.next_number(), "MetricGate", sha, "completed", "neutral", title=headline(report))
    )


def ask(fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, *options: str) -> Result:
    monkeypatch.setenv("GITHUB_API_URL", fake.url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return CliRunner().invoke(
        commands, ["history", "--repository", REPOSITORY, *options], standalone_mode=False, catch_exceptions=False
    )


def test_it_counts_what_would_have_been_blocked_and_links_it(
    fake_github: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    unenforced = make_report(Verdict.FAILED).model_copy(update={"enforced": False})
    add_check(fake_github, 1, unenforced, merged=True)
    add_check(fake_github, 2, make_report(Verdict.FAILED))
    add_check(fake_github, 3, make_report())
    add_check(fake_github, 4, make_report(Verdict.INCONCLUSIVE))
    add_check(fake_github, 5, make_report(Verdict.ERROR))
    fake_github.open_pull_request(6, "f" * 40)

    done = ask(fake_github, monkeypatch)

    first, *rest = done.output.splitlines()
    assert first == (
        f"{REPOSITORY}: would have blocked 2 of 5 judged pull requests; 1 undecided, 1 without a verdict. "
        "6 pull requests read."
    )
    assert [line for line in rest if line.startswith(("would block", "no verdict"))] == [
        "would block  #2 Change 2⟨U+001B⟩[31m",
        "would block  #1 Change 1⟨U+001B⟩[31m, merged",
        "no verdict  #5 Change 5⟨U+001B⟩[31m",
    ]
    assert "  Would block: because" in rest
    assert f"  https://github.example/{REPOSITORY}/pull/1" in rest
    assert fake_github.writes == []


def test_only_the_last_ones_are_read(fake_github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        add_check(fake_github, number, make_report(Verdict.FAILED))

    done = ask(fake_github, monkeypatch, "--last", "2")

    assert "would have blocked 2 of 2 judged pull requests" in done.output
    assert "#1 " not in done.output


def test_without_a_token_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(ConfigurationError) as caught:
        CliRunner().invoke(
            commands, ["history", "--repository", REPOSITORY], standalone_mode=False, catch_exceptions=False
        )

    assert "gh auth token" in caught.value.fix


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("acme/churn", ("github.com", "acme/churn")),
        ("https://github.com/acme/churn.git", ("github.com", "acme/churn")),
        ("git@github.com:acme/churn.git", ("github.com", "acme/churn")),
        ("ssh://git@git.acme.example/acme/churn", ("git.acme.example", "acme/churn")),
    ],
)
def test_the_repository_is_that_of_the_origin(
    address: str, expected: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (["init", "--quiet"], ["remote", "add", "origin", address]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "--quiet", "--allow-empty", "-m", "x"],
        cwd=tmp_path,
        check=True,
    )
    monkeypatch.chdir(tmp_path)

    assert find_repository(None, {}) == expected
    assert find_repository(address, {}) == expected


def test_what_is_no_repository_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        find_repository("churn", {})
