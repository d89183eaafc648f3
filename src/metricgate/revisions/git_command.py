"""How MetricGate runs Git: as the checkout's owner, without questions, with the action's token where needed."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import urlsplit

from metricgate.errors import WorkspaceError
from metricgate.processes.command import capture_command, scrub_environment
from metricgate.processes.owner import Owner

# Git runs programs that `.git/config` and `.git/hooks` name, which an earlier step of the job, or an earlier job on a
# machine of one's own, may have written. Neither a hook nor a file watcher has a part in what MetricGate asks of Git.
_OWN_SETTINGS = (("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"))
# No program at all beside a request with the token: what could be one is switched off, or not a request over HTTP.
_WITH_TOKEN = (
    ("core.alternateRefsCommand", "true"),
    ("core.askPass", ""),
    ("credential.helper", ""),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.gpgSign", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("http.sslVerify", "true"),
)
_ONLY_HTTP = {"GIT_ALLOW_PROTOCOL": "http:https", "GIT_ASKPASS": "", "GIT_NO_LAZY_FETCH": "1"}
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Access:
    """The action's token for the Git server, used only where the checkout's own credentials do not suffice."""

    token: str = field(default="", repr=False)
    server_url: str = "https://github.com"

    def is_for(self, address: str) -> bool:
        """Return whether ``address`` is an HTTP address below the server's: the token is offered to no other."""
        try:
            origin, server = urlsplit(address), urlsplit(self.server_url)
            places = [(url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)) for url in (origin, server)]
        except ValueError:  # a port that is no number
            return False
        below = origin.path.startswith(server.path.rstrip("/") + "/")
        return bool(self.token) and origin.scheme in _PORTS and places[0] == places[1] and below

    def settings(self) -> tuple[tuple[str, str], ...]:
        """Return Git's settings for one request, so that the token is in no file and no argument."""
        basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        header = f"http.{self.server_url}/.extraheader"
        # The empty value drops what the checkout configured: two such headers are refused.
        return (*_WITH_TOKEN, (header, ""), (header, f"AUTHORIZATION: basic {basic}"))


def run_git(
    args: Sequence[str],
    cwd: Path,
    owner: Owner | None,
    access: Access | None = None,
    *,
    request: bytes = b"",
) -> CompletedProcess[bytes]:
    """Run Git in ``cwd`` as ``owner`` with ``request`` as its input; return how it ended, whatever that was.

    With ``access`` its token is offered to the server, and Git runs no program but its own.
    """
    # Some messages are matched, and no person can answer a question.
    plain = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    home = owner.environment(os.environ.get("HOME", "/")) if owner else {}
    settings = (*_OWN_SETTINGS, *(access.settings() if access else ()))
    env = scrub_environment(os.environ) | plain | home | (_ONLY_HTTP if access else {}) | _configure(settings)
    return capture_command(["git", *args], cwd=cwd, env=env, owner=owner, request=request)


def _configure(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return variables that set Git's configuration for one command, after those that are set already."""
    first = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
    variables = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, start=first):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def read_git_error(result: CompletedProcess[bytes]) -> str:
    return result.stderr.decode(errors="replace").strip()


def explain_git_failure(args: Sequence[str], result: CompletedProcess[bytes]) -> WorkspaceError:
    return WorkspaceError(
        f"`git {' '.join(args)}` failed.",
        expected="a healthy Git repository.",
        fix="run the command in the checkout and fix what it reports.",
        details=read_git_error(result),
        topic="git-failed",
    )


def explain_unopened(directory: Path, words: str) -> WorkspaceError:
    """Return why Git does not open the work tree around ``directory``; ``words`` is what it printed."""
    if "dubious ownership" in words:
        return WorkspaceError(
            f"Git refuses {directory}: the folder belongs to another user.",
            expected="a checkout owned by the user who runs MetricGate, or trusted by Git.",
            fix=f"run `git config --global --add safe.directory {directory}`.",
            details=words,
            topic="the-folder-belongs-to-another-user",
        )
    return WorkspaceError(
        f"{directory} is not in a Git repository.",
        expected="a folder inside a Git work tree.",
        fix="run MetricGate inside the repository, or check it out first (actions/checkout).",
        details=words,
        topic="not-a-git-repository",
    )
