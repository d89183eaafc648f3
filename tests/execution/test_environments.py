"""The stages' own Python: built by the real uv from what a project names, without any index."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from metricgate.errors import WorkspaceError
from metricgate.execution.environment import choose_python, find_pins, fingerprint_environment
from metricgate.settings.policy import PipelineSpec
from tests.execution.conftest import Yield, states
from tests.projects import TinyProject
from tests.pythons import OWN, find_pythons

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
    own_code = name == "requirements.txt"  # it names a file of the checkout
    place = tmp_path / "scratch/environments" if own_code else tiny.root / ".metricgate/environments"
    assert prefix.startswith(str(place))
    assert states(snapshot)["evaluate"] == "ran"
    assert dict(snapshot.packages).get("tinytool") == ("1.2.0" if name == "uv.lock" else None)
    assert snapshot.python == ".".join(map(str, sys.version_info[:3]))


def test_python_is_measured_where_stages_ran_and_not_known_where_none_did(tiny: TinyProject, produce: Yield) -> None:
    assert produce(tiny).python == ""

    tiny.write("params.yaml", "shift: 0.2\n")

    assert produce(tiny).python == ".".join(map(str, sys.version_info[:3]))


OWN_VERSION = ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize(
    ("asked", "pin", "pyproject", "chosen"),
    [
        ("3.12", "3.11\n", ">=3.10", ("3.12", "python_version in metricgate.yaml")),
        (None, "3.11.4\n3.12\n", ">=3.10", ("3.11.4", ".python-version")),
        (None, "an-environment-of-pyenv\n", ">=3.10", (OWN_VERSION, "MetricGate's own")),
        (None, None, ">=3.8, <3.11", ("<3.11,>=3.8", "requires-python in pyproject.toml")),
        (None, None, "three", (OWN_VERSION, "MetricGate's own")),
        (None, None, None, (OWN_VERSION, "MetricGate's own")),
    ],
)
def test_the_python_of_the_stages_is_asked_for_pinned_or_metricgates_own(
    tmp_path: Path, asked: str | None, pin: str | None, pyproject: str | None, chosen: tuple[str, str]
) -> None:
    if pin:
        (tmp_path / ".python-version").write_text(pin, encoding="utf-8")
    if pyproject:
        text = f'[project]\nname = "tiny"\nrequires-python = "{pyproject}"\n'
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")

    assert choose_python(tmp_path, None, asked) == chosen


def test_a_pyproject_that_cannot_be_read_is_left_to_uv(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("project = 1\n", encoding="utf-8")
    assert choose_python(tmp_path, None, None)[1] == "MetricGate's own"

    (tmp_path / "pyproject.toml").write_text("[project\n", encoding="utf-8")
    assert choose_python(tmp_path, None, None)[1] == "MetricGate's own"


@pytest.fixture
def another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Put another Python first on PATH, under the names that stages and uv look for; return its version."""
    others = {version: path for version, path in find_pythons().items() if version != OWN}
    if not others:
        pytest.skip("this machine has one Python")
    version, path = others.popitem()
    (tmp_path / "bin").mkdir()
    for name in ("python", "python3"):
        (tmp_path / "bin" / name).symlink_to(path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return version


def test_the_first_python_on_the_path_has_no_say(tiny: TinyProject, produce: Yield, another: str) -> None:
    add_tool(tiny)
    tiny.write("requirements.txt", f"tinytool @ {(tiny.root / WHEEL).as_uri()}\n")

    snapshot = produce(tiny, pipeline=PipelineSpec(requirements="requirements.txt"))

    assert another != OWN
    assert snapshot.python == OWN_VERSION


@pytest.mark.parametrize("where", ["policy", ".python-version", "pyproject.toml"])
def test_the_python_that_a_project_names_is_used(tiny: TinyProject, produce: Yield, another: str, where: str) -> None:
    add_tool(tiny)
    tiny.write("requirements.txt", f"tinytool @ {(tiny.root / WHEEL).as_uri()}\n")
    if where == ".python-version":
        tiny.write(where, f"{another}\n")
    elif where == "pyproject.toml":
        tiny.write(where, PYPROJECT.replace(">=3.11", f"=={another}.*"))

    asked = another if where == "policy" else None
    snapshot = produce(tiny, pipeline=PipelineSpec(requirements="requirements.txt", python_version=asked))

    assert snapshot.python.startswith(f"{another}.")


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


def install_tool(project: TinyProject, environment: Path) -> None:
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", str(environment / "bin/python"), str(project.root / WHEEL)],
        check=True,
    )


