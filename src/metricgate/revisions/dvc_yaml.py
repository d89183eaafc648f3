"""dvc.yaml as it is written, read without DVC: its stages, and the paths that they list."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from metricgate.errors import ConfigurationError
from metricgate.settings.document import read_document

DVC_YAML = "dvc.yaml"
OUTPUT_KEYS = ("outs", "metrics", "plots")


def read_dvc_yaml(folder: Path) -> Mapping[str, Any]:
    """Return dvc.yaml as it is written; empty where there is none or it is not a mapping.

    Raises
    ------
    ConfigurationError
        If it is not YAML.
    """
    path = folder / DVC_YAML
    if not path.is_file():
        return {}
    content = read_document(path.read_text(encoding="utf-8"), DVC_YAML).value
    return content if isinstance(content, Mapping) else {}


def list_stages(pipeline: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the stages of a dvc.yaml that was read."""
    stages = pipeline.get("stages")
    return [stage for stage in stages.values() if isinstance(stage, Mapping)] if isinstance(stages, Mapping) else []


def read_stages(folder: Path) -> list[Mapping[str, Any]]:
    """Return the stages of dvc.yaml; none where it does not exist or cannot be read."""
    try:
        return list_stages(read_dvc_yaml(folder))
    except (OSError, UnicodeDecodeError, ConfigurationError):
        return []  # DVC's own error, and with it the report, says that the pipeline is broken


def list_paths(section: Mapping[str, Any], *keys: str) -> Iterator[str]:
    """Yield the paths that a stage, or the top level, of dvc.yaml lists under the keys."""
    for key in keys:
        entries = section.get(key)
        if isinstance(entries, list):
            for entry in entries:
                # A path, or a mapping from the path to its options.
                yield from map(str, entry if isinstance(entry, Mapping) else [entry])
