"""Hashes of what a watching run sees: equal ones are no news."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from metricgate.monitoring.tables import WatchedTables
from metricgate.settings.monitor import MonitorSpec

_BLOCK = 1 << 20
_NOT_JUDGED = {"issue"}  # who hears of it changes no finding


@dataclass(frozen=True, kw_only=True)
class Fingerprints:
    """``data``: the fresh rows. ``model``: what the release left. ``compared``: that, and how the policy compares."""

    data: str
    model: str
    compared: str


def take_fingerprints(tables: WatchedTables, spec: MonitorSpec) -> Fingerprints:
    """Return the hashes of both tables and of the policy's section."""
    # Not the released commit: without `release:` that is main's head, which also moves when nothing was released.
    model = _hash_files(tables.reference, tables.answers)
    # Keys at their defaults are left out: a key that a later version adds is no change of the policy.
    judged = spec.model_dump(mode="json", exclude=_NOT_JUDGED, exclude_defaults=True)
    compared = hashlib.sha256(f"{model} {json.dumps(judged, sort_keys=True)}".encode()).hexdigest()
    return Fingerprints(data=_hash_files(tables.current), model=model, compared=compared)


def _hash_files(*files: tuple[Path, str] | None) -> str:
    digest = hashlib.sha256()
    for file in files:
        if file is not None:
            with file[0].open("rb") as stream:
                while block := stream.read(_BLOCK):
                    digest.update(block)
    return digest.hexdigest()
