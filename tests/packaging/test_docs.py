"""The documents hold: their anchors, tables, workflows, and the commands and files that they name."""

import re
import subprocess
import sys
from pathlib import Path

from metricgate import errors
from metricgate.cli import COMMANDS
from scripts import readme_tables
from tests.packaging.documents import PAGES, ROOT, list_blocks

BIN = Path(sys.executable).parent


def test_every_error_has_a_page_of_its_title() -> None:
    kinds: list[type[errors.MetricgateError]] = [errors.MetricgateError, *errors.list_errors()]
    for error in kinds:
        page = ROOT / errors.find_help(error.anchor).partition("/blob/main/")[2]
        assert page.parent.name == "errors"
        assert page.read_text(encoding="utf-8").startswith("# ")


def test_a_foreign_anchor_leads_to_the_page_of_all_errors_and_nowhere_else() -> None:
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
