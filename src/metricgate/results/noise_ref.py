"""The noise floor beside the stored results: ``refs/metricgate/noise/ID``, a commit with ``noise.json``."""

from pydantic import ValidationError

from metricgate.errors import WorkspaceError
from metricgate.models.noise import NoiseResult
from metricgate.results.retention import MAX_JSON_BYTES
from metricgate.revisions.ancestry import fetch_ref
from metricgate.revisions.checkout import Checkout

NOISE = "refs/metricgate/noise"
_FILE = "noise.json"
_IDENTITY = ("-c", "user.name=MetricGate", "-c", "user.email=metricgate@users.noreply.github.com")


def _name(id_: str) -> str:
    return f"{NOISE}/{id_.replace('.', '-2e')}"


def read_noise(checkout: Checkout, id_: str) -> NoiseResult | None:
    """Return what was measured last, on origin or in this clone; None where nothing usable is there."""
    sha = fetch_ref(checkout, _name(id_)) or checkout.find_commit(_name(id_))
    if sha is None:
        return None
    try:
        if int(checkout.git("cat-file", "-s", f"{sha}:{_FILE}")) > MAX_JSON_BYTES:
            return None
        return NoiseResult.model_validate_json(checkout.git("cat-file", "blob", f"{sha}:{_FILE}"))
    except (WorkspaceError, ValidationError):
        return None


def keep_noise(checkout: Checkout, id_: str, result: NoiseResult, *, share: bool) -> str:
    """Keep a measurement in this clone and, to ``share`` it, on origin; return why that failed, or an empty text."""
    blob = checkout.write_blob(result.model_dump_json().encode())
    commit = checkout.git(
        *_IDENTITY, "commit-tree", checkout.make_tree({_FILE: blob}), "-m", f"Noise of {result.revision}"
    )
    checkout.git("update-ref", _name(id_), commit)
    words = checkout.push(f"+{commit}:{_name(id_)}") if share else None
    return "" if words is None else f"the noise floor could not be pushed to {_name(id_)}: {words}"