def test_the_active_environment_is_used_on_a_persons_machine_if_it_satisfies_the_requirements(
    tiny: TinyProject, produce: Yield, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_tool(tiny)
    tiny.write("requirements.txt", "tinytool==1.2.0\n")
    install_tool(tiny, tmp_path / "active")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))

    produce(tiny, pipeline=PipelineSpec(requirements="requirements.txt"), use_active=True)

    assert tiny.read("where.txt").split()[1] == str(tmp_path / "active")
    assert not (tiny.root / ".metricgate/environments").exists()


@pytest.mark.parametrize("use_active", [False, True], ids=["in CI", "where it lacks a package"])
def test_another_environment_is_not_used(
    tiny: TinyProject, produce: Yield, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, use_active: bool
) -> None:
    add_tool(tiny)
    wanted = f"tinytool @ {(tiny.root / WHEEL).as_uri()}\n"
    tiny.write("requirements.txt", wanted)
    environment = tmp_path / "active"
    if use_active:
        subprocess.run([find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    else:
        install_tool(tiny, environment)
    monkeypatch.setenv("VIRTUAL_ENV", str(environment))

    produce(tiny, pipeline=PipelineSpec(requirements="requirements.txt"), use_active=use_active)

    assert tiny.read("where.txt").split()[1] != str(environment)


def test_an_environment_is_kept_until_its_requirements_change_and_an_interrupted_one_is_made_again(
    tiny: TinyProject, produce: Yield
) -> None:
    add_tool(tiny)
    tiny.write("requirements.txt", "--no-index\n--find-links vendor\n-r wheels.txt\n")
    tiny.write("wheels.txt", "tinytool\n")
    pipeline = PipelineSpec(requirements="requirements.txt")
    kept = tiny.root / ".metricgate/environments"

    def run(shift: str) -> list[str]:
        tiny.write("params.yaml", f"shift: {shift}\n")
        produce(tiny, pipeline=pipeline)
        return sorted(path.name for path in kept.iterdir())

    (first,) = run("0.1")
    mark = kept / first / "a-mark"
    mark.touch()

    assert run("0.2") == [first]
    assert mark.exists()

    (kept / first / "metricgate-complete").unlink()
    run("0.3")
    assert not mark.exists()

    tiny.write("wheels.txt", "tinytool==1.2.0\n")
    assert len(run("0.4")) == 2
    assert tiny.git("status", "--porcelain", ".metricgate") == ""


def test_the_active_environment_belongs_to_the_key_of_kept_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "lib/python3.12/site-packages"
    packages.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))

    def fingerprint(*, use_active: bool = True) -> str:
        return fingerprint_environment(PipelineSpec(), lambda _: None, use_active=use_active)

    bare, elsewhere = fingerprint(), fingerprint(use_active=False)
    (packages / "numpy-2.0.0.dist-info").mkdir()

    assert fingerprint() != bare
    assert fingerprint(use_active=False) == elsewhere != bare


def test_an_environment_with_code_of_the_revision_is_not_kept_for_others(tiny: TinyProject, produce: Yield) -> None:
    tiny.write("pyproject.toml", '[project]\nname = "own"\nversion = "0.1"\n')
    tiny.write("requirements.txt", "--no-build-isolation\n-e .\n")
    tiny.write("params.yaml", "shift: 0.2\n")

    with pytest.raises(WorkspaceError, match="Installing the stages' requirements"):  # offline: no build backend
        produce(tiny, pipeline=PipelineSpec(requirements="requirements.txt"))

    assert not (tiny.root / ".metricgate/environments").exists()
