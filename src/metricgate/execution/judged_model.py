"""Keeps the model that a run on the default branch judged, for a model registry."""

import configparser
import hashlib
from pathlib import Path

from metricgate.context import RunContext
from metricgate.execution.file_copies import FileOrigin, copy_out, open_folder
from metricgate.execution.work_tree import WorkTree
from metricgate.models.judged_model import FOLDER, JudgedModel
from metricgate.models.snapshot import Snapshot
from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import Policy

_REGISTRABLE = ("s3://", "gs://")  # remotes whose addresses MLflow takes as they are


def keep_model(
    context: RunContext, policy: Policy, candidate: Snapshot, baseline: Snapshot | None, folder: Path
) -> None:
    """Copy the candidate's model, as `evaluation.model` names it, into ``folder``.

    Raises
    ------
    WorkspaceError
        If it is neither here nor in DVC's cache or remote.
    """
    if policy.evaluation is None:
        return
    checkout, path = context.checkout, policy.evaluation.model
    origin = FileOrigin.of_candidate(checkout, candidate, policy.pipeline)
    with context.progress.step("Keep the model"), open_folder(checkout, origin) as directory:
        tree = WorkTree(
            context=context,
            directory=directory,
            files=context.scratch / "model",
            name="model",
            shares_with=None if directory == checkout.directory else checkout.directory,
        )
        target = tree.make_folder(folder / FOLDER) / Path(path).name
        copy_out(tree, origin, {path: target}, timeout_s=context.timeout_s)
    digest = _find_digest(candidate, path) or (_hash(target.read_bytes()) if target.is_file() else "")
    kept = JudgedModel(
        name=target.name,
        commit=checkout.head_sha,
        digest=digest,
        baseline_digest=_find_baseline_digest(checkout, baseline, path) if baseline else "",
        remote=_name_remote(checkout.directory, digest),
    )
    kept.write(folder)


def _find_digest(snapshot: Snapshot, path: str) -> str:
    return snapshot.hash_of(path) or ""


def _find_baseline_digest(checkout: Checkout, baseline: Snapshot, path: str) -> str:
    found = _find_digest(baseline, path)
    if found or baseline.info.revision is None:
        return found
    content = checkout.read_bytes(baseline.info.revision, path)
    return "" if content is None else _hash(content)


def _hash(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _name_remote(directory: Path, digest: str) -> str:
    """Return the address of a file in the project's default remote, where DVC names objects by their hashes."""
    if len(digest) != 32:
        return ""
    config = configparser.RawConfigParser(strict=False)
    try:
        config.read([directory / ".dvc/config", directory / ".dvc/config.local"], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return ""
    remote = config.get("core", "remote", fallback="")
    section = f"'remote \"{remote}\"'"
    url = config.get(section, "url", fallback="").rstrip("/")
    is_plain = not any(config.has_option(section, key) for key in ("version_aware", "worktree"))
    return f"{url}/files/md5/{digest[:2]}/{digest[2:]}" if is_plain and url.startswith(_REGISTRABLE) else ""
