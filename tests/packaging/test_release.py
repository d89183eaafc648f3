"""The release script: one version everywhere, tags on a commit that names the image by its digest, one draft."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from metricgate import __version__
from scripts import release
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.faults import Fault, answer
from tests.github.state import Token

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "5" * 64
OTHER = "sha256:" + "6" * 64
IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@b.example")
EXAMPLE = "      - uses: metricgate/metricgate@v1 # better: the full SHA of a release\n"


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a clone of a bare origin, with the kinds of files that a release reads and writes."""
    origin, clone = tmp_path / "origin.git", tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    (clone / "src/metricgate").mkdir(parents=True)
    (clone / "examples/gitlab").mkdir(parents=True)
    (clone / ".github/workflows").mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", clone)
    shutil.copy(ROOT / release.GATE, clone / release.GATE)
    (clone / "src/metricgate/__init__.py").write_text('__version__ = "1.2.2"\n', encoding="utf-8")
    (clone / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- All.\n\n## [1.2.2] - 2026-11-01\n\n- Old.\n", encoding="utf-8"
    )
    (clone / "README.md").write_text(EXAMPLE, encoding="utf-8")
    (clone / "examples/gitlab/.gitlab-ci.yml").write_text('    METRICGATE_VERSION: "1.2.2"\n', encoding="utf-8")
    release_commit(clone, "1.2.3")
    return clone


def release_commit(clone: Path, version: str) -> None:
    """Prepare a version as a maintainer does, and merge it."""
    release.prepare_release(clone, version)
    git(clone, "add", ".")
    git(clone, *IDENTITY, "commit", "--quiet", "--message", f"Prepare {version}")
    git(clone, "push", "--quiet", "origin", "HEAD:main")


def list_tags(repository: Path) -> dict[str, str]:
    lines = git(repository, "ls-remote", "--tags", "origin").splitlines()
    return {line.split("\t")[1].removeprefix("refs/tags/"): line.split("\t")[0] for line in lines}


