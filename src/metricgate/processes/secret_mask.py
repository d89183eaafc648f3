"""Secrets in the output of a process, hidden before any of it is kept, shown or published.

GitHub's runner masks its log, but neither a file in an artifact nor a comment that is posted through the API.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

HIDDEN = "***"
MIN_LENGTH = 8  # a shorter value is a word, and hiding it would make every text unreadable

_SECRET_NAMES = re.compile(
    r".*(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|CONNECTION_STRING|ACCESS_KEY"
    r"|API_KEY|ACCOUNT_KEY|WEBHOOK|PUSHGATEWAY)(?:_ID|_URL)?",
    re.IGNORECASE,
)
# Settings of services that MetricGate or another step speaks to.
_SERVICE_NAMES = re.compile(r"(?:MLFLOW|RAY|SLACK)_.*|.*WEBHOOK.*", re.IGNORECASE)
_WORDS = re.compile(r"[A-Za-z_. -]*")
_PASSWORD_IN_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:]*:([^\s/@]+)@")
_PROXY_NAMES = re.compile(r"(?:https?|ftp|all|no)_proxy", re.IGNORECASE)
# GitHub's own tokens, wherever they come from (actions/checkout leaves one in Git's configuration).
_TOKENS = r"(?:gh[a-z]|github_pat)_[A-Za-z0-9._-]{20,}"
_TOKEN_BEGUN = re.compile(r"(?:(?:gh[a-z]|github_pat)_[A-Za-z0-9._-]{0,1000}|g[a-z_]{0,9})\Z")


def is_for_services_only(name: str, value: str) -> bool:
    """Return whether a variable gives access to a service that is no concern of the repository's code.

    A proxy's password stays: without it nothing reaches the network.
    """
    return bool(_SERVICE_NAMES.fullmatch(name)) or (
        bool(_PASSWORD_IN_URI.search(value)) and not _PROXY_NAMES.fullmatch(name)
    )


def _list_secrets(name: str, value: str) -> list[str]:
    passwords = _PASSWORD_IN_URI.findall(value)
    is_secret = _SECRET_NAMES.fullmatch(name) or (_SERVICE_NAMES.fullmatch(name) and not _WORDS.fullmatch(value))
    passwords += [unquote(password) for password in passwords]
    return [*passwords, value, *value.splitlines()] if is_secret or passwords else []


@dataclass(frozen=True)
class Mask:
    """Hides these secrets, and GitHub's tokens."""

    secrets: tuple[str, ...] = ()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Mask":
        """Return a mask of the values in ``environ`` that are secret, of each of their lines, and of passwords in them."""
        lines = {line.strip() for name, value in environ.items() for line in _list_secrets(name, value)}
        return cls(tuple(sorted((line for line in lines if len(line) >= MIN_LENGTH), key=len, reverse=True)))

    def hide(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text)

    def hide_in(self, value: Any) -> Any:
        """Return a JSON-like value with the secrets in its texts hidden; numbers and keys stay."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {key: self.hide_in(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide_in(item) for item in value]
        return value

    def held_back(self, text: str) -> int:
        """Return how many characters at the end of ``text`` may be the start of a secret."""
        begun = _TOKEN_BEGUN.search(text)
        starts = [len(text) - begun.start()] if begun else []
        for secret in self.secrets:
            limit = min(len(secret) - 1, len(text))
            starts += [size for size in range(limit, 0, -1) if text.endswith(secret[:size])][:1]
        return max(starts, default=0)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join([*map(re.escape, self.secrets), _TOKENS]))


class MaskedOutput:
    """Passes text on piece by piece, and hides secrets even where a piece ends in the middle of one."""

    def __init__(self, mask: Mask, write: Callable[[str], None]) -> None:
        self._mask = mask
        self._write = write
        self._held = ""

    def __call__(self, text: str) -> None:
        text = self._held + text
        size = self._mask.held_back(text)
        ready, self._held = (text[:-size], text[-size:]) if size else (text, "")
        if ready:
            self._write(self._mask.hide(ready))

    def flush(self) -> None:
        """Pass on what was held back, at the end of the output."""
        held, self._held = self._held, ""
        if held:
            self._write(self._mask.hide(held))
