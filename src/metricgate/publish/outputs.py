"""Step outputs and state: raw strings, in the form that no value can break out of."""

import secrets
from collections.abc import Mapping
from pathlib import Path


def append_pairs(file: Path, pairs: Mapping[str, str]) -> None:
    """Append to the file at GITHUB_OUTPUT or GITHUB_STATE.

    Each value stands between lines with a fresh random delimiter: the form ``name=value`` would let a value with a line
    break set other outputs. Source: actions/runner, ``src/Runner.Worker/FileCommandManager.cs``.
    """
    with file.open("a", encoding="utf-8", newline="\n") as stream:
        for name, value in pairs.items():
            delimiter = f"end-{secrets.token_hex(16)}"
            if delimiter in value:
                raise AssertionError("128 random bits were guessed")
            stream.write(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
