"""Packages come through a proxy that inspects TLS, whose authority only the machine knows."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.execution.inspecting_proxy import HOST, InspectingProxy, serve_inspecting_proxy
from tests.packaging.documents import ROOT
from tests.projects import TinyProject

REQUIREMENTS = f"--index-url https://{HOST}/simple\ntinytool==1.2.0\n"
# The stages' environment as a run makes it, in a process of its own: its file system is another one.
PROGRAM = """\
import sys
from pathlib import Path
from metricgate.errors import WorkspaceError
from metricgate.execution.environment import prepare_environment
from metricgate.execution.work_tree import WorkTree
from metricgate.settings.policy import PipelineSpec
from tests.execution.conftest import make_context
root, scratch = map(Path, sys.argv[1:])
context = make_context(root, scratch)
tree = WorkTree(context=context, directory=context.checkout.directory, files=scratch, name="candidate")
try:
    print(prepare_environment(tree, PipelineSpec(requirements="requirements.txt"))["VIRTUAL_ENV"])
except WorkspaceError as error:
    sys.exit(f"{error.what}\\n{error.details}")
"""
# Whoever may do so puts the authority where Debian keeps those that the machine trusts; nothing outside sees it.
MACHINE = 'mount --bind "$1" /etc/ssl/certs && shift && exec "$@"'


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[InspectingProxy]:
    folder = tmp_path / "certs"
    folder.mkdir()
    with serve_inspecting_proxy(folder) as running:
        yield running


def install(
    project: TinyProject, scratch: Path, proxy: InspectingProxy, *, is_known: bool, program: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Install the project's requirements on a machine that knows the proxy's authority, or does not."""
    project.write("requirements.txt", REQUIREMENTS)
    hidden = ("SSL_CERT", "UV_", "PIP_", "REQUESTS_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    env |= {"HTTPS_PROXY": proxy.url, "PYTHONPATH": str(ROOT), "UV_CACHE_DIR": str(scratch / "uv-cache")}
    machine = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        MACHINE,
        "sh",
        str(proxy.authority.parent),
    ]
    command = program or (sys.executable, "-c", PROGRAM, str(project.root), str(scratch))
    return subprocess.run(
        [*(machine if is_known else ()), *command], env=env, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.acceptance
def test_uv_trusts_the_authorities_that_the_machine_trusts(
    tiny: TinyProject, tmp_path: Path, proxy: InspectingProxy
) -> None:
    done = install(tiny, tmp_path / "scratch", proxy, is_known=True)

    assert done.returncode == 0, done.stderr
    [installed] = Path(done.stdout.strip().splitlines()[-1]).glob("lib/*/site-packages/tinytool.py")
    assert "tinytool" in installed.read_text(encoding="utf-8")
    assert proxy.asked[0] == "/simple/tinytool/"


@pytest.mark.acceptance
def test_by_itself_uv_would_not(tiny: TinyProject, tmp_path: Path, proxy: InspectingProxy) -> None:
    """What the test above shows is MetricGate's doing."""
    uv = (
        find_uv_bin(),
        "pip",
        "install",
        "--target",
        str(tmp_path / "target"),
        "-r",
        str(tiny.root / "requirements.txt"),
    )

    done = install(tiny, tmp_path / "scratch", proxy, is_known=True, program=uv)

    assert done.returncode != 0
    assert "UnknownIssuer" in done.stderr
    assert proxy.asked == []


@pytest.mark.acceptance
def test_an_authority_that_the_machine_does_not_know_is_refused_and_explained(
    tiny: TinyProject, tmp_path: Path, proxy: InspectingProxy
) -> None:
    done = install(tiny, tmp_path / "scratch", proxy, is_known=False)

    assert done.returncode != 0
    assert "Installing the stages' requirements failed" in done.stderr
    assert "UnknownIssuer" in done.stderr
    assert proxy.asked == []
