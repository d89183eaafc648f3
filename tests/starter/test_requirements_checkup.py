"""`metricgate doctor` on the stages' packages."""

import sys
from pathlib import Path

import pytest

from metricgate.revisions.checkout import Checkout
from metricgate.settings.policy import PipelineSpec, Policy
from metricgate.starter.checkup_finding import Level
from metricgate.starter.requirements_checkup import examine_requirements
from tests.starter.shapes import create_repository


@pytest.mark.parametrize(
    ("text", "level", "said"),
    [
        ("pytest\n", Level.FINE, "The active environment satisfies requirements.txt"),
        ("numpy\nsklearn\n", Level.BROKEN, "names sklearn"),
        ("scikit-learn-extra-nothing ; python_version < '3'\n", Level.FINE, "satisfies"),
        ("numpy==1.0 ==\n", Level.BROKEN, "cannot be installed"),
        ("./nowhere.whl\n", Level.BROKEN, "cannot be installed"),
        ("no-such-package-here\n", Level.NOTICE, "is not known"),
        (None, Level.BROKEN, "does not exist"),
    ],
)
def test_requirements_are_examined_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, level: Level, said: str
) -> None:
    repository = create_repository(tmp_path / "repository", {} if text is None else {"requirements.txt": text})
    repository.commit("All")
    monkeypatch.setenv("VIRTUAL_ENV", str(Path(sys.executable).parent.parent))
    monkeypatch.setenv("UV_OFFLINE", "1")
    policy = Policy(pipeline=PipelineSpec(requirements="requirements.txt"))

    (finding,) = examine_requirements(Checkout.open(repository.root), policy)

    assert (finding.level, said in finding.what) == (level, True), finding.what
