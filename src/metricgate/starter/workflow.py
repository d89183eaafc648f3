"""A first workflow: the example that fits the project, with its branch and its folder."""

import re
from collections.abc import Iterator
from pathlib import Path

from metricgate.starter.notation import quote_text
from metricgate.starter.survey import Survey

WORKFLOWS = Path(__file__).parent / "workflows"
WORKFLOW_FOLDER = ".github/workflows"
LONGEST_ID = 50
# Where a remote's address starts so, that workflow has the credentials' step.
REMOTE_WORKFLOWS = {"s3://": "pull-request-s3", "gs://": "pull-request-gcs", "azure://": "pull-request-azure"}


def name_set_up(prefix: str) -> str:
    """Return the id of a project in a folder: a repository with several has a comment and a check for each."""
    return re.sub(r"[^A-Za-z0-9]+", "-", prefix).lower().strip("-")[:LONGEST_ID].rstrip("-")


def name_workflow(prefix: str) -> str:
    """Return the workflow's path in the repository; a project in a folder has one of its own."""
    set_up = name_set_up(prefix)
    return f"{WORKFLOW_FOLDER}/{f'metricgate-{set_up}' if set_up else 'metricgate'}.yml"


def render_workflow(survey: Survey, prefix: str) -> str:
    """Return the example workflow that fits the project, with its default branch and its folder in it."""
    address = next(iter(survey.remotes.values()), "")
    plain = "plain-train" if survey.command else "pull-request"
    name = next((name for start, name in REMOTE_WORKFLOWS.items() if address.startswith(start)), plain)
    text = (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8")
    text = text.replace("branches: [main]", f"branches: [{quote_text(survey.default_branch)}]")
    if not prefix:
        return text
    folder = prefix.rstrip("/")
    # The name is part of the concurrency group: two workflows of one name would cancel each other.
    text = re.sub(
        r"^name: (.+)$", lambda found: f"name: {quote_text(f'{found[1]}: {folder}')}", text, count=1, flags=re.MULTILINE
    )
    given = [f"          id: {name_set_up(prefix)}", f"          working-directory: {quote_text(folder)}"]
    return "\n".join(_add_inputs(text.splitlines(), given)) + "\n"


def _add_inputs(lines: list[str], given: list[str]) -> Iterator[str]:
    """Yield the workflow's lines, with inputs for each step that is MetricGate's."""
    is_ours = False
    for line in lines:
        if is_ours and line.strip() != "with:":
            yield from ["        with:", *given]
        yield line
        if is_ours and line.strip() == "with:":
            yield from given
        is_ours = "uses: metricgate/metricgate@" in line
    if is_ours:
        yield from ["        with:", *given]
