"""The snapshots of candidate, baseline and anchor, produced or read with as few workers as possible."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from metricgate.context import RunContext
from metricgate.errors import TimeLimitError, WorkspaceError
from metricgate.execution.baseline import describe_inspection, fetch_baseline
from metricgate.execution.candidate import find_doubt, produce_candidate
from metricgate.execution.messages import Count
from metricgate.execution.production import Inspections
from metricgate.execution.run_files import name_chosen_runs, withhold_borrowed_runs
from metricgate.execution.session import ask_worker
from metricgate.models.result import Warning_
from metricgate.models.snapshot import FileCounts, Snapshot
from metricgate.results.workspace_results import WorkspaceResults
from metricgate.revisions.baseline_revision import BaselineRevision
from metricgate.revisions.changed_sources import NOTHING_CHANGED, ChangedSources, list_names
from metricgate.settings.selection import PolicyChoice

_COUNT_S = 120
_ADVICE = "`reproduce: always` in metricgate.yaml runs every stage."


@dataclass(frozen=True, kw_only=True)
class SnapshotSet:
    """What a run compares."""

    candidate: Snapshot
    baseline: Snapshot | None
    anchor: Snapshot | None


def produce_snapshots(
    context: RunContext,
    choice: PolicyChoice,
    baseline: BaselineRevision | None,
    anchor: BaselineRevision | None,
    *,
    changes: ChangedSources = NOTHING_CHANGED,
    on_default_branch: bool,
) -> SnapshotSet:
    """Return the snapshots of candidate, baseline and anchor; ``changes`` are those since the baseline.

    What is ``on_default_branch`` becomes a baseline: never with results that a pull request left in the workspace.

    Raises
    ------
    WorkspaceError
        If one of them is not available.
    """
    checkout, policy = context.checkout, choice.baseline
    frozen = replace(context, scratch=context.scratch / "anchor")
    # With other values for parameters, what a revision recorded is not what is asked for.
    others = () if policy.pipeline.params else ((context, baseline), (frozen, anchor))
    requests = tuple(describe_inspection(how, revision, policy) for how, revision in others if revision)
    inspections = Inspections(requests=requests)
    earlier, own = WorkspaceResults.open(checkout, "baseline"), WorkspaceResults.open(checkout, "candidate")
    candidate = produce_candidate(
        context,
        choice.candidate,
        changes=changes,
        doubt=find_doubt(
            changes,
            everything=choice.judging.reproduce == "always",
            run_cache=on_default_branch,  # pull requests may have written it, and this becomes a baseline
        ),
        earlier=None if on_default_branch else own,
        inspections=inspections,
    )
    candidate = name_chosen_runs(candidate, choice)

    def fetch(how: RunContext, revision: BaselineRevision | None) -> Snapshot | None:
        if revision is None:
            return None
        found = fetch_baseline(how, revision, policy, earlier=earlier, inspections=inspections)
        return withhold_borrowed_runs(found, choice)

    return SnapshotSet(candidate=candidate, baseline=fetch(context, baseline), anchor=fetch(frozen, anchor))


def warn_of_belief(snapshots: SnapshotSet) -> tuple[Warning_, ...]:
    """Return a warning of results that nothing in this run produced, and of those from DVC's run cache."""
    warnings = []
    committed = [entry for entry in snapshots.candidate.believed if entry.origin == "commit"]
    if committed:
        told = list_names([f"{entry.what} ({entry.reason})" for entry in committed], length=200)
        warnings.append(Warning_(code="not_reproduced", text=f"As committed, not reproduced: {told}. {_ADVICE}"))
    for side, snapshot in (("candidate", snapshots.candidate), ("baseline", snapshots.baseline)):
        believed = snapshot.believed if snapshot else ()
        cached = [entry.what for entry in believed if entry.origin == "run cache"]
        if cached:
            text = (
                f"Restored from the run cache: {list_names(cached)} of the {side}. DVC's run cache holds what any run "
                "that may write to the remote recorded."
            )
            warnings.append(Warning_(code="run_cache", text=text))
    return tuple(warnings)


def count_changed_files(context: RunContext, baseline: Snapshot, candidate: Snapshot) -> Mapping[str, FileCounts]:
    """Return, for each tracked folder that differs, how many of its files were added, modified and deleted.

    Only the folders' listings are read. Where that fails, the counts say why; it never changes a verdict.
    """
    before = {entry.path: entry.hash for entry in baseline.data if not entry.output}
    folders = {
        entry.path: (old, entry.hash)
        for entry in candidate.data
        if (old := before.get(entry.path)) and entry.hash and old != entry.hash and _are_folders(old, entry.hash)
    }
    if not folders:
        return {}
    request = Count(directory=context.checkout.directory, folders=tuple(folders.values()), files=context.scratch)
    try:
        reply = ask_worker(context, request, log="listings.log", timeout_s=_COUNT_S)
    except TimeLimitError:
        return dict.fromkeys(folders, FileCounts(unknown="The DVC remote took too long."))
    except WorkspaceError as error:
        return dict.fromkeys(folders, FileCounts(unknown=error.what))
    return dict(zip(folders, reply.counts, strict=True))


def _are_folders(*hashes: str) -> bool:
    return all(digest.endswith(".dir") for digest in hashes)
