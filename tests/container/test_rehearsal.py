"""A whole release, as release.yml does it: from a fresh clone to a bare repository, a registry and an index of this machine."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.base_image import usable_dockerfile
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.packaging import workflow_runner
from tests.packaging.workflow_runner import Job, Run, StepFailed, Values, git
from tests.pythons import find_pythons

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).parents[2]
VERSION = "7.8.9"  # never this project's own: what still names another version fails
TEST_LINE = "make lint test acceptance"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository whose main is this working tree, prepared by the script for a release."""
    source, bare = tmp_path / "source", tmp_path / "origin.git"
    listed = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in filter(None, git(ROOT, *listed).split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(source, "init", "--quiet", "--initial-branch=main")
    command = [sys.executable, "-I", str(ROOT / "scripts/release.py"), "prepare", VERSION]
    subprocess.run(command, cwd=source, check=True)
    git(source, "add", ".")
    git(source, "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "--quiet", "--message", "Release")
    git(source, "push", "--quiet", str(bare), "main")
    return bare


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Yield the address of an image registry."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry: no release was rehearsed")
    settings, log = tmp_path / "registry.yml", tmp_path / "registry.log"
    settings.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path / 'images'}}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n",
        encoding="utf-8",
    )
    with (
        log.open("w") as output,
        subprocess.Popen([program, "serve", str(settings)], stdout=output, stderr=subprocess.STDOUT) as serving,
    ):
        try:
            while (found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text())) is None:
                assert serving.poll() is None, log.read_text()
            yield found[1]
        finally:
            serving.terminate()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Yield the address of a package index."""
    (tmp_path / "packages").mkdir()
    program = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("package_index.py"))]
    with subprocess.Popen([*program, str(tmp_path / "packages")], stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout
        try:
            yield f"http://127.0.0.1:{int(serving.stdout.readline())}"
        finally:
            serving.terminate()


def build_image(job: Job, given: Values) -> None:
    """Play docker/build-push-action: build, push, and output the digest."""
    repository = job.run.environment["IMAGE"]
    arguments = [part for line in given["build-args"].splitlines() for part in ("--build-arg", line)]
    with usable_dockerfile() as dockerfile:
        build = ["docker", "build", "--network=host", "--tag", f"{repository}:built", "--file", str(dockerfile)]
        subprocess.run([*build, *arguments, str(job.workspace)], check=True, capture_output=True)
    done = subprocess.run(["docker", "push", f"{repository}:built"], check=True, capture_output=True, text=True)
    (digest,) = re.findall(r"digest: (sha256:\w+)", done.stdout)
    Path(job.variables["GITHUB_OUTPUT"]).write_text(f"digest={digest}\n", encoding="utf-8")


def attest(job: Job, given: Values) -> None:
    """Play the attestation: what it would sign exists."""
    if "subject-path" in given:
        assert len(list(job.workspace.glob(given["subject-path"]))) == 2
    else:
        assert re.fullmatch(r"sha256:[0-9a-f]{64}", given["subject-digest"])


PLAYERS = {
    "actions/checkout": workflow_runner.clone,
    "actions/setup-python": workflow_runner.use_python,
    "actions/upload-artifact": workflow_runner.upload,
    "actions/download-artifact": workflow_runner.download,
    "actions/attest-build-provenance": attest,
    "anchore/scan-action": workflow_runner.do_nothing,
    "docker/build-push-action": build_image,
    "docker/login-action": workflow_runner.do_nothing,
    "docker/setup-buildx-action": workflow_runner.do_nothing,
}


def add_plugin(folder: Path) -> Path:
    plugin = folder / "docker-config/cli-plugins/docker-buildx"
    plugin.parent.mkdir(parents=True)
    script = Path(__file__).with_name("imagetools.py").read_text(encoding="utf-8")
    plugin.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    plugin.chmod(0o755)
    return folder / "docker-config"


def test_a_release_that_failed_in_the_middle_is_finished_by_the_next_run(
    image: str, origin: Path, registry: str, index: str, tmp_path: Path
) -> None:
    assert image  # the build's layers are there
    refusing = origin / "hooks/pre-receive"
    refusing.write_text("#!/bin/sh\necho 'no tags today' >&2\nexit 1\n", encoding="utf-8")
    refusing.chmod(0o755)
    with FakeGitHub().serve() as fake:
        variables = {
            "DOCKER_CONFIG": str(add_plugin(tmp_path)),
            "GITHUB_API_URL": fake.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
            "IMAGE": f"{registry}/metricgate/metricgate",
            "UV_INDEX": f"{index}/simple/",
            "UV_PUBLISH_CHECK_URL": f"{index}/simple/",
            "UV_PUBLISH_PASSWORD": "any",
            "UV_PUBLISH_URL": index,
            "UV_PUBLISH_USERNAME": "any",
        }
        # Each of the package's files is tried once: it is the same in both runs.
        first, second = (
            Run(
                workflow=ROOT / ".github/workflows/release.yml",
                origin=origin,
                folder=tmp_path / name,
                inputs={"version": VERSION},
                variables=variables,
                players=PLAYERS,
                pythons={"3.13": Path(sys.executable), **find_pythons()},
                skipped=frozenset(
                    {TEST_LINE, f'python scripts/release_trial.py package dist/metricgate-*{skipped} "$VERSION"'}
                ),
            )
            for name, skipped in (("first", ".tar.gz"), ("second", ".whl"))
        )

        with pytest.raises(StepFailed, match="no tags today"):
            first.run()

        assert first.done[-1].startswith("tag: docker/login-action")
        assert {path.suffix for path in (tmp_path / "packages").iterdir()} == {".whl", ".gz"}
        assert git(origin, "tag") == ""
        assert fake.releases == []

        refusing.unlink()
        second.run()

        assert second.done[-1] == 'tag: python3 scripts/release.py draft "$VERSION"'
        assert git(origin, "tag").split() == ["v7", f"v{VERSION}"]
        assert git(origin, "rev-parse", "v7") == git(origin, "rev-parse", f"v{VERSION}")
        (digest,) = re.findall(r"image: docker://.+@(sha256:\w+)", git(origin, "show", "v7:action.yml"))
        released = f"{registry}/metricgate/metricgate"
        plugin = [
            str(Path(variables["DOCKER_CONFIG"]) / "cli-plugins/docker-buildx"),
            "buildx",
            "imagetools",
            "inspect",
        ]
        inspect = [*plugin, f"{released}:{VERSION}", "--format", "{{.Manifest.Digest}}"]
        assert subprocess.run(inspect, check=True, capture_output=True, text=True).stdout.strip() == digest
        (release,) = fake.releases
        assert (release["tag_name"], release["draft"], release["prerelease"]) == (f"v{VERSION}", True, False)
        assert f"metricgate@{git(origin, 'rev-parse', 'v7')} # v{VERSION}" in str(release["body"])
        assert "### Added" in str(release["body"])
        left_out = {line.split(": ")[-1] for line in second.not_run} - second.skipped
        assert left_out <= {"image arm64 ubuntu-24.04-arm", "no Python 3.14"}
