"""The stages' own Python: built by the real uv from what a project names, without any index."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from metricgate.execution.environment import find_pins
from metricgate.settings.policy import PipelineSpec
from tests.execution.conftest import Yield, states
from tests.projects import TinyProject

WHEEL = "vendor/tinytool-1.2.0-py3-none-any.whl"
USES_TOOL = "import sys, tinytool\nopen('where.txt', 'w').write(f'{tinytool.NAME} {sys.prefix}')\n"
PYPROJECT = f"""\
[project]
name = "tiny"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["tinytool"]

[tool.uv.sources]
tinytool = {{ path = "{WHEEL}" }}
"""


def add_tool(project: TinyProject) -> None:
    """Put a wheel into the project, so that nothing has to be downloaded, and use it in a stage."""
    path = project.root / WHEEL
    path.parent.mkdir()
    info = "tinytool-1.2.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tinytool.py", "NAME = 'tinytool'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tinytool\nVersion: 1.2.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"tinytool.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    project.write("pyproject.toml", PYPROJECT)
    project.write("src/evaluate.py", USES_TOOL + project.read("src/evaluate.py"))


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml", "requirements.txt"])
def test_stages_find_what_the_named_file_asks_for(tiny: TinyProject, produce: Yield, tmp_path: Path, name: str) -> None:
    add_tool(tiny)
    if name == "uv.lock":
        subprocess.run([find_uv_bin(), "lock", "--quiet"], cwd=tiny.root, check=True)
    tiny.write("requirements.txt", f"tinytool @ {(tiny.root / WHEEL).as_uri()}\n")

    snapshot = produce(tiny, pipeline=PipelineSpec(requirements=name))

    tool, prefix = tiny.read("where.txt").split()
    assert tool == "tinytool"
    assert prefix.startswith(str(tmp_path / "scratch/environments"))
    assert states(snapshot)["evaluate"] == "ran"
    assert dict(snapshot.packages).get("tinytool") == ("1.2.0" if name == "uv.lock" else None)
    assert snapshot.python == ".".join(map(str, sys.version_info[:3]))


def test_python_is_measured_where_stages_ran_and_not_known_where_none_did(tiny: TinyProject, produce: Yield) -> None:
    assert produce(tiny).python == ""

    tiny.write("params.yaml", "shift: 0.2\n")

    assert produce(tiny).python == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize(
    ("pipeline", "text", "python"),
    [
        (PipelineSpec(python_version="3.12"), "3.11\n", (("python", "3.12"),)),
        (PipelineSpec(), "3.11.4\n3.12\n", (("python", "3.11.4"),)),
        (PipelineSpec(), "cpython-3.13\n", (("python", "3.13"),)),
        (PipelineSpec(), "an-environment-of-pyenv\n", ()),
        (PipelineSpec(), None, ()),
    ],
)
def test_the_python_that_a_revision_asks_for_is_one_of_its_pins(
    pipeline: PipelineSpec, text: str | None, python: tuple[tuple[str, str], ...]
) -> None:
    assert find_pins(pipeline, {".python-version": text}.get) == python
