"""What another job uploaded is untrusted data."""

import io
import json
import stat
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from metricgate.errors import PublishError
from metricgate.models.outcome import Verdict
from metricgate.publish.github.finished_run import MAX_ARTIFACT, MAX_JSON, fetch_report, read_artifact
from tests.github.fake import FakeGitHub
from tests.github.faults import Fault, answer, html, reset
from tests.github.fixtures import MakeClient
from tests.github.job import make_report
from tests.github.state import Artifact

NAME = "metricgate-report"
GOOD = make_report(Verdict.FAILED)
TEXT = GOOD.model_dump_json().encode()


def zip_entries(entries: dict[str, bytes], prepare: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            prepare(entry)
            archive.writestr(entry, data)
    return buffer.getvalue()


def forge(**changes: Any) -> bytes:
    return json.dumps({**json.loads(TEXT), **changes}).encode()


@pytest.mark.parametrize("folder", ["", "metricgate-report/"])
def test_the_report_is_read_wherever_upload_artifact_puts_it(folder: str) -> None:
    data = zip_entries({f"{folder}report.json": TEXT, f"{folder}charts/forest.png": b"png", "logs/report.txt": b""})

    assert read_artifact(data, NAME) == GOOD


def make_link(entry: zipfile.ZipInfo) -> None:
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


FORGED: dict[str, Callable[[], bytes]] = {
    "no zip file": lambda: b"<html>",
    "an empty file": lambda: b"",
    "a truncated zip file": lambda: zip_entries({"report.json": TEXT})[:-30],
    "no report": lambda: zip_entries({"other.json": TEXT}),
    "two reports": lambda: zip_entries({"a/report.json": TEXT, "b/report.json": TEXT}),
    "a path upwards": lambda: zip_entries({"report.json": TEXT, "../../etc/cron.d/x": b"x"}),
    "an absolute path": lambda: zip_entries({"report.json": TEXT, "/etc/passwd": b"x"}),
    "a Windows path": lambda: zip_entries({"report.json": TEXT, "C:\\x": b"x"}),
    "a symbolic link": lambda: zip_entries({"report.json": b"/etc/passwd"}, make_link),
    "ten thousand and one files": lambda: zip_entries({f"f{i}": b"" for i in range(10_000)} | {"report.json": TEXT}),
    "a zip bomb": lambda: zip_entries({"report.json": TEXT + b" " * MAX_JSON}),
    "50 MB of JSON": lambda: zip_entries({"report.json": b'["' + b"x" * 50_000_000 + b'"]'}),
    "no JSON": lambda: zip_entries({"report.json": b"\xff\xfe"}),
    "JSON nested without end": lambda: zip_entries({"report.json": b"[" * 1_000_000}),
    "JSON of something else": lambda: zip_entries({"report.json": b'{"verdict": "passed"}'}),
    "a field that does not exist": lambda: zip_entries({"report.json": forge(pull_request=1)}),
    "a newer schema": lambda: zip_entries({"report.json": forge(schema_version=99)}),
    "not a number": lambda: zip_entries({"report.json": TEXT.replace(b'"confidence":0.95', b'"confidence":NaN')}),
    "a verdict with another exit code": lambda: zip_entries({"report.json": forge(verdict="passed")}),
    "an exit code that is none": lambda: zip_entries({"report.json": forge(exit_code=0)}),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_artifact_is_refused(what: str) -> None:
    with pytest.raises(PublishError, match="is refused: "):
        read_artifact(FORGED[what](), NAME)


def test_a_size_that_the_zip_file_lies_about_does_not_help() -> None:
    data = bytearray(zip_entries({"report.json": TEXT + b" " * MAX_JSON}))
    true_size = (len(TEXT) + MAX_JSON).to_bytes(4, "little")
    while true_size in data:
        at = data.index(true_size)
        data[at : at + 4] = (100).to_bytes(4, "little")

    with pytest.raises(PublishError, match="is refused: "):
        read_artifact(bytes(data), NAME)


def upload(fake: FakeGitHub, data: bytes = b"", **fields: Any) -> None:
    number = fake.next_number()
    artifact = {
        "number": number,
        "name": NAME,
        "run_id": 41,
        "data": data or zip_entries({"report.json": TEXT}),
        **fields,
    }
    fake.artifacts.append(Artifact(**artifact))


def test_it_is_downloaded_without_showing_the_storage_the_token(
    fake_github: FakeGitHub, make_client: MakeClient
) -> None:
    """The fake reports a token that reaches its storage as a violation."""
    upload(fake_github)

    assert fetch_report(make_client()[0], 41, NAME) == GOOD


def test_the_newest_of_a_re_run_is_taken_and_expired_or_others_are_not(
    fake_github: FakeGitHub, make_client: MakeClient
) -> None:
    passed = make_report()
    upload(fake_github)
    upload(fake_github, zip_entries({"report.json": passed.model_dump_json().encode()}))
    upload(fake_github, expired=True)
    upload(fake_github, run_id=40)
    upload(fake_github, name="metricgate-report-2")

    assert fetch_report(make_client()[0], 41, NAME) == passed


def test_no_artifact_is_one_clear_error(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    with pytest.raises(PublishError, match="The run 41 has no artifact 'metricgate-report'"):
        fetch_report(make_client()[0], 41, NAME)

    assert fake_github.writes == []


def test_one_that_is_too_large_is_not_downloaded(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    upload(fake_github, size=MAX_ARTIFACT + 1)

    with pytest.raises(PublishError, match="bytes long"):
        fetch_report(make_client()[0], 41, NAME)

    assert not any("/zip" in request for request in fake_github.requests)


def test_a_download_that_does_not_end_is_cut(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    upload(fake_github, b"x" * 2_000_000, size=10)
    client, _ = make_client()

    with pytest.raises(PublishError, match="more than 1,000,000 bytes"):
        client.download(client.path("actions/artifacts", 1001, "zip"), 1_000_000)


@pytest.mark.parametrize("fault", [answer(502), reset(written=False), html()], ids=["502", "reset", "html"])
@pytest.mark.parametrize("where", ["/zip$", "/artifacts$"])
def test_a_fault_on_the_way_is_survived(
    fake_github: FakeGitHub, make_client: MakeClient, fault: Fault, where: str
) -> None:
    upload(fake_github)
    fake_github.fail(where, fault)

    assert fetch_report(make_client()[0], 41, NAME) == GOOD


@pytest.mark.parametrize("fault", [answer(503), reset(written=False)], ids=["503", "reset"])
def test_a_fault_of_the_storage_is_survived(fake_github: FakeGitHub, make_client: MakeClient, fault: Fault) -> None:
    upload(fake_github)
    fake_github.fail("/_blob/", fault)

    assert fetch_report(make_client()[0], 41, NAME) == GOOD


def test_a_page_instead_of_the_file_is_refused(fake_github: FakeGitHub, make_client: MakeClient) -> None:
    upload(fake_github)
    fake_github.fail("/_blob/", html())

    with pytest.raises(PublishError, match="is not a readable zip file"):
        fetch_report(make_client()[0], 41, NAME)
