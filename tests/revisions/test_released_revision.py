"""Which revision is released, with real clones; what cannot be resolved is an error, never another revision."""

from pathlib import Path

import pytest

from metricgate.errors import WorkspaceError
from metricgate.processes.progress import QuietProgress
from metricgate.revisions.checkout import Checkout
from metricgate.revisions.released_revision import resolve_release
from metricgate.run import Request, run
from metricgate.settings.policy import ReleaseSpec
from tests.projects import TinyProject

VERSIONS = ("v1.9.0", "v1.10.0", "v1.10.1-rc1", "model-3")


def release(revision: str) -> ReleaseSpec:
    return ReleaseSpec(revision=revision)


@pytest.fixture
def tagged(tiny: TinyProject) -> dict[str, str]:
    """Tag a commit for each version, in another order than theirs, and push them; return their commits."""
    commits = {}
    for version in reversed(VERSIONS):
        commits[version] = tiny.commit(version)
        tiny.git("tag", "--annotate", "--message", version, version)
    tiny.git("push", "--quiet", "--tags", "origin", "main")
    return commits


def test_the_default_branch_is_released_as_origin_has_it(tiny: TinyProject, tmp_path: Path) -> None:
    clone = tiny.clone(tmp_path / "clone")
    moved = tiny.commit("main moved")
    tiny.git("push", "--quiet", "origin", "main")

    for spec, default_branch in ((None, "main"), (None, None), (release("main"), None)):
        found = resolve_release(Checkout.open(clone.root), spec, default_branch=default_branch)
        assert (found.sha, found.name) == (moved, "main")


@pytest.mark.parametrize("options", [("--no-tags",), ("--no-tags", "--depth=1")])
def test_the_newest_tag_by_version_is_fetched(
    tiny: TinyProject, tmp_path: Path, tagged: dict[str, str], options: tuple[str, ...]
) -> None:
    checkout = Checkout.open(tiny.clone(tmp_path / "clone", *options).root)

    for pattern, expected in {"v*": "v1.10.1-rc1", "v*[0-9].0": "v1.10.0", "model-*": "model-3"}.items():
        found = resolve_release(checkout, release(f"tag:{pattern}"))
        assert (found.sha, found.name) == (tagged[expected], expected)
    assert checkout.is_shallow == ("--depth=1" in options)


def test_a_commit_and_a_moved_tag_are_found(tiny: TinyProject, tmp_path: Path, tagged: dict[str, str]) -> None:
    checkout = Checkout.open(tiny.clone(tmp_path / "clone").root)
    tiny.git("tag", "--force", "model-3", tiny.commit("later"))
    tiny.git("push", "--quiet", "--force", "origin", "model-3", "main")

    assert resolve_release(checkout, release("model-3")).sha == tiny.sha("main")
    assert resolve_release(checkout, release(tagged["v1.9.0"])).sha == tagged["v1.9.0"]
    assert resolve_release(checkout, release(tagged["v1.9.0"][:10])).sha == tagged["v1.9.0"]


def test_a_repository_without_origin_has_its_own_tags(tiny: TinyProject, tagged: dict[str, str]) -> None:
    tiny.git("remote", "remove", "origin")

    found = resolve_release(Checkout.open(tiny.root), release("tag:v1.9*"))

    assert found.sha == tagged["v1.9.0"]


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        ("tag:w*", "No tag matches tag:w*"),
        ("v7", "The released revision 'v7' is neither in this clone nor on origin"),
        ("--upload-pack=true", "is neither in this clone nor on origin"),
        ("mlflow:churn@champion", "is in a model registry, and none was given"),
    ],
)
def test_what_cannot_be_resolved_is_an_error(tiny: TinyProject, revision: str, words: str) -> None:
    with pytest.raises(WorkspaceError, match=words.replace("*", r"\*")):
        resolve_release(Checkout.open(tiny.root), release(revision))


def test_tags_of_an_origin_that_does_not_answer_are_not_guessed(tiny: TinyProject, tagged: dict[str, str]) -> None:
    assert set(tiny.git("tag").split()) == set(tagged)
    tiny.git("remote", "set-url", "origin", str(tiny.origin.with_name("gone.git")))

    with pytest.raises(WorkspaceError, match="ls-remote"):
        resolve_release(Checkout.open(tiny.root), release("tag:v*"))


def test_an_anchor_without_a_revision_is_the_release(tiny: TinyProject, tmp_path: Path) -> None:
    tiny.git("tag", "v1")
    policy = tiny.read("metricgate.yaml")
    tiny.write("metricgate.yaml", f"{policy}release: {{revision: 'tag:v*'}}\nanchor: {{max_drop: {{accuracy: 0.3}}}}\n")
    tiny.write("params.yaml", "shift: 0.1\n")
    tiny.dvc("repro", "--quiet")
    tiny.commit("main loses a little")
    tiny.git("push", "--quiet", "--tags", "origin", "main")
    tiny.start_branch()
    tiny.write("note.txt", "a change\n")
    tiny.commit()

    report = run(Request(directory=tiny.root, output=tmp_path / "report"), QuietProgress())

    (row,) = [gate for gate in report.gates if gate.anchor]
    assert (row.baseline, row.candidate) == (1.0, 0.9)
