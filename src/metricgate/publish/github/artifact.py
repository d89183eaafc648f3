"""The report that another job uploaded. Whatever is in the artifact was written by a pull request.

Nothing is unpacked to disk, nothing but one JSON file is read, and that only up to a size; everything a reader will see
is rendered afresh from it.
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
    """Download the artifact ``name`` of a run, the newest of that name, and read the report in it.

    Raises
    ------
    PublishError
        If there is none, or what is in it cannot be a report of ours.
    """
    artifact = _find(client, run_id, name)
    if int(artifact["size_in_bytes"]) > MAX_ARTIFACT:
        raise _refuse(name, f"it is {int(artifact['size_in_bytes']):,} bytes long", f"at most {MAX_ARTIFACT:,} bytes")
    data = client.download(client.path("actions/artifacts", int(artifact["id"]), "zip"), MAX_ARTIFACT)
    return read_artifact(data, name)


def read_artifact(data: bytes, name: str) -> Report:
    """Read the report in a zip file without trusting anything in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = _read_entry(archive, _choose_entry(archive.infolist(), name), name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        raise _refuse(name, f"it is not a readable zip file ({type(error).__name__})", "a zip file") from error
    try:
        report = read_report(text)
    except ConfigurationError as error:
        raise _refuse(name, error.what, error.expected) from error
    if report.exit_code not in _EXIT_CODES[report.verdict]:
        raise _refuse(
            name, f"it says {report.verdict.value!r} with exit code {report.exit_code}", "an exit code of its verdict"
        )
    return report


def _find(client: GitHubClient, run_id: int, name: str) -> Json:
    listed: Iterator[Json] = client.get_all(
        client.path("actions/runs", run_id, "artifacts"), key="artifacts", name=name
    )
    usable = [one for one in listed if one["name"] == name and not one["expired"]]
    if not usable:
        raise PublishError(
            f"The run {run_id} has no artifact {name!r}.",
            expected="the report folder, uploaded by the job that judged, with `if: always()`.",
            fix="Look at that run's log; let its actions/upload-artifact step use the output `report` as its path.",
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
        text = stream.read(MAX_JSON + 1)  # the size that the zip file claims is the pull request's word
    if len(text) > MAX_JSON:
        raise _refuse(name, f"{FILE_NAME} in it is longer than {MAX_JSON:,} bytes", f"at most {MAX_JSON:,} bytes")
    return text


def _refuse(name: str, found: str, expected: str) -> PublishError:
    return PublishError(
        f"The artifact {name!r} is refused: {found}.",
        expected=f"{expected}, as the job that judged wrote it.",
        fix="Look at what the pull request's job uploads; nothing of this artifact was used.",
    )
