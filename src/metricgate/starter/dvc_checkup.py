"""What would stop DVC itself, found before anything is trained."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from metricgate.revisions.checkout import Checkout
from metricgate.revisions.dvc_yaml import OUTPUT_KEYS, list_stages, read_dvc_yaml
from metricgate.starter.checkup_finding import Finding, broken


def examine_dvc(checkout: Checkout) -> Iterator[Finding]:
    """Check that DVC was set up where dvc.yaml has stages, and that Git does not track what DVC is to keep."""
    stages = list_stages(read_dvc_yaml(checkout.directory))
    if not stages:
        return
    if find_dvc_folder(checkout) is None:
        yield broken("There is a dvc.yaml, and no .dvc folder: DVC cannot run it.", "Run `dvc init`, and commit .dvc.")
    if tracked := sorted(set(_find_tracked(checkout, stages))):
        shown = " ".join(tracked[:5])
        more = f" and {len(tracked) - 5} more" if len(tracked) > 5 else ""
        yield broken(
            f"Git tracks {shown}{more}, which dvc.yaml has as output: DVC refuses to write it, after the training.",
            f"Run `git rm -r --cached {shown}` and commit, or write it as `- {tracked[0]}: {{cache: false}}` in dvc.yaml.",
        )


def find_dvc_folder(checkout: Checkout) -> Path | None:
    """Return the .dvc folder of the project, or of a folder around it in the repository."""
    folders = (checkout.directory, *checkout.directory.parents)
    around = (folder / ".dvc" for folder in folders if folder.is_relative_to(checkout.top))
    return next((folder for folder in around if folder.is_dir()), None)


def _find_tracked(checkout: Checkout, stages: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the outputs in DVC's cache of which Git tracks a file."""
    cached = [name for stage in stages for key in OUTPUT_KEYS for name in _list_cached(stage.get(key))]
    if not cached:
        return
    listed = checkout.git("-C", str(checkout.directory), "ls-files", "-z", "--", *cached).split("\0")
    for name in cached:
        plain = name.removeprefix("./").rstrip("/")
        if any(file == plain or file.startswith(f"{plain}/") for file in listed):
            yield plain


def _list_cached(entries: Any) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, Mapping):
            for name, options in entry.items():
                if not isinstance(options, Mapping) or options.get("cache", True):
                    yield str(name)
        else:
            yield str(entry)
