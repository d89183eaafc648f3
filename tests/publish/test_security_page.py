"""SECURITY.md claims nothing that no test shows."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_sentence_names_tests_that_exist() -> None:
    rows = [line for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    claims = [line for line in rows if not line.startswith("| It cannot … ")]

    missing = [
        f"{file}::{name}"
        for claim in claims
        for file, name in NAMED.findall(claim)
        if not (ROOT / file).is_file() or name not in functions_of(ROOT / file)
    ]

    assert claims
    assert [claim for claim in claims if not NAMED.search(claim)] == []
    assert missing == []


def functions_of(file: Path) -> set[str]:
    return {
        node.name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    }
