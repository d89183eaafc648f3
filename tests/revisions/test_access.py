"""The token goes to the job's own Git server, and to no program that the checkout's configuration names."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from metricgate.revisions.checkout import Checkout
from metricgate.revisions.git_command import Access
from tests.projects import TinyProject
from tests.revisions.git_server import EXPECTED, TOKEN, serve_git

HOOKS = ("reference-transaction", "post-checkout", "post-index-change", "pre-push", "pre-auto-gc", "post-rewrite")


@pytest.fixture
def server(tiny: TinyProject, tmp_path: Path) -> Iterator[str]:
    """Serve a bare copy of the project as team/churn.git, which becomes its origin."""
    bare = tmp_path / "server" / "team" / "churn.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(tiny.root), str(bare)], check=True)
    with serve_git(tmp_path / "server") as address:
        tiny.git("remote", "set-url", "origin", f"{address}/team/churn.git")
        yield address


@pytest.fixture
def spy(tmp_path: Path) -> tuple[Path, Path]:
    """Return a program that writes its name and its environment down, and where."""
    seen, program = tmp_path / "seen", tmp_path / "spy"
    program.write_text(
        f"#!{sys.executable} -IS\nimport os, sys\n"
        f"with open({str(seen)!r}, 'a') as file:\n    file.write(repr((sys.argv, dict(os.environ))) + chr(10))\n"
        "sys.exit(1)\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program, seen


def open_checkout(tiny: TinyProject, server: str) -> Checkout:
    return Checkout.open(tiny.root, Access(token=TOKEN, server_url=server))


def test_fetch_and_push_work_with_the_token_alone(tiny: TinyProject, server: str) -> None:
    checkout = open_checkout(tiny, server)

    assert checkout.push("HEAD:refs/heads/new") is None
    assert checkout.fetch("+refs/heads/new:refs/heads/back") is None
    assert checkout.find_commit("refs/heads/back") == checkout.head_sha


@pytest.mark.parametrize(
    "keys",
    [
        ("core.sshCommand",),
        ("core.gitProxy",),
        ("core.alternateRefsCommand",),
        ("core.askPass",),
        ("core.fsmonitor",),
        ("credential.helper",),
        ("credential.{server}.helper",),
        ("remote.origin.uploadpack", "remote.origin.receivepack"),
        ("push.gpgSign=true", "gpg.program"),
        ("push.gpgSign=if-asked", "gpg.program"),
        ("gc.auto=1", "core.pager", "core.editor", "diff.external", "uploadpack.packObjectsHook"),
        ("core.hooksPath={hooks}",),
        ("http.sslCertPasswordProtected=true", "http.sslCert", "http.proxySSLCertPasswordProtected=true"),
    ],
    ids=lambda keys: keys[0],
)
def test_no_program_of_the_checkouts_configuration_is_shown_the_token(
    tiny: TinyProject, server: str, spy: tuple[Path, Path], tmp_path: Path, keys: tuple[str, ...]
) -> None:
    program, seen = spy
    _make_hooks(tmp_path / "hooks", program)
    alternate = tmp_path / "alternate"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(tiny.root), str(alternate)], check=True)
    tiny.root.joinpath(".git/objects/info/alternates").write_text(f"{alternate}/objects\n", encoding="utf-8")
    for key in keys:
        name, _, value = key.format(server=server, hooks=tmp_path / "hooks").partition("=")
        tiny.git("config", name, value or str(program))

    for token in (TOKEN, "r-" + TOKEN):  # the second is refused, and Git would ask for another
        checkout = Checkout.open(tiny.root, Access(token=token, server_url=server))
        checkout.push("HEAD:refs/heads/new")
        checkout.fetch("+refs/heads/main:refs/heads/back")

    shown = seen.read_text(encoding="utf-8") if seen.exists() else ""
    assert "authorization: basic" not in shown.lower()
    assert TOKEN not in shown


def _make_hooks(folder: Path, program: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in HOOKS:
        (folder / name).symlink_to(program)


def test_the_spy_would_see_a_token_that_is_in_its_environment(
    tiny: TinyProject, spy: tuple[Path, Path], tmp_path: Path
) -> None:
    """Without it the test above could not fail."""
    program, seen = spy
    _make_hooks(tmp_path / "hooks", program)
    environment = {**os.environ, "A": EXPECTED}
    subprocess.run(
        ["git", "-c", f"core.hooksPath={tmp_path / 'hooks'}", "update-ref", "refs/heads/x", "HEAD"],
        cwd=tiny.root, env=environment, check=False, capture_output=True,
    )  # fmt: skip

    assert EXPECTED in seen.read_text(encoding="utf-8")


def test_hooks_and_file_watchers_of_the_checkout_have_no_part_in_our_commands(
    tiny: TinyProject, spy: tuple[Path, Path]
) -> None:
    program, seen = spy
    _make_hooks(tiny.root / ".git/hooks", program)
    tiny.git("config", "core.fsmonitor", str(program))
    checkout = Checkout.open(tiny.root)

    checkout.is_dirty()
    checkout.git("update-ref", "refs/metricgate/x", "HEAD")
    with checkout.worktree(checkout.head_sha):
        pass

    assert not seen.exists()


def test_an_origin_over_ssh_keeps_its_own_key_and_is_not_offered_the_token(
    tiny: TinyProject, spy: tuple[Path, Path]
) -> None:
    """actions/checkout with `ssh-key` writes core.sshCommand."""
    program, seen = spy
    tiny.git("config", "core.sshCommand", str(program))
    tiny.git("config", "ssh.variant", "ssh")  # else Git asks the program first which one it is
    tiny.git("remote", "set-url", "origin", "git@127.0.0.1:team/churn.git")

    open_checkout(tiny, "http://127.0.0.1").fetch("refs/heads/main")

    shown = seen.read_text(encoding="utf-8")
    assert "team/churn.git" in shown
    assert EXPECTED.split()[1] not in shown
    assert len(shown.splitlines()) == 1


def test_a_push_address_elsewhere_is_not_offered_the_token(
    tiny: TinyProject, server: str, spy: tuple[Path, Path]
) -> None:
    program, seen = spy
    tiny.git("config", "remote.origin.pushurl", "git@127.0.0.1:team/churn.git")
    tiny.git("config", "core.sshCommand", str(program))

    assert open_checkout(tiny, server).push("HEAD:refs/heads/new") is not None
    assert EXPECTED.split()[1] not in seen.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("address", "server", "offered"),
    [
        ("https://github.com/acme/churn", "https://github.com", True),
        ("https://github.com/acme/churn.git", "https://github.com/", True),
        ("https://github.com:443/acme/churn", "https://github.com", True),
        ("https://ann@GitHub.com/acme/churn", "https://github.com", True),
        ("https://ghe.example/git/acme/churn", "https://ghe.example/git", True),
        ("http://github.com/acme/churn", "https://github.com", False),
        ("https://github.com:8443/acme/churn", "https://github.com", False),
        ("https://github.com.evil.example/acme/churn", "https://github.com", False),
        ("https://github.com@evil.example/acme/churn", "https://github.com", False),
        ("https://ghe.example/other/churn", "https://ghe.example/git", False),
        ("https://ghe.example/gitother/churn", "https://ghe.example/git", False),
        ("git@github.com:acme/churn.git", "https://github.com", False),
        ("ssh://git@github.com/acme/churn", "https://github.com", False),
        ("ext::sh -c evil", "https://github.com", False),
        ("/srv/git/churn", "https://github.com", False),
        ("file:///srv/git/churn", "https://github.com", False),
        ("https://github.com:x/acme", "https://github.com", False),
        ("", "https://github.com", False),
    ],
)
def test_only_an_http_address_below_the_servers_is_offered_the_token(
    address: str, server: str, *, offered: bool
) -> None:
    assert Access(token=TOKEN, server_url=server).is_for(address) is offered
    assert not Access(token="", server_url=server).is_for(address)
