import base64
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from metricgate.errors import ConfigurationError, WorkspaceError
from metricgate.revisions.ancestry import fetch_commit
from metricgate.revisions.baseline_revision import resolve_baseline
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.git_command import Access
from metricgate.trigger.triggers import PullRequest, Trigger, TriggerKind
from tests.projects import TinyProject

MAIN = "refs/heads/main"


def open_request(tiny: TinyProject, *, commits: int = 1, main_moves: bool = True) -> dict[str, str]:
    """Open pull request 7 on origin as GitHub does: its head, and main with the head merged into it."""
    base = tiny.sha("main")
    tiny.start_branch("change")
    for number in range(commits):
        tiny.write("note.txt", f"{number}\n")
        tiny.commit(f"change {number}")
    head = tiny.sha()
    tiny.git("switch", "--quiet", "main")
    if main_moves:
        tiny.write("other.txt", "main moved\n")
        tiny.commit("main moved")
    tip = tiny.sha()
    tiny.git("merge", "--quiet", "--no-ff", "--no-edit", "change")
    merge = tiny.sha()
    tiny.git("reset", "--quiet", "--hard", tip)
    tiny.git("push", "--quiet", "origin", MAIN, f"{head}:refs/pull/7/head", f"{merge}:refs/pull/7/merge")
    tiny.git("push", "--quiet", "origin", "change")
    return {"base": base, "head": head, "tip": tip, "merge": merge}


def clone_at(tiny: TinyProject, directory: Path, sha: str, *, depth: int | None) -> Checkout:
    """Check ``sha`` out as actions/checkout does: one commit, or the whole history."""
    directory.mkdir()
    clone = TinyProject(root=directory, remote=tiny.remote, origin=tiny.origin)
    clone.git("init", "--quiet")
    clone.git("remote", "add", "origin", tiny.origin.as_uri())
    refspec = f"+{sha}:refs/remotes/pull/7/merge" if depth else "+refs/*:refs/remotes/origin-all/*"
    clone.git("fetch", "--quiet", "--no-tags", *([f"--depth={depth}"] if depth else []), "origin", refspec)
    if depth is None:
        clone.git("fetch", "--quiet", "origin")
    clone.git("checkout", "--quiet", "--detach", sha)
    return Checkout.open(directory)


def pull_request(shas: dict[str, str], **changes: object) -> Trigger:
    request = PullRequest(
        number=7,
        head_sha=shas["head"],
        head_ref="change",
        head_repository="team/churn",
        base_sha=shas["base"],
        base_ref="main",
    )
    trigger = Trigger(kind=TriggerKind.PULL_REQUEST, sha=shas["merge"], ref="refs/pull/7/merge", pull_request=request)
    return replace(trigger, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [1, None])
def test_merge_commit_of_a_pull_request_is_compared_with_its_first_parent(
    tiny: TinyProject, tmp_path: Path, depth: int | None
) -> None:
    shas = open_request(tiny)
    checkout = clone_at(tiny, tmp_path / "ci", shas["merge"], depth=depth)

    baseline = resolve_baseline(checkout, pull_request(shas))

    assert baseline is not None
    assert (baseline.sha, baseline.name) == (shas["tip"], "main")
    assert "merged this pull request" in baseline.reason
    assert checkout.read_text(baseline.sha, "other.txt") == "main moved\n"
    assert checkout.is_shallow == (depth is not None)


@pytest.mark.parametrize("depth", [1, None])
def test_head_of_a_pull_request_is_compared_with_where_it_left_main(
    tiny: TinyProject, tmp_path: Path, depth: int | None
) -> None:
    shas = open_request(tiny, commits=3)
    checkout = clone_at(tiny, tmp_path / "ci", shas["head"], depth=depth)

    baseline = resolve_baseline(checkout, pull_request(shas))

    assert baseline is not None
    assert baseline.sha == shas["base"]
    assert baseline.reason == "where this branch left main"


@pytest.mark.parametrize("name", ["refs/heads/main", "tip"])
def test_fetching_into_a_full_clone_does_not_cut_its_history(tiny: TinyProject, tmp_path: Path, name: str) -> None:
    checkout = Checkout.open(tiny.clone(tmp_path / "clone").root)
    shas = open_request(tiny)

    assert fetch_commit(checkout, shas.get(name, name)) == shas["tip"]
    assert not checkout.is_shallow
    assert checkout.git("rev-list", "--count", shas["tip"]) == "2"


def test_branch_that_merged_main_into_itself_is_no_merge_commit_of_github(tiny: TinyProject, tmp_path: Path) -> None:
    shas = open_request(tiny)
    tiny.git("switch", "--quiet", "change")
    tiny.git("merge", "--quiet", "--no-edit", "main")
    head = tiny.sha()
    tiny.git("push", "--quiet", "origin", "change", f"{head}:refs/pull/7/head")
    checkout = clone_at(tiny, tmp_path / "ci", head, depth=1)

    # The event's base is older than the main that was merged in: the branch's tip on origin decides.
    baseline = resolve_baseline(checkout, pull_request(shas | {"head": head}))

    assert baseline is not None
    assert baseline.sha == shas["tip"]
    assert baseline.reason == "where this branch left main"


def test_merge_queue_is_compared_with_its_base(tiny: TinyProject, tmp_path: Path) -> None:
    shas = open_request(tiny)
    checkout = clone_at(tiny, tmp_path / "ci", shas["merge"], depth=1)
    trigger = Trigger(kind=TriggerKind.MERGE_GROUP, merge_group_base=shas["tip"], default_branch="main")

    baseline = resolve_baseline(checkout, trigger)

    assert baseline is not None
    assert baseline.sha == shas["tip"]


