"""When files of the project were last changed before a commit."""

from datetime import UTC, datetime

from metricgate.revisions.checkout import Checkout

_DEEPEN_BY = (50, 500, 5000)


def find_last_change(checkout: Checkout, sha: str, *patterns: str) -> datetime | None:
    """Return when the last commit up to ``sha`` changed a file of the project; None if none of them ever existed.

    ``patterns`` are globs relative to the project. A shallow clone is deepened until its end does not decide.
    """
    paths = [f":(top,glob){checkout.prefix}{pattern}" for pattern in patterns]
    for count in (*_DEEPEN_BY, None):
        found = checkout.git("log", "-1", "--format=%H %ct", sha, "--", *paths)
        commit, _, seconds = found.partition(" ")
        if not checkout.is_shallow or (commit and not checkout.is_cut_off(commit)):
            return datetime.fromtimestamp(int(seconds), UTC) if commit else None
        failed = checkout.fetch("--unshallow" if count is None else f"--deepen={count}", sha)
        if failed is not None:
            break
    return datetime.fromtimestamp(int(seconds), UTC) if commit else None


def find_date(checkout: Checkout, sha: str) -> datetime:
    """Return when a commit was made."""
    return datetime.fromtimestamp(int(checkout.git("log", "-1", "--format=%ct", sha)), UTC)
