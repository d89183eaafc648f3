"""A finished run of another job: the report in its artifact, and the pull request it belongs to.

A pull request wrote the artifact, so nothing in it is trusted: nothing is unpacked to disk, only one JSON file is read,
up to a size, and all that people see is rendered from it anew. The pull request comes from GitHub's API.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from metricgate.errors import ConfigurationError, PublishError
from metricgate.models.outcome import Verdict
from metricgate.publish.github.client import GitHubClient, Json
from metricgate.report.formats.report_json import read_report
from metricgate.report.value import Report
from metricgate.trigger.triggers import PullRequest, WorkflowRun

MAX_ARTIFACT = 64 * 1024 * 1024
MAX_JSON = 16 * 1024 * 1024
MAX_ENTRIES = 10_000
FILE_NAME = "report.json"

_EXIT_CODES = {
    Verdict.PASSED: (0,),
    Verdict.FAILED: (1,),
    Verdict.INCONCLUSIVE: (0, 6),
    Verdict.SKIPPED: (0,),
    Verdict.ERROR: (2, 3, 4, 70),
    Verdict.CANCELLED: (130,),
}
_ENCRYPTED = 0x1


def fetch_report(client: GitHubClient, run_id: int, name: str) -> Report:
    """Return the report in a run's newest artifact of this name.

    Raises
    ------
    PublishError
        If there is no such artifact, or it does not hold a valid report.
    """
    artifact = _find_artifact(client, run_id, name)
    if int(artifact["size_in_bytes"]) > MAX_ARTIFACT:
        raise _refuse(name, f"it is {int(artifact['size_in_bytes']):,} bytes long", f"at most {MAX_ARTIFACT:,} bytes")
    data = client.download(client.path("actions/artifacts", int(artifact["id"]), "zip"), MAX_ARTIFACT)
    return read_artifact(data, name)


def read_artifact(data: bytes, name: str) -> Report:
    """Return the report in a zip file without trusting anything in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = _read_entry(archive, _choose_entry(archive.infolist(), name), name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise _refuse(name, f"it is not a readable zip file ({type(error).__name__})", "a zip file") from error
    try:
        report = read_report(text)
    except ConfigurationError as error:
        raise _refuse(name, error.what, error.expected) from error
    fitting = _EXIT_CODES[report.verdict] if report.enforced or report.verdict is Verdict.CANCELLED else (0,)
    if report.exit_code not in fitting:
        raise _refuse(
            name,
            f"it says {report.verdict.value!r} with exit code {report.exit_code}",
            "an exit code that fits its verdict",
        )
    return report


def _find_artifact(client: GitHubClient, run_id: int, name: str) -> Json:
    listed: Iterator[Json] = client.get_all(
        client.path("actions/runs", run_id, "artifacts"), key="artifacts", name=name
    )
    usable = [one for one in listed if one["name"] == name and not one["expired"]]
    if not usable:
        raise PublishError(
            f"The run {run_id} has no artifact {name!r}.",
            expected="the report folder, uploaded by the judging job with `if: always()`.",
            fix="Read that run's log, and set the path of its actions/upload-artifact step to the output `report`.",
            topic="there-is-no-artifact",
        )
    return max(usable, key=lambda one: int(one["id"]))


def _choose_entry(entries: Sequence[zipfile.ZipInfo], name: str) -> zipfile.ZipInfo:
    if len(entries) > MAX_ENTRIES:
        raise _refuse(name, f"it has {len(entries):,} entries", f"at most {MAX_ENTRIES:,}")
    for entry in entries:
        if _leads_elsewhere(entry):
            raise _refuse(name, f"it holds {entry.filename[:100]!r}", "plain files below one folder")
    found = [entry for entry in entries if PurePosixPath(entry.filename).name == FILE_NAME and not entry.is_dir()]
    shallow = [entry for entry in found if "/" not in entry.filename]
    chosen = shallow or found
    if len(chosen) != 1:
        raise _refuse(name, f"it holds {len(chosen)} files called {FILE_NAME}", "exactly one")
    return chosen[0]


def _leads_elsewhere(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    return is_link or ".." in parts or entry.filename.startswith("/") or "\\" in entry.filename or ":" in parts[0]


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refuse(
            name, f"{FILE_NAME} in it is encrypted or unusually compressed", "what actions/upload-artifact writes"
        )
    with archive.open(entry) as stream:
        text = stream.read(MAX_JSON + 1)  # the zip file's own size field is not trusted
    if len(text) > MAX_JSON:
        raise _refuse(name, f"{FILE_NAME} in it is longer than {MAX_JSON:,} bytes", f"at most {MAX_JSON:,} bytes")
    return text


def _refuse(name: str, found: str, expected: str) -> PublishError:
    return PublishError(
        f"The artifact {name!r} is refused: {found}.",
        expected=f"{expected}, as the judging job wrote it.",
        fix="Check what the pull request's job uploads. Nothing from this artifact was used.",
        topic="the-artifact-is-refused",
    )


def find_pull_request(client: GitHubClient, run: WorkflowRun) -> PullRequest:
    """Return the one open pull request whose head repository, branch and commit are those of the run.

    For forks, GitHub lists no pull requests of a run or of its commit, and an artifact could name any number.

    Raises
    ------
    PublishError
        If there is none (it was closed, or pushed to again), or several.
    """
    owner = run.head_repository.split("/")[0]
    found = [
        item
        for item in client.get_all(client.path("pulls"), state="open", head=f"{owner}:{run.head_branch}")
        if _has_head(item, run)
    ]
    if len(found) != 1:
        raise PublishError(
            f"{len(found) or 'No'} open pull requests have the head {run.head_repository}:{run.head_branch} "
            f"at {run.head_sha[:12]}.",
            expected="exactly one open pull request with the head of the judged run.",
            fix="Nothing, if it was closed or has a newer push: the run of that push publishes.",
            topic="not-exactly-one-pull-request",
        )
    return _read_pull_request(found[0], run)


def _has_head(item: Json, run: WorkflowRun) -> bool:
    head = item["head"]
    repository = (head.get("repo") or {}).get("full_name", "")
    same_repository = str(repository).lower() == run.head_repository.lower()
    return head["sha"] == run.head_sha and head["ref"] == run.head_branch and same_repository


def _read_pull_request(item: Json, run: WorkflowRun) -> PullRequest:
    return PullRequest(
        number=int(item["number"]),
        head_sha=run.head_sha,
        head_ref=run.head_branch,
        head_repository=run.head_repository,
        base_sha=str(item["base"]["sha"]),
        base_ref=str(item["base"]["ref"]),
        draft=bool(item.get("draft")),
        body=str(item.get("body") or ""),
        labels=tuple(str(label["name"]) for label in item.get("labels", ())),
        head_seen_at=run.created_at,
    )
