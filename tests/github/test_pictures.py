"""Pictures in the repository, below MetricGate's own ref."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from metricgate.models.outcome import Verdict
from metricgate.publish.github.pictures import MAX_KEPT_HERE, PictureStore
from metricgate.publish.github.response import GitHubError
from tests.github.fake import TOKEN, FakeGitHub
from tests.github.faults import answer, reset
from tests.github.fixtures import MakeClient
from tests.github.job import HEAD, Job, make_chart, make_report
from tests.github.state import Token

PNG = b"\x89PNG\r\n\x1a\n"
URL = "https://github.example/acme/churn"
REF = "refs/metricgate/pictures/pull-7/default/"


def write_pictures(folder: Path, **contents: bytes) -> Mapping[str, tuple[Path, Path]]:
    folder.mkdir(exist_ok=True)
    pictures = {name: (folder / f"{name}.png", folder / f"{name}-dark.png") for name in contents}
    for name, data in contents.items():
        for file in pictures[name]:
            file.write_bytes(data)
    return pictures


def make_store(make_client: MakeClient, *, run_id: int = 1, pull_request: int = 7) -> PictureStore:
    client, _ = make_client()
    return PictureStore(client, repository_url=URL, scope=f"pull-{pull_request}/default", run_id=run_id)


def test_addresses_name_a_parentless_commit_that_holds_the_files(
    fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path
) -> None:
    addresses = make_store(make_client).put(write_pictures(tmp_path, forest=PNG + b"one"))

    [(ref, commit)] = fake_github.refs.items()
    assert ref.startswith(REF)
    assert addresses == {
        "forest": (f"{URL}/blob/{commit}/forest.png?raw=true", f"{URL}/blob/{commit}/forest-dark.png?raw=true")
    }
    assert fake_github.objects[commit]["parents"] == []
    entries = fake_github.objects[str(fake_github.objects[commit]["tree"])]["entries"]
    assert isinstance(entries, dict)
    assert fake_github.objects[entries["forest.png"]]["data"] == base64.b64encode(PNG + b"one").decode()


def test_the_same_pictures_are_not_stored_twice(
    fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path
) -> None:
    pictures = write_pictures(tmp_path, forest=PNG)
    first = make_store(make_client, run_id=1).put(pictures)
    fake_github.writes.clear()

    second = make_store(make_client, run_id=2).put(pictures)

    assert (first, fake_github.writes) == (second, [])


def test_old_pictures_of_this_pull_request_are_removed_and_those_of_others_kept(
    fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path
) -> None:
    make_store(make_client, pull_request=70).put(write_pictures(tmp_path, forest=PNG + b"other"))
    for run_id in range(1, 6):
        make_store(make_client, run_id=run_id).put(write_pictures(tmp_path, forest=PNG + bytes([run_id])))

    ours = [ref for ref in fake_github.refs if ref.startswith(REF)]
    assert [int(ref.removeprefix(REF).split("-")[0]) for ref in ours] == [3, 4, 5]
    assert len(ours) == MAX_KEPT_HERE
    assert len(fake_github.refs) == MAX_KEPT_HERE + 1


@pytest.mark.parametrize("data", [b"<svg/>", b""])
def test_what_is_not_a_png_is_not_stored(
    fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path, data: bytes
) -> None:
    addresses = make_store(make_client).put(write_pictures(tmp_path, forest=data))

    assert (addresses, fake_github.requests) == ({}, [])


def test_a_link_that_leads_elsewhere_is_not_stored(
    fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(PNG + b"secret")
    pictures = write_pictures(tmp_path / "charts", forest=PNG)
    pictures["forest"][0].unlink()
    pictures["forest"][0].symlink_to(secret)

    assert make_store(make_client).put(pictures) == {}
    assert fake_github.objects == {}


@pytest.mark.parametrize(
    "fault", [answer(409, "Conflict"), answer(502, written=True), answer(422, "Reference already exists", written=True)]
)
def test_a_ref_that_is_there_after_all_is_good(
    fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path, fault: object
) -> None:
    fake_github.fail("^POST .*/git/refs$", fault)  # type: ignore[arg-type]

    assert make_store(make_client).put(write_pictures(tmp_path, forest=PNG))
    assert len(fake_github.refs) == 1


def test_a_ref_that_is_refused_is_an_error(fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path) -> None:
    fake_github.fail("^POST .*/git/refs$", answer(422, "Validation Failed"))

    with pytest.raises(GitHubError, match="Validation Failed"):
        make_store(make_client).put(write_pictures(tmp_path, forest=PNG))


def test_a_repeated_upload_is_the_same_object(fake_github: FakeGitHub, make_client: MakeClient, tmp_path: Path) -> None:
    for kind in ("blobs", "trees", "commits"):
        fake_github.fail(f"^POST .*/git/{kind}$", reset(written=True))

    make_store(make_client).put(write_pictures(tmp_path, forest=PNG))

    kinds = [str(one["kind"]) for one in fake_github.objects.values()]
    assert sorted(kinds) == ["blob", "commit", "tree"]


def test_the_comment_shows_them_in_light_and_dark(fake_github: FakeGitHub, tmp_path: Path) -> None:
    fake_github.open_pull_request(7, HEAD)

    Job(fake_github, tmp_path).publish(make_report(Verdict.FAILED, charts=(make_chart(),)))

    [commit] = fake_github.refs.values()
    body = fake_github.comments(7)[0].body
    assert f'<img src="{URL}/blob/{commit}/forest.png?raw=true"' in body
    assert f'srcset="{URL}/blob/{commit}/forest-dark.png?raw=true"' in body


@pytest.mark.parametrize("charts", ["inline", "none"])
def test_nothing_is_stored_where_pictures_are_not_wanted(fake_github: FakeGitHub, tmp_path: Path, charts: str) -> None:
    fake_github.open_pull_request(7, HEAD)

    Job(fake_github, tmp_path).publish(make_report(charts=(make_chart(),)), inputs={"charts": charts})

    assert fake_github.objects == {}


def test_without_the_permission_the_report_is_published_without_pictures(
    fake_github: FakeGitHub, tmp_path: Path
) -> None:
    fake_github.open_pull_request(7, HEAD)
    fake_github.tokens[TOKEN] = Token(permissions={"pull-requests": "write", "checks": "write"})

    published = Job(fake_github, tmp_path).publish(make_report(charts=(make_chart(),)))

    assert len(fake_github.comments(7)) == 1
    assert "the pictures" in published.notices[0]
    assert "  contents: write\n" in published.notices[0]
    assert not published.failed
