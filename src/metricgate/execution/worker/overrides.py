"""Other values for parameters, written into the files of a temporary work tree."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dvc.utils.serialize import MODIFIERS

from metricgate.execution.messages import Override
from metricgate.execution.worker.dvc_failures import PipelineFailedError

_EXPECTED = "parameters that exist at this revision: NAME for one in params.yaml, FILE:NAME for another file's."


def apply_overrides(directory: Path, overrides: Iterable[Override]) -> None:
    """Set parameters of the project in ``directory``.

    Raises
    ------
    PipelineFailedError
        If a file or a parameter does not exist there: a misspelt name would silently change nothing.
    """
    for override in overrides:
        path = directory / override.file
        if not path.is_file() or not path.resolve().is_relative_to(directory.resolve()):
            raise PipelineFailedError(
                f"`pipeline: params:` sets {override.key} in {override.file}, which is not a file of the project.",
                expected=_EXPECTED,
                fix="correct the file's name in metricgate.yaml.",
                topic="a-parameter-does-not-exist",
            )
        with MODIFIERS[path.suffix.lower()](str(path)) as content:
            _set(content, override)


def _set(content: Any, override: Override) -> None:
    *folders, last = override.key.split(".")
    place = content
    for name in folders:
        place = place.get(name) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        near = get_close_matches(override.key, list(_list_names(content)), n=1)
        raise PipelineFailedError(
            f"`pipeline: params:` sets {override.key}, which {override.file} does not have.",
            expected=_EXPECTED,
            fix=f"did you mean {near[0]}?" if near else f"correct the name, or add it to {override.file}.",
            topic="a-parameter-does-not-exist",
        )
    place[last] = list(override.value) if isinstance(override.value, tuple) else override.value


def _list_names(content: Any, prefix: str = "") -> Iterable[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield f"{prefix}{key}"
            yield from _list_names(value, f"{prefix}{key}.")
