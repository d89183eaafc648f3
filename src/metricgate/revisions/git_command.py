"""How MetricGate runs Git: as the checkout's owner, without questions, with the action's token where needed."""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from metricgate.errors import WorkspaceError
from metricgate.processes.command import capture_command, scrub_environment
from metricgate.processes.owner import Owner


@dataclass(frozen=True)
class Access:
    """The action's token for the Git server, used only where the checkout's own credentials do not suffice."""

    token: str = field(default="", repr=False)
    server_url: str = "https://github.com"

    def environment(self) -> dict[str, str]:
        """Return Git's configuration for one command, so that the token is in no file and no argument."""
        basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
        header = f"http.{self.server_url}/.extraheader"
        first = int(os.environ.get("GIT_CONFIG_COUNT", "0"))
        # The empty value drops what the checkout configured: two such headers are refused.
        values = {first: "", first + 1: f"AUTHORIZATION: basic {basic}"}
        settings = {"GIT_CONFIG_COUNT": str(first + len(values))}
        for number, value in values.items():
            settings |= {f"GIT_CONFIG_KEY_{number}": header, f"GIT_CONFIG_VALUE_{number}": value}
        return settings


def run_git(
    args: Sequence[str],
    cwd: Path,
    owner: Owner | None,
    environment: Mapping[str, str] | None = None,
    *,
    request: bytes = b"",
) -> CompletedProcess[bytes]:
    """Run Git in ``cwd`` as ``owner`` with ``request`` as its input; return how it ended, whatever that was."""
    # Some messages are matched, and no person can answer a question.
    plain = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    home = owner.environment(os.environ.get("HOME", "/")) if owner else {}
    env = scrub_environment(os.environ) | plain | home | dict(environment or {})
    return capture_command(["git", *args], cwd=cwd, env=env, owner=owner, request=request)


def read_git_error(result: CompletedProcess[bytes]) -> str:
    return result.stderr.decode(errors="replace").strip()


def explain_git_failure(args: Sequence[str], result: CompletedProcess[bytes]) -> WorkspaceError:
    return WorkspaceError(
        f"`git {' '.join(args)}` failed.",
        expected="a healthy Git repository.",
        fix="run the command in the checkout and fix what it reports.",
        details=read_git_error(result),
    )


def explain_unopened(directory: Path, words: str) -> WorkspaceError:
    """Return why Git does not open the work tree around ``directory``; ``words`` is what it printed."""
    if "dubious ownership" in words:
        return WorkspaceError(
            f"Git refuses {directory}: the folder belongs to another user.",
            expected="a checkout owned by the user who runs MetricGate, or trusted by Git.",
            fix=f"run `git config --global --add safe.directory {directory}`.",
            details=words,
        )
    return WorkspaceError(
        f"{directory} is not in a Git repository.",
        expected="a folder inside a Git work tree.",
        fix="run MetricGate inside the repository, or check it out first (actions/checkout).",
        details=words,
    )
