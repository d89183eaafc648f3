"""Who is to be told: `notify:` of metricgate.yaml as the base branch has it, read through GitHub's API.

The checkout is not asked: it is the pull request's, and a publishing job has none.
"""

import base64
import binascii
import posixpath
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from metricgate.errors import PublishError
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.response import GitHubError, Trouble
from metricgate.settings.inputs import Inputs
from metricgate.settings.notify import NotifySpec, read_notify
from metricgate.trigger.triggers import Trigger


class Subscriptions:
    """The destinations and events that the base branch names, read once and only if somebody asks."""

    def __init__(self, client: GitHubClient | None, trigger: Trigger, inputs: Inputs) -> None:
        self._client = client
        self._trigger = trigger
        self._inputs = inputs

    def find(self, to: str) -> NotifySpec | None:
        """Return what ``notify`` says of a destination that this run is news to; the first entry counts.

        Raises
        ------
        MetricgateError
            If the file cannot be read.
        """
        found = next((spec for spec in self._specs if spec.to == to), None)
        is_news = self._trigger.is_about_default_branch or (found and found.pull_requests and self._is_pull_request)
        return found if is_news else None

    @property
    def _is_pull_request(self) -> bool:
        return self._trigger.pull_request is not None

    @cached_property
    def _specs(self) -> tuple[NotifySpec, ...]:
        text, origin = fetch_policy(self._client, self._inputs, choose_ref(self._trigger))
        return () if text is None else read_notify(text, origin=origin)


def fetch_policy(client: GitHubClient | None, inputs: Inputs, ref: str) -> tuple[str | None, str]:
    """Return the policy file as GitHub has it at ``ref``, None where there is none, and its name for messages.

    Raises
    ------
    PublishError
        If it cannot be read.
    """
    path = posixpath.normpath(posixpath.join(inputs.working_directory, inputs.policy))
    origin = f"{path} at {ref[:12]}"
    if client is None or not ref or path.startswith(("../", "/")):
        return None, origin
    try:
        return _decode(client.get(client.path("contents", path), ref=ref)), origin
    except GitHubError as error:
        if error.trouble is Trouble.MISSING:
            return None, origin
        raise


def choose_ref(trigger: Trigger) -> str:
    """Return the revision whose policy says who is told: never the one under judgement, if there is another."""
    if trigger.pull_request:
        return trigger.pull_request.base_sha
    if trigger.workflow_run:
        return trigger.default_branch
    return trigger.merge_group_base or trigger.before or trigger.sha or ""


def _decode(found: Mapping[str, Any] | Sequence[Any]) -> str:
    content = found.get("content") if isinstance(found, Mapping) else None  # a folder is a list
    try:
        return base64.b64decode(str(content or "")).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise PublishError(
            "GitHub's copy of the policy is not text.",
            expected="metricgate.yaml, text in UTF-8.",
            fix="Save the file as UTF-8.",
            topic="the-policy-on-github-is-not-text",
        ) from error
