"""The lines of metricgate.yaml that a team is missing, filled with the names its dvc.yaml gives away."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from metricgate.revisions.checkout import Checkout
from metricgate.revisions.dvc_yaml import OUTPUT_KEYS, list_paths, read_stages
from metricgate.settings.policy import Policy

TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".feather")
_PLACEHOLDERS = {
    "command": "python src/evaluate.py",
    "model": "models/model.pkl",
    "data": "data/test.csv",
    "train": "data/train.csv",
}


def suggest_evaluation(checkout: Checkout, policy: Policy) -> str:
    """Return the `evaluation:` that the policy lacks, in YAML; empty where it is complete.

    What neither the policy nor dvc.yaml tells is an example, and says so.
    """
    own = policy.evaluation
    if own is not None and own.train:
        return ""
    stages = read_stages(checkout.directory)
    predictions = {spec.path for spec in policy.prediction_sets.values()}
    judging = next((stage for stage in stages if predictions & set(list_paths(stage, *OUTPUT_KEYS))), {})
    found = {"command": _find_command(judging), **_find_files(judging, stages)}
    if own is not None:
        found |= {"command": own.command, "model": own.model, "data": own.data}
    lines = [f"  {key}: {found[key] or f'{example}  # example: name yours'}" for key, example in _PLACEHOLDERS.items()]
    return "\n".join(["evaluation:  # judges a stored model on given data, without training", *lines])


def _find_command(stage: Mapping[str, Any]) -> str:
    command = stage.get("cmd")
    is_plain = isinstance(command, str) and command.isprintable() and not set(command) & set("${}#:'\"")
    return str(command) if is_plain else ""


def _find_files(judging: Mapping[str, Any], stages: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Give model, test data and training data: what the judging stage reads, and what the model's own stage reads."""
    read = list(list_paths(judging, "deps"))
    made = [(out.rstrip("/"), stage) for stage in stages for out in list_paths(stage, *OUTPUT_KEYS)]
    models = (
        (path, stage)
        for path in read
        for out, stage in made
        if (path == out or path.startswith(f"{out}/")) and not path.endswith(TABLES)
    )
    model, training = next(models, ("", {}))
    train = list(list_paths(training, "deps"))
    return {
        "model": _as_scalar(model),
        "data": _as_scalar(_find_table(read, "test")),
        "train": _as_scalar(_find_table(train, "train")),
    }


def _find_table(paths: Iterable[str], word: str) -> str:
    """Return the path of a table, one with ``word`` in its name first."""
    tables = [path for path in paths if path.endswith(TABLES)]
    return next((path for path in tables if word in PurePosixPath(path).name.lower()), next(iter(tables), ""))


def _as_scalar(path: str) -> str:
    """Return a path that YAML reads as it stands; empty for any other, and for a template's."""
    plain = all(character.isalnum() or character in "._-/" for character in path)
    return path if plain and not path.startswith(("-", ".")) else ""
