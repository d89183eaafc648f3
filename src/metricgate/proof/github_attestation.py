"""Statements that GitHub's attestations signed, verified by GitHub's own `gh attestation verify`.

Sigstore's certificates, timestamps and logs are its matter. It is given the identity to demand, and works offline with
a bundle and a trusted root.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metricgate.errors import WorkspaceError
from metricgate.processes.command import capture_command
from metricgate.proof.envelope import ProofError
from metricgate.report.formats.statement import PREDICATE_TYPE

WITHIN_S = 120


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who must have signed: a repository, and in it a workflow (``OWNER/NAME/.github/workflows/FILE``) and a ref."""

    repository: str
    workflow: str = ""
    ref: str = ""


def verify_attestation(model: Path, signer: Signer, *, bundle: Path | None, root: Path | None) -> list[dict[str, Any]]:
    """Return the statements about a file that GitHub's attestations prove.

    Raises
    ------
    ProofError
        If there is none, or `gh` cannot be run.
    """
    options = {
        "--repo": signer.repository,
        "--signer-workflow": signer.workflow,
        "--source-ref": signer.ref,
        "--bundle": str(bundle) if bundle else "",
        "--custom-trusted-root": str(root) if root else "",
    }
    given = [part for name, value in options.items() if value for part in (name, value)]
    command = [
        "gh",
        "attestation",
        "verify",
        str(model),
        "--predicate-type",
        PREDICATE_TYPE,
        "--format",
        "json",
        *given,
    ]
    output = _run(command)
    try:
        results = [entry["verificationResult"]["statement"] for entry in json.loads(output)]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise _refuse("`gh attestation verify` gave no readable answer", output) from error
    if not results or not all(isinstance(statement, dict) for statement in results):
        raise _refuse("`gh attestation verify` named no statement", output)
    return results


def _run(command: list[str]) -> str:
    try:
        done = capture_command(command, cwd=Path.cwd(), env=os.environ, timeout_s=WITHIN_S)
    except WorkspaceError as error:
        raise _refuse("`gh` could not be run", error.what) from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace")
        raise _refuse(f"`gh attestation verify` ended with exit code {done.returncode}", said)
    return done.stdout.decode(errors="replace")


def _refuse(what: str, details: str) -> ProofError:
    return ProofError(
        f"{what}.",
        expected="an attestation of this file by the given repository, and GitHub's `gh`, version 2.49 or later.",
        fix="do not deploy. Read what `gh` says below.",
        details=details,
    )