def push_to_main(before: str | None) -> Trigger:
    return Trigger(kind=TriggerKind.PUSH, ref=MAIN, before=before, default_branch="main")


def test_push_is_compared_with_what_was_there_before(tiny: TinyProject, tmp_path: Path) -> None:
    before = tiny.sha()
    tiny.commit("one")
    tiny.commit("two")
    tiny.git("push", "--quiet", "origin", "main")
    checkout = clone_at(tiny, tmp_path / "ci", tiny.sha(), depth=1)

    baseline = resolve_baseline(checkout, push_to_main(before))

    assert baseline is not None
    assert (baseline.sha, baseline.reason) == (before, "main as it was before this push")


@pytest.mark.parametrize("before", [None, "0123456789012345678901234567890123456789"])
def test_push_without_a_known_before_is_compared_with_the_first_parent(
    tiny: TinyProject, tmp_path: Path, before: str | None
) -> None:
    parent = tiny.sha()
    tiny.commit("one")
    tiny.git("push", "--quiet", "origin", "main")
    checkout = clone_at(tiny, tmp_path / "ci", tiny.sha(), depth=1)

    baseline = resolve_baseline(checkout, push_to_main(before))

    assert baseline is not None
    assert baseline.sha == parent
    assert ("is gone" if before else "is new") in baseline.reason


def test_first_commit_of_the_default_branch_has_no_baseline(tiny: TinyProject) -> None:
    assert resolve_baseline(Checkout.open(tiny.root), push_to_main(None)) is None
    assert resolve_baseline(Checkout.open(tiny.root), Trigger(kind=TriggerKind.LOCAL)) is None


def test_local_branch_is_compared_with_where_it_left_the_default_branch(tiny: TinyProject) -> None:
    base = tiny.sha()
    tiny.start_branch()
    tiny.commit("mine")

    baseline = resolve_baseline(Checkout.open(tiny.root), Trigger(kind=TriggerKind.LOCAL))

    assert baseline is not None
    assert baseline.sha == base


def test_uncommitted_work_on_main_is_compared_with_the_last_commit(tiny: TinyProject) -> None:
    tiny.write("params.yaml", "shift: 0.3\n")

    baseline = resolve_baseline(Checkout.open(tiny.root), Trigger(kind=TriggerKind.LOCAL))

    assert baseline is not None
    assert baseline.sha == tiny.sha()


@pytest.mark.parametrize("name", ["v1.0.0", "main", "HEAD~1"])
def test_requested_revision_is_found_here_or_on_origin(tiny: TinyProject, tmp_path: Path, name: str) -> None:
    tiny.git("tag", "v1.0.0")
    tiny.commit("later")
    tiny.git("push", "--quiet", "origin", "main", "v1.0.0")
    checkout = clone_at(tiny, tmp_path / "ci", tiny.sha(), depth=None if name == "HEAD~1" else 1)

    baseline = resolve_baseline(checkout, Trigger(kind=TriggerKind.LOCAL), requested=name)

    assert baseline is not None
    assert baseline.sha == tiny.sha(name)
    assert checkout.is_shallow == (name != "HEAD~1")


def test_unknown_requested_revision_is_an_error_that_names_it(tiny: TinyProject) -> None:
    with pytest.raises(WorkspaceError, match="'v9' is neither in this clone nor on origin"):
        resolve_baseline(Checkout.open(tiny.root), Trigger(kind=TriggerKind.LOCAL), requested="v9")


def test_deepening_stops_as_soon_as_the_common_ancestor_is_there(tiny: TinyProject, tmp_path: Path) -> None:
    for number in range(20):
        tiny.commit(f"history {number}")
    shas = open_request(tiny, commits=5)
    checkout = clone_at(tiny, tmp_path / "ci", shas["head"], depth=1)

    baseline = resolve_baseline(checkout, pull_request(shas))

    assert baseline is not None
    assert baseline.sha == shas["base"]
    assert checkout.is_shallow
    assert int(checkout.git("rev-list", "--count", "HEAD")) < 20


def test_missing_folder_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        Checkout.open(tmp_path / "missing")


def test_folder_without_git_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="is not in a Git repository"):
        Checkout.open(tmp_path)


def test_repository_without_a_commit_is_an_error(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)

    with pytest.raises(WorkspaceError, match="has no commit"):
        Checkout.open(tmp_path)


def test_folder_of_somebody_else_is_an_error_with_its_cure(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    with pytest.raises(WorkspaceError, match="belongs to another user") as caught:
        Checkout.open(tiny.root)

    assert f"git config --global --add safe.directory {tiny.root}" in caught.value.fix


@pytest.fixture
def refusing_server() -> Iterator[tuple[str, list[str | None]]]:
    """Serve Git over HTTP to nobody; yield the address, and the Authorization headers that came."""
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


def test_token_is_tried_after_the_credentials_of_the_checkout_and_stands_in_no_file(
    tiny: TinyProject, refusing_server: tuple[str, list[str | None]]
) -> None:
    address, seen = refusing_server
    tiny.git("remote", "set-url", "origin", f"{address}/team/churn.git")
    tiny.git("config", f"http.{address}/.extraheader", "AUTHORIZATION: basic b3Vycw==")

    words = Checkout.open(tiny.root, Access(token="a-token", server_url=address)).fetch("refs/heads/main")

    assert words is not None
    assert "403" in words
    assert seen == ["basic b3Vycw==", "basic " + base64.b64encode(b"x-access-token:a-token").decode()]
    assert "a-token" not in (tiny.root / ".git/config").read_text()
    assert "a-token" not in repr(Access(token="a-token"))