def test_a_prepared_version_stands_everywhere(repository: Path) -> None:
    assert release.find_problems(repository, "1.2.3") == []

    (repository / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", encoding="utf-8")
    release.prepare_release(repository, "2.0.0")

    assert "metricgate@v2 #" in (repository / "README.md").read_text(encoding="utf-8")
    assert '"2.0.0"' in (repository / "examples/gitlab/.gitlab-ci.yml").read_text(encoding="utf-8")
    assert re.search(r"## \[2\.0\.0\] - \d{4}-\d\d-\d\d", (repository / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_this_repository_names_one_version_and_its_tag() -> None:
    assert release.find_strays(ROOT, __version__) == []
    named = [path for path in release.list_naming(ROOT) if release.TAGS.search(path.read_text(encoding="utf-8"))]
    assert {
        ROOT / "README.md",
        ROOT / "pyproject.toml",
        ROOT / "examples/workflows/reusable.yml",
        ROOT / ".github/workflows/gate.yml",
    } <= set(named)


def test_this_changelog_starts_with_what_comes_next_or_this_version() -> None:
    assert release.find_problems(ROOT, __version__) in ([], [f"CHANGELOG.md starts with Unreleased, not {__version__}"])


def test_the_release_commit_names_the_digest_and_main_stays(repository: Path) -> None:
    main = git(repository, "rev-parse", "HEAD")

    release.tag_release(repository, "1.2.3", DIGEST)

    tags = list_tags(repository)
    assert tags["v1"] == tags["v1.2.3"]
    assert git(repository, "ls-remote", "origin", "refs/heads/main").split()[0] == main
    git(repository, "fetch", "--quiet", "--tags")
    assert f"image: docker://ghcr.io/metricgate/metricgate@{DIGEST}" in git(repository, "show", "v1.2.3:action.yml")
    changed = git(repository, "diff", "--name-only", main, tags["v1"]).splitlines()
    assert changed == [".github/workflows/gate.yml", "action.yml"]
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("version", ["1.2.4", "1.3.0rc1"])
def test_whoever_pins_the_reusable_workflow_pins_the_action(repository: Path, version: str) -> None:
    (repository / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", encoding="utf-8")
    release_commit(repository, version)

    release.tag_release(repository, version, DIGEST)

    git(repository, "fetch", "--quiet", "--tags")
    text = git(repository, "show", f"v{version}:.github/workflows/gate.yml")
    assert set(re.findall(r"uses: metricgate/metricgate@(\S+)", text)) == {f"v{version}"}


def test_a_repeated_run_keeps_the_image_of_the_first(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.tag_release(repository, "1.2.3", DIGEST)
    before = list_tags(repository)
    git(tmp_path, "clone", "--quiet", "--depth=1", (tmp_path / "origin.git").as_uri(), "again")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))

    release.tag_release(tmp_path / "again", "1.2.3", OTHER)

    assert list_tags(repository) == before
    assert (tmp_path / "output").read_text(encoding="utf-8") == f"sha={before['v1']}\ndigest={DIGEST}\n"


def test_a_run_after_the_tag_alone_was_pushed_moves_the_major_tag(repository: Path) -> None:
    release.tag_release(repository, "1.2.3", DIGEST)
    git(repository, "push", "--quiet", "origin", ":refs/tags/v1")

    release.tag_release(repository, "1.2.3", DIGEST)

    assert list_tags(repository)["v1"] == list_tags(repository)["v1.2.3"]


def test_both_tags_are_pushed_or_none(repository: Path, tmp_path: Path) -> None:
    hook = tmp_path / "origin.git/hooks/update"
    hook.write_text('#!/bin/sh\ntest "$1" != refs/tags/v1\n', encoding="utf-8")
    hook.chmod(0o755)

    with pytest.raises(release.ReleaseError, match="git push"):
        release.tag_release(repository, "1.2.3", DIGEST)

    assert list_tags(repository) == {}


def test_a_released_version_is_never_moved(repository: Path) -> None:
    release.tag_release(repository, "1.2.3", DIGEST)
    before = list_tags(repository)
    (repository / "README.md").write_text("later\n", encoding="utf-8")
    git(repository, *IDENTITY, "commit", "--quiet", "--all", "--message", "Later")

    with pytest.raises(release.ReleaseError, match="released from another commit"):
        release.tag_release(repository, "1.2.3", OTHER)

    assert list_tags(repository) == before


def test_a_repair_of_an_old_version_does_not_move_the_major_tag_back(repository: Path) -> None:
    old = git(repository, "rev-parse", "HEAD")
    (repository / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", encoding="utf-8")
    release_commit(repository, "1.10.0")
    release.tag_release(repository, "1.10.0", DIGEST)
    newest = list_tags(repository)["v1"]
    git(repository, "switch", "--quiet", "--detach", old)

    release.tag_release(repository, "1.2.3", OTHER)

    assert list_tags(repository)["v1"] == newest == list_tags(repository)["v1.10.0"]
    assert "v1.2.3" in list_tags(repository)


def test_a_release_candidate_moves_no_major_tag(repository: Path) -> None:
    (repository / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n", encoding="utf-8")
    release_commit(repository, "1.3.0rc1")

    release.tag_release(repository, "1.3.0rc1", DIGEST)

    assert set(list_tags(repository)) == {"v1.3.0rc1"}


def test_what_differs_is_refused_and_named(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "README.md").write_text(EXAMPLE.replace("@v1", "@v0"), encoding="utf-8")

    with pytest.raises(release.ReleaseError) as caught:
        release.tag_release(repository, "1.2.4", "latest")

    said = str(caught.value)
    assert "CHANGELOG.md starts with 1.2.3, not 1.2.4" in said
    assert "__init__.py says 1.2.3, not 1.2.4" in said
    assert "README.md:1 names v0, not v1" in said
    assert "examples/gitlab/.gitlab-ci.yml:1 names 1.2.3, not 1.2.4" in said
    assert "'latest' is not a digest" in said
    assert list_tags(repository) == {}
    assert release.main(["check", "1.2"]) == 1
    assert "'1.2' is not X.Y.Z or X.Y.ZrcN" in capsys.readouterr().err


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    with FakeGitHub().serve() as fake:
        for name, value in {"API_URL": fake.url, "REPOSITORY": REPOSITORY, "TOKEN": TOKEN}.items():
            monkeypatch.setenv(f"GITHUB_{name}", value)
        yield fake


def test_the_draft_has_the_changes_and_the_commit_to_pin(repository: Path, github: FakeGitHub) -> None:
    release.tag_release(repository, "1.2.3", DIGEST)

    release.draft_release(repository, "1.2.3")
    release.draft_release(repository, "1.2.3")  # a repeated run

    (drafted,) = github.releases
    notes = str(drafted["body"])
    assert (drafted["tag_name"], drafted["name"], drafted["draft"], drafted["prerelease"]) == (
        "v1.2.3",
        "1.2.3",
        True,
        False,
    )
    assert notes.startswith("### Fixed\n\n- All.\n")
    assert "Old" not in notes
    assert f"- uses: metricgate/metricgate@{list_tags(repository)['v1.2.3']} # v1.2.3" in notes
    assert DIGEST in notes


def test_no_draft_without_a_tag(repository: Path, github: FakeGitHub) -> None:
    with pytest.raises(release.ReleaseError, match=r"origin has no tag v1\.2\.3"):
        release.draft_release(repository, "1.2.3")

    assert github.requests == []


@pytest.mark.parametrize(
    ("level", "fault", "said"),
    [("read", None, "403"), ("write", answer(502), "GitHub answered 502")],
)
def test_a_draft_that_github_refuses_is_an_error_and_the_next_run_makes_it(
    repository: Path, github: FakeGitHub, level: str, fault: Fault | None, said: str
) -> None:
    release.tag_release(repository, "1.2.3", DIGEST)
    github.tokens[TOKEN] = Token(permissions={"contents": level})
    if fault:
        github.fail("POST .*/releases", fault)

    with pytest.raises(release.ReleaseError, match=said):
        release.draft_release(repository, "1.2.3")
    github.tokens[TOKEN] = Token()
    release.draft_release(repository, "1.2.3")

    assert len(github.releases) == 1


def test_each_line_of_the_workflow_is_rehearsed_or_listed_as_not_rehearsed() -> None:
    """tests/container/test_rehearsal.py runs every line but one, and plays every other action."""
    workflow = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    said = (ROOT / "docs/releasing.md").read_text(encoding="utf-8")

    assert read_lines().count("make lint test acceptance") == 1
    not_rehearsed = said[said.index("no: they exist only on the platforms") - 400 :]
    for name in ("arm64", "attestation", "GHCR", "PyPI", "Marketplace", "scan"):
        assert name in not_rehearsed, name
    assert set(re.findall(r"uses: (\S+)@", workflow)) == set(list_played())


def list_played() -> list[str]:
    text = (ROOT / "tests/container/test_rehearsal.py").read_text(encoding="utf-8")
    return re.findall(r'^    "([\w-]+/[\w-]+)": ', text, re.MULTILINE)


def read_lines() -> list[str]:
    """Return the command lines of the release workflow."""
    workflow = YAML(typ="safe").load(ROOT / ".github/workflows/release.yml")
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def test_nothing_is_public_before_everything_was_tried() -> None:
    jobs = YAML(typ="safe").load(ROOT / ".github/workflows/release.yml")["jobs"]
    public = {name for name, job in jobs.items() if re.search(r"uv publish|release\.py (tag|draft)", str(job["steps"]))}

    assert public == {"publish", "tag"}
    assert set(jobs["publish"]["needs"]) == {"try-package", "try-image"}
    assert "publish" in jobs["tag"]["needs"]
    assert all("environment" in jobs[name] for name in public)


def test_the_script_needs_nothing_installed(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(ROOT / "scripts/release.py"), "check", "1.2.3"],
        cwd=repository,
        env={"PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, "1.2.3 can be released\n")
