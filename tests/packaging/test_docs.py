"""What the documents say is checked: links, anchors, tables, YAML, and every command."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from metricgate import errors
from metricgate.cli import COMMANDS, commands
from scripts import readme_tables
from tests.packaging.documents import PAGES, ROOT, list_anchors, list_blocks, read_prose

BIN = Path(sys.executable).parent
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    prose = read_prose(page)
    for target in (one or other for one, other in LINK.findall(prose)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in list_anchors(file), f"{page.name} links to {target}"


def test_a_foreign_anchor_leads_to_the_page_and_nowhere_else() -> None:
    assert errors.find_help("workspace") == f"{errors.TROUBLESHOOTING}#workspace"
    assert errors.find_help("x) [y](https://evil.example") == errors.TROUBLESHOOTING


def test_the_tables_of_the_readme_follow_from_the_code() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert readme_tables.render_readme(text) == text, "run scripts/readme_tables.py"


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 250


def test_workflows_in_the_documents_are_valid(tmp_path: Path) -> None:
    found = [block.text for block in list_blocks() if block.language == "yaml" and "jobs:" in block.text]
    for number, text in enumerate(found):
        (tmp_path / f"workflow{number}.yml").write_text(text, encoding="utf-8")
    files = [str(path) for path in sorted(tmp_path.iterdir())]

    assert files
    for command in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files],
        ["actionlint", *files],
        ["zizmor", "--offline", "--config", ".github/zizmor.yml", *files],
    ):
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]], cwd=ROOT, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_commands_that_documents_name_exist() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert set(re.findall(r"`metricgate ([a-z]+)", text)) <= set(COMMANDS)
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {name for found in re.findall(r"`make ([a-z ]+)`", text) for name in found.split()} <= targets
    for script in re.findall(r"scripts/\w+\.(?:py|sh)", text):
        assert (ROOT / script).is_file(), script
    for test in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (ROOT / test).exists(), test


@pytest.mark.parametrize("path", ["examples/gitlab/.gitlab-ci.yml"])
def test_the_gitlab_example_is_valid(path: str) -> None:
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", path]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_options_that_other_examples_use_exist() -> None:
    text = (ROOT / "examples/jenkins/Jenkinsfile").read_text(encoding="utf-8")
    text += (ROOT / "examples/gitlab/.gitlab-ci.yml").read_text(encoding="utf-8")
    command = commands.get_command(commands.make_context("metricgate", ["run"]), "run")
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}

    used = set(re.findall(r'metricgate==\$METRICGATE_VERSION" run (--[a-z-]+)', text))

    assert used == {"--baseline"}
    assert used <= options
