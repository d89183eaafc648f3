"""What the documents say is checked: links, anchors, tables, YAML, and every command."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from metricgate import errors
from metricgate.cli import COMMANDS, commands
from metricgate.settings.policy_file import read_policy
from scripts import readme_tables
from tests.churn import Churn

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")


def blocks(language: str, pages: list[Path] = PAGES) -> list[tuple[str, str]]:
    """Return the fenced blocks of a language, each with its page's name."""
    return [
        (page.name, text)
        for page in pages
        for found, text in BLOCK.findall(page.read_text(encoding="utf-8"))
        if found == language
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in (one or other for one, other in LINK.findall(prose)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}"


def test_every_error_has_its_longer_answer() -> None:
    kinds: list[type[errors.MetricgateError]] = [errors.MetricgateError, *errors.list_errors()]

    assert {kind.anchor for kind in kinds} <= anchors(ROOT / "docs/troubleshooting.md")


def test_a_foreign_anchor_leads_to_the_page_and_nowhere_else() -> None:
    assert errors.find_help("workspace") == f"{errors.TROUBLESHOOTING}#workspace"
    assert errors.find_help("x) [y](https://evil.example") == errors.TROUBLESHOOTING


def test_the_tables_of_the_readme_follow_from_the_code() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert readme_tables.render_readme(text) == text, "run scripts/readme_tables.py"


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 250


def test_workflows_in_the_documents_are_valid(tmp_path: Path) -> None:
    found = [text for _, text in blocks("yaml") if "jobs:" in text]
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


def test_policies_in_the_documents_are_valid() -> None:
    found = [(page, text) for page, text in blocks("yaml") if re.search(r"^(gates|predictions):", text, re.MULTILINE)]

    assert found
    for page, text in found:
        read_policy(text, origin=page)


def test_every_yaml_in_the_readme_is_a_workflow_or_a_policy() -> None:
    for _, text in blocks("yaml", [ROOT / "README.md"]):
        assert "jobs" in (keys := set(YAML(typ="safe").load(text))) or "gates" in keys


def test_commands_in_the_readme_do_what_they_say(churn: Churn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command line of the README, in the churn project; `demo` has its own test, from the wheel."""
    lines = [line for _, text in blocks("sh", [ROOT / "README.md"]) for line in text.splitlines() if line]
    rows = (churn.repository / "eval/predictions.csv").read_text(encoding="utf-8")
    for name in ("baseline.csv", "candidate.csv"):
        churn.write(name, rows)
    churn.git("switch", "--quiet", "main")
    monkeypatch.setenv("PATH", f"{BIN}:/usr/bin:/bin")
    monkeypatch.chdir(churn.repository)

    codes = {}
    for line in lines:
        _, *arguments = shlex.split(line.removeprefix("uvx "))
        if arguments != ["demo"]:
            codes[line] = CliRunner().invoke(commands, arguments, standalone_mode=False).return_value

    assert codes == {
        "metricgate run": 0,
        "metricgate compare baseline.csv candidate.csv --label churned --score churn_probability --id customer_id": 0,
    }


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
