"""`metricgate history`: what the gate said about past pull requests, and what it would have blocked."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from metricgate.publish.github.past_checks import PastAnswer, PastCheck

DEFAULT_LAST = 100
SHOWN: tuple[tuple["PastAnswer", str], ...] = (("blocked", "would block"), ("error", "no verdict"))


@click.command(name="history")
@click.option("--repository", metavar="OWNER/NAME", help="Repository on GitHub; by default that of this checkout.")
@click.option(
    "--last", type=click.IntRange(1, 1000), default=DEFAULT_LAST, show_default=True, help="How many pull requests."
)
@click.option("--id", "id_", default="default", show_default=True, help="Name of the set-up, if there are several.")
def command(*, repository: str | None, last: int, id_: str) -> int:
    """Count what the gate blocked or would have blocked, with links to the pull requests.

    Reads the check runs on GitHub, with the token in GITHUB_TOKEN or GH_TOKEN. The exit code is 0.
    """
    from metricgate.publish.github.client import GitHubClient  # noqa: PLC0415  `--help` stays quick
    from metricgate.publish.github.past_checks import list_past_checks  # noqa: PLC0415
    from metricgate.settings.inputs import Inputs  # noqa: PLC0415

    host, name = find_repository(repository, os.environ)
    client = GitHubClient(token=_find_token(os.environ), api_url=_find_api(host, os.environ), repository=name)
    found = list(list_past_checks(client, Inputs(id=id_).check_name, last))
    click.echo(render_history([check for check in found if check], of=len(found), repository=name))
    return 0


def find_repository(given: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return host and ``OWNER/NAME``: as given, of this job, or of the checkout's origin.

    Raises
    ------
    ConfigurationError
        If nothing names a repository.
    """
    from metricgate.errors import ConfigurationError  # noqa: PLC0415

    address = given or environ.get("GITHUB_REPOSITORY") or _read_origin()
    match = re.fullmatch(r"(?:.*?([\w.-]+)[:/])?([\w.-]+/[\w.-]+?)(?:\.git)?/?", address)
    if match is None:
        raise ConfigurationError(
            f"The repository {address!r} is not on GitHub." if address else "This checkout has no remote `origin`.",
            expected="a repository on GitHub.",
            fix="Name it: `--repository OWNER/NAME`.",
            topic="no-repository-on-github-or-no-token",
        )
    return match[1] or "github.com", match[2]


def _read_origin() -> str:
    from metricgate.revisions.checkout import Checkout  # noqa: PLC0415

    found = Checkout.open(Path.cwd()).run_git("remote", "get-url", "origin")
    return found.stdout.decode(errors="replace").strip()


def _find_token(environ: Mapping[str, str]) -> str:
    from metricgate.errors import ConfigurationError  # noqa: PLC0415

    token = environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN")
    if not token:
        raise ConfigurationError(
            "There is no token for GitHub.",
            expected="GITHUB_TOKEN or GH_TOKEN, which may read pull requests and checks.",
            fix='Run `export GH_TOKEN="$(gh auth token)"` first.',
            topic="no-repository-on-github-or-no-token",
        )
    return token


def _find_api(host: str, environ: Mapping[str, str]) -> str:
    own = "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"
    return environ.get("GITHUB_API_URL") or own


def render_history(checks: Sequence["PastCheck"], *, of: int, repository: str) -> str:
    """Return one sentence of counts, and each pull request that was or would have been blocked."""
    from metricgate.report.escape import clean, plain_name  # noqa: PLC0415
    from metricgate.report.number_format import plural  # noqa: PLC0415

    counts = {answer: sum(check.answer == answer for check in checks) for answer in ("blocked", "undecided", "error")}
    first = (
        f"{repository}: would have blocked {counts['blocked']} of {len(checks)} judged pull requests; "
        f"{counts['undecided']} undecided, {counts['error']} without a verdict. "
        f"{plural(of, 'pull request')} read."
    )
    lines = [first]
    for answer, word in SHOWN:
        for check in (check for check in checks if check.answer == answer):
            merged = ", merged" if check.merged else ""
            lines.append(f"\n{word}  #{check.number} {plain_name(check.title)}{merged}")
            lines += [f"  {clean(check.headline)}", f"  {clean(check.url)}"]
    return "\n".join(lines)
