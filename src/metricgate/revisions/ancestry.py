"""History that a shallow clone lacks: no more is fetched than needed, and a full clone never becomes shallow."""

from metricgate.revisions.checkout import Checkout

# The number of commits that each fetch adds; most pull requests are shorter than the first.
_DEEPEN_BY = (10, 40, 160, 640, 2560)


def fetch_commit(checkout: Checkout, name: str) -> str | None:
    """Return the SHA of a commit, branch or tag, fetched from origin if it is not here; None if origin lacks it too.

    A full ``refs/heads/…`` is fetched first: the local one may be old.
    """
    is_branch = name.startswith("refs/")
    if not is_branch and (here := checkout.find_commit(name)):
        return here
    for source in (name,) if is_branch else (name, f"refs/heads/{name}", f"refs/tags/{name}"):
        target = f"refs/metricgate/fetched/{source.replace('refs/', '', 1)}"
        # `--depth` in a full clone would make it shallow.
        depth = ("--depth=1",) if checkout.is_shallow else ()
        if checkout.fetch(*depth, f"+{source}:{target}") is None:
            return checkout.find_commit(target)
    return checkout.find_commit(name.replace("refs/heads/", "refs/remotes/origin/")) if is_branch else None


def fetch_ref(checkout: Checkout, ref: str) -> str | None:
    """Return the commit that origin's ``ref`` points to now, fetched; None if origin does not have it."""
    depth = ("--depth=1",) if checkout.is_shallow else ()
    if checkout.fetch(*depth, f"+{ref}:{ref}") is not None:
        return None
    return checkout.find_commit(ref)


def find_merge_base(checkout: Checkout, tip: str) -> str | None:
    """Return the best common ancestor of HEAD and ``tip``; None if there is none."""
    base = _merge_base_here(checkout, tip)
    for count in _DEEPEN_BY:
        if base is not None or not checkout.is_shallow:
            return base
        checkout.fetch(f"--deepen={count}", checkout.head_sha, tip)
        base = _merge_base_here(checkout, tip)
    if base is None and checkout.is_shallow:
        checkout.fetch("--unshallow", checkout.head_sha, tip)
        base = _merge_base_here(checkout, tip)
    return base


def _merge_base_here(checkout: Checkout, tip: str) -> str | None:
    result = checkout.run_git("merge-base", checkout.head_sha, tip)
    return result.stdout.decode().strip() if result.returncode == 0 else None
