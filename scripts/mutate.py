"""Measure the tests of the rooms that decide: change one operator or constant of the source, and see whether a test fails.

``python scripts/mutate.py --room stats --count 20 --seed 1`` runs the tests of the room once for each mutation, on a copy
of the tree, and prints the mutations that no test noticed. It takes minutes to hours, so it runs by hand.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path("src/metricgate")
ROOMS = {
    "gates": ("tests/gates", "tests/cli"),
    "stats": ("tests/stats",),
    "comparison": ("tests/comparison", "tests/gates", "tests/cli"),
    "predictions": ("tests/predictions",),
    "results": ("tests/results", "tests/execution"),
    "publish": ("tests/publish", "tests/github"),
}
"""Each room with the folders of its tests; those that do not exist are left out."""
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,  # codespell:ignore notin
    ast.NotIn: ast.In,  # codespell:ignore notin
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
}
IGNORED = (".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "build", "dist")
SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_params"}  # which change no behaviour, or only speed


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One changed expression of a file: its source with the change, and the lines before and after for people."""

    file: Path
    line: int
    source: bytes
    before: str
    after: str


def find_mutations(file: Path, source: bytes) -> Iterator[Mutation]:
    """Yield every mutation of a file's source."""
    starts = [0]
    for text in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    for node in _walk(ast.parse(source)):
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        start, end = starts[first] + node.col_offset, starts[last] + (node.end_col_offset or 0)
        for changed in _mutate(node):
            head, tail = source[starts[first] : start], source[end : starts[last + 1]]
            after = head + f"({changed})".encode() + tail
            yield Mutation(
                file=file,
                line=node.lineno,
                source=source[: starts[first]] + after + source[starts[last + 1] :],
                before=_join(source[starts[first] : starts[last + 1]]),
                after=_join(after),
            )


def _join(source: bytes) -> str:
    return " ".join(source.decode().split())


def _walk(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.expr):
        yield node
    if isinstance(node, ast.JoinedStr):
        return  # wording
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if name not in SKIPPED_FIELDS and isinstance(child, ast.AST):
                yield from _walk(child)


def _mutate(node: ast.expr) -> Iterator[str]:
    """Yield the source of each expression that may stand in the place of this one."""
    match node:
        case ast.Compare(left=left, ops=[first, *others], comparators=comparators):
            yield ast.unparse(ast.Compare(left, [COMPARISONS[type(first)](), *others], comparators))
        case ast.BoolOp(op=op, values=values):
            yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            yield ast.unparse(ast.BinOp(left, ARITHMETIC[type(op)](), right))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield ast.unparse(operand)
        case ast.Constant(value=bool() as value):
            yield str(not value)
        case ast.Constant(value=int() as value):
            yield str(value + 1)
        case ast.Constant(value=float() as value):
            yield repr(value * 1.5 if value else 1.0)


def run_tests(tree: Path, folders: list[str], timeout_s: float) -> bool:
    """Return whether the tests of these folders pass in the tree; too slow is failed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider"]
    command += ["-m", "not acceptance and not calibration", *folders]
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=timeout_s, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def survives(mutation: Mutation, tree: Path, folders: list[str], timeout_s: float) -> bool:
    """Return whether the tests pass with the mutation; the tree is as before afterwards."""
    file = tree / mutation.file
    source = file.read_bytes()
    file.write_bytes(mutation.source)
    try:
        return run_tests(tree, folders, timeout_s)
    finally:
        file.write_bytes(source)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--room", choices=ROOMS, required=True)
    parser.add_argument("--count", type=int, default=20, help="how many mutations, drawn at random")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    room = ROOT / SOURCE / arguments.room
    found = [
        each
        for path in sorted(room.rglob("*.py"))
        for each in find_mutations(path.relative_to(ROOT), path.read_bytes())
    ]
    chosen = random.Random(arguments.seed).sample(found, min(arguments.count, len(found)))  # noqa: S311  no secret
    folders = [folder for folder in ROOMS[arguments.room] if (ROOT / folder).exists()]
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*IGNORED), symlinks=True)
        started = time.monotonic()
        if not run_tests(tree, folders, timeout_s=3600):
            print("mutate: the tests fail without any mutation", file=sys.stderr)
            return 2
        timeout_s = 60 + 3 * (time.monotonic() - started)
        survivors = 0
        for number, mutation in enumerate(chosen, 1):
            is_survivor = survives(mutation, tree, folders, timeout_s)
            survivors += is_survivor
            print(
                f"{number}/{len(chosen)} {'SURVIVED' if is_survivor else 'killed'} {mutation.file}:{mutation.line}\n"
                f"    - {mutation.before}\n    + {mutation.after}",
                flush=True,
            )
    print(f"{arguments.room}: {len(chosen) - survivors} of {len(chosen)} killed, of {len(found)} possible mutations")
    return 0


if __name__ == "__main__":
    sys.exit(main())
