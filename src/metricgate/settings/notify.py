"""`notify:` of metricgate.yaml: which events go where. Addresses and tokens are inputs, never here."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from metricgate.settings.document import read_section
from metricgate.settings.values import Names, PolicySection

Occasion = Literal["failed", "inconclusive", "error", "drift", "retrained", "recovered"]
TROUBLED: frozenset[Occasion] = frozenset({"failed", "inconclusive", "error", "drift"})

# The shapes are those of typed mentions. Nothing else of a name could reach a message as markup.
_OWNERS = {
    "issue": (r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9][A-Za-z0-9_-]{0,99})?", "a login such as ann, or acme/ml"),
    "slack": (r"[UWS][A-Z0-9]{5,20}", "a Slack member or group ID such as U024BE7LH"),
    "teams": (r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,100}", "a sign-in address such as ann@acme.example"),
}


class NotifySpec(PolicySection):
    """One destination and the events it hears of."""

    to: Literal["issue", "slack", "teams", "webhook"] = Field(
        description="An issue in this repository, or the address in the input `slack-webhook`, `teams-webhook` or "
        "`webhook`."
    )
    on: tuple[Occasion, ...] = Field(
        ("failed", "error", "recovered"),
        min_length=1,
        description="Events; each is sent once for each change of state.",
    )
    pull_requests: bool = Field(
        True, description="Also about pull requests, not the default branch alone. An issue never is."
    )
    mention: Names = Field(
        (),
        max_length=5,
        description="Owners to mention in bad news: logins for an issue, member IDs for Slack, sign-in addresses for "
        "Teams.",
    )

    @model_validator(mode="after")
    def _names_owners(self) -> Self:
        if not self.mention:
            return self
        if self.to not in _OWNERS:
            raise ValueError("cannot mention anybody: a webhook has no people")
        pattern, example = _OWNERS[self.to]
        for name in self.mention:
            if not re.fullmatch(pattern, name):
                raise ValueError(f"mentions {name!r}, which is not {example}")
        return self


class _NotifyFile(PolicySection):
    notify: tuple[NotifySpec, ...] = ()


def read_notify(text: str, *, origin: str) -> tuple[NotifySpec, ...]:
    """Return `notify:` alone, so that a mistake elsewhere in the file still reaches whoever is to be told.

    Raises
    ------
    ConfigurationError
        If the text is not YAML, or ``notify`` itself is wrong.
    """
    expected = "a list such as `- {to: slack, on: [failed, recovered]}`."
    fix = "correct the line; docs/notifications.md lists the keys."
    return read_section(_NotifyFile, text, origin=origin, expected=expected, fix=fix).notify
