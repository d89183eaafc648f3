"""The file that the policy's `proof` names, as the candidate has it, by its hash."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from metricgate.context import RunContext
from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.execution.file_copies import FileOrigin, fetch_files
from metricgate.execution.work_tree import WorkTree
from metricgate.models.proof import JudgedModel
from metricgate.models.snapshot import Snapshot
from metricgate.settings.policy import Policy
from metricgate.settings.proof import ProofSpec


def hash_model(
    context: RunContext, spec: ProofSpec, policy: Policy, candidate: Snapshot, *, judged_by: tuple[str, str | None]
) -> JudgedModel:
    """Return the model's hash, or why there is none; ``policy`` is the candidate's own.

    ``judged_by`` is the name of the policy that judges, and its text.
    """
    name, text = judged_by
    found = JudgedModel(
        path=spec.model,
        sha256="",
        policy=name,
        policy_sha256="" if text is None else hashlib.sha256(text.encode()).hexdigest(),
        judged=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    checkout = context.checkout
    tree = WorkTree(context=context, directory=checkout.directory, files=context.scratch / "proof", name="proof")
    try:
        origin = FileOrigin.of_candidate(checkout, candidate, policy.pipeline)
        (file,) = fetch_files(tree, origin, (spec.model,))
        return found.model_copy(update={"sha256": hash_file(file)})
    except TimeLimitError:
        raise
    except (WorkspaceError, OSError) as error:
        said = error.what if isinstance(error, WorkspaceError) else f"{spec.model} is not a file that can be read."
        return found.model_copy(update={"problem": f"There is no statement to deploy by. {said}"})


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file; raises OSError for a folder, and for what cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
