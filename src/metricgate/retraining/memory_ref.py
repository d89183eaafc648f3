"""Where the memory of trainings lies: a small Git ref, on origin or, for a person at a terminal, in the clone.

``refs/metricgate/retrain/ID`` points to a commit without parents whose tree holds ``memory.json``, and while a training
waits to be offered ``proposal.json``, ``report.json`` and the proposal's files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from metricgate.errors import WorkspaceError
from metricgate.report.value import Report
from metricgate.results.retention import MAX_JSON_BYTES
from metricgate.retraining.memory import Memory
from metricgate.retraining.proposal import IDENTITY, Proposal
from metricgate.revisions.ancestry import fetch_ref
from metricgate.revisions.checkout import Checkout

RETRAIN = "refs/metricgate/retrain"


class MemoryConflictError(WorkspaceError):
    """Another run changed the memory in the meantime."""

    usual_topic = "earlier-trainings-are-not-known"


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What was read: ``sha`` of the ref's commit (empty where there is none), and a proposal that waits."""

    sha: str = ""
    memory: Memory = field(default_factory=Memory)
    proposal: Proposal | None = None
    report: Report | None = None


@dataclass(frozen=True, kw_only=True)
class MemoryRef:
    """The memory of one set-up; ``is_shared``: on origin."""

    checkout: Checkout
    id: str
    is_shared: bool

    @property
    def name(self) -> str:
        return f"{RETRAIN}/{self.id.replace('.', '-2e')}"  # a ref may hold no `..` and end with no `.lock`

    def read(self) -> Remembered:
        """Return what is remembered; nothing where there is no ref yet.

        Raises
        ------
        WorkspaceError
            If it cannot be read: forgetting would train again what was trained before.
        """
        sha = fetch_ref(self.checkout, self.name) if self.is_shared else self.checkout.find_commit(self.name)
        if sha is None:
            if self.is_shared and self.checkout.has_on_origin(self.name):
                raise self._explain("cannot be fetched")
            return Remembered()
        try:
            memory = Memory.model_validate_json(self._read(sha, "memory.json") or "")
            proposal = self._read(sha, "proposal.json")
            report = self._read(sha, "report.json")
            return Remembered(
                sha=sha,
                memory=memory,
                proposal=Proposal.model_validate_json(proposal) if proposal else None,
                report=Report.model_validate_json(report) if report else None,
            )
        except ValidationError as error:
            raise self._explain("was written by another version or by hand") from error

    def write(self, remembered: Remembered) -> Remembered:
        """Keep what is remembered in place of what was read; return it with its new commit.

        Raises
        ------
        MemoryConflictError
            If another run wrote in the meantime.
        WorkspaceError
            If it cannot be written.
        """
        blobs = {"memory.json": self._write_blob(remembered.memory.model_dump_json())}
        files: Mapping[str, tuple[str, str]] = {}
        if remembered.proposal and remembered.report:
            blobs["proposal.json"] = self._write_blob(remembered.proposal.model_dump_json())
            blobs["report.json"] = self._write_blob(remembered.report.model_dump_json())
            # Without these entries Git would not keep the proposal's blobs.
            files = {f"files/{n}": (one.mode, one.blob) for n, one in enumerate(remembered.proposal.files)}
        tree = self.checkout.change_tree(self.checkout.make_tree(blobs), files)
        commit = self.checkout.git(*IDENTITY, "commit-tree", tree, "-m", f"What retraining {self.id} came to")
        self._publish(commit, remembered.sha)
        return Remembered(sha=commit, memory=remembered.memory, proposal=remembered.proposal, report=remembered.report)

    def _publish(self, commit: str, before: str) -> None:
        if not self.is_shared:
            self.checkout.git("update-ref", self.name, commit, before or "0" * 40)
            return
        words = self.checkout.push(f"--force-with-lease={self.name}:{before}", f"{commit}:{self.name}")
        if words is None:
            self.checkout.git("update-ref", self.name, commit)
            return
        if "stale info" in words or "fetch first" in words or "non-fast-forward" in words:
            raise MemoryConflictError(
                "Another run of MetricGate retrains at the same time.",
                expected="one run at a time.",
                fix="nothing: the next run sees what this one did; `concurrency:` in the workflow prevents it.",
                details=words,
            )
        raise WorkspaceError(
            f"What this training came to could not be kept under {self.name}.",
            expected="a token that may write to the repository (`contents: write`).",
            fix="grant the job `contents: write`; without that memory the same would be trained again.",
            details=words,
            topic="earlier-trainings-are-not-known",
        )

    def _write_blob(self, text: str) -> str:
        return self.checkout.write_blob(text.encode())

    def _read(self, sha: str, name: str) -> str | None:
        found = self.checkout.run_git("cat-file", "-s", f"{sha}:{name}")
        if found.returncode != 0:
            return None
        if int(found.stdout) > MAX_JSON_BYTES:
            raise self._explain("is larger than anything MetricGate writes")
        return self.checkout.git("cat-file", "blob", f"{sha}:{name}")

    def _explain(self, problem: str) -> WorkspaceError:
        return WorkspaceError(
            f"The memory of earlier trainings, {self.name}, {problem}.",
            expected="the ref as this version of MetricGate writes it.",
            fix=f"look at it (`git show {self.name}:memory.json`), or delete it to start anew: "
            f"`git push origin :{self.name}`.",
            topic="earlier-trainings-are-not-known",
        )
