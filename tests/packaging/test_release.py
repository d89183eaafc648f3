"""The part of a release that can be rehearsed: versions, and tags on a commit that names the image by its digest."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from scripts import release

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "5" * 64


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a clone of a bare origin, with the files of this project that a release reads and writes."""
    origin, clone = tmp_path / "origin.git", tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch", "main", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    (clone / "src/metricgate").mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", clone)
    (clone / "src/metricgate/__init__.py").write_text('__version__ = "1.2.3"\n', encoding="utf-8")
    (clone / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.3] - 2026-12-01\n", encoding="utf-8")
    git(clone, "add", ".")
    git(clone, "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "--quiet", "--message", "all")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    return clone


def test_the_release_commit_names_the_digest_and_main_stays(repository: Path) -> None:
    main = git(repository, "rev-parse", "HEAD")

    assert release.tag_release(repository, "1.2.3", DIGEST) == 0

    tags = git(repository, "ls-remote", "origin")
    commit = git(repository, "rev-parse", "v1.2.3")
    assert f"{commit}\trefs/tags/v1.2.3" in tags
    assert f"{commit}\trefs/tags/v1" in tags
    assert f"{main}\trefs/heads/main" in tags
    assert f"image: docker://ghcr.io/metricgate/metricgate@{DIGEST}" in git(repository, "show", "v1.2.3:action.yml")
    assert git(repository, "diff", "--name-only", main, commit) == "action.yml"


def test_the_lines_of_the_workflow_release_a_version(repository: Path) -> None:
    """Run its two lines that call the script, unchanged, with the variables that the workflow sets."""
    (repository / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/release.py", repository / "scripts")
    lines = [line for line in read_lines() if "release.py" in line]
    assert len(lines) == 2
    variables = {"VERSION": "1.2.3", "DIGEST": DIGEST, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    for line in lines:
        subprocess.run(["bash", "-e", "-c", line], cwd=repository, env=os.environ | variables, check=True)

    assert DIGEST in git(repository, "show", "v1:action.yml")


def test_each_line_of_the_workflow_is_rehearsed_or_listed_as_not_rehearsed() -> None:
    rehearsed = {
        'python scripts/release.py check "$VERSION"': "above",
        'python scripts/release.py tag "$VERSION" "$DIGEST"': "above",
        "make lint test acceptance": "every change runs it before it is merged",
        "make .venv/ready": "every make target runs it",
        ".venv/bin/uv build --build-constraints requirements/dev.txt": "below",
    }
    said = (ROOT / "docs/releasing.md").read_text(encoding="utf-8")

    assert set(read_lines()) - set(rehearsed) == {".venv/bin/uv publish --trusted-publishing always"}
    assert "PyPI" in said[said.index("no: they exist only on the platforms") - 200 :]


@pytest.mark.acceptance
def test_the_package_is_built_with_the_locked_tools(tmp_path: Path) -> None:
    (line,) = (line for line in read_lines() if "uv build" in line)
    command = line.replace(".venv/bin/uv", str(Path(sys.executable).parent / "uv"))

    subprocess.run([*command.split(), "--out-dir", str(tmp_path)], cwd=ROOT, check=True, capture_output=True)

    built = {path.name for path in tmp_path.iterdir() if path.suffix != ".gitignore" and path.name != ".gitignore"}
    assert built == {f"metricgate-{_package_version()}{end}" for end in (".tar.gz", "-py3-none-any.whl")}


def read_lines() -> list[str]:
    """Return the command lines of the release workflow."""
    workflow = YAML(typ="safe").load(ROOT / ".github/workflows/release.yml")
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def test_a_released_version_is_never_moved(repository: Path) -> None:
    release.tag_release(repository, "1.2.3", DIGEST)
    git(repository, "switch", "--quiet", "main")

    with pytest.raises(subprocess.CalledProcessError):
        release.tag_release(repository, "1.2.3", "sha256:" + "6" * 64)


def test_a_version_that_differs_from_package_or_changelog_is_refused(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release.tag_release(repository, "1.2.4", "latest") == 1

    assert "CHANGELOG.md starts with 1.2.3, not 1.2.4" in (said := capsys.readouterr().err)
    assert "__init__.py says 1.2.3, not 1.2.4" in said
    assert "'latest' is not a digest" in said
    assert git(repository, "tag") == ""


def test_this_changelog_starts_with_what_comes_next_or_this_version() -> None:
    problems = release.find_problems(ROOT, "0.0.0")

    assert problems[-1] in {
        "CHANGELOG.md starts with Unreleased, not 0.0.0",
        f"CHANGELOG.md starts with {_package_version()}, not 0.0.0",
    }


def _package_version() -> str:
    from metricgate import __version__  # noqa: PLC0415

    return __version__
