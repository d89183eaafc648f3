"""What a place that keeps results between runs promises."""

from typing import Protocol

from metricgate.models.snapshot import RevisionInfo, Snapshot, Source
from metricgate.settings.policy import Policy


class ResultStore(Protocol):
    """Snapshots kept between runs, found by the key of their pipeline's inputs (``Snapshot.inputs``).

    An implementation promises:

    - a snapshot that is found has exactly the inputs asked for, and every file that the policy names, as it was kept;
    - what is missing, unreadable or changed since it was kept is not found, and is not an error;
    - what is kept is found by stores that are opened later, in other runs;
    - keeping results never raises for a reason outside MetricGate: trouble is a sentence, and changes no verdict.

    ``environment`` is the fingerprint of the stages' Python and packages.
    """

    source: Source

    def list_keys(self, environment: str) -> tuple[str, ...]:
        """Return the keys of inputs whose results were produced in this environment, and can probably be found."""
        ...

    def find(self, inputs: str, environment: str | None, policy: Policy, info: RevisionInfo) -> Snapshot | None:
        """Return the snapshot that was kept for these inputs, described by ``info`` with this store's ``source``.

        Without an ``environment``, results of any will do. None if there is no snapshot with all that the policy names.

        Raises
        ------
        WorkspaceError
            If there is one, and the store has lost a part of it.
        """
        ...

    def keep(self, snapshot: Snapshot, environment: str, policy: Policy) -> str:
        """Keep a snapshot that a pipeline just produced.

        Returns
        -------
        An empty text, or why results that could be of use were not kept, without a period.
        """
        ...
