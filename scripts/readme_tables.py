"""Write the generated tables of README.md: inputs and outputs from action.yml, exit codes from the errors.

python scripts/readme_tables.py
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from ruamel.yaml import YAML

from metricgate import errors
from metricgate.settings.inputs import Inputs

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

VERDICTS = (
    (0, "passed; undecided, if merging is allowed; skipped, because nothing was compared", "success or neutral"),
    (1, "failed: a gate failed; nothing else ever exits with 1", "failure"),
    (6, "inconclusive, and the policy says `on_inconclusive: fail` or `ask`", "failure"),
    (70, "MetricGate itself failed (a bug); the traceback is in the log", "failure"),
)
CONCLUSIONS = {
    errors.TimeLimitError: "timed out",
    errors.CancelledError: "cancelled",
    errors.PublishError: "–",
}


def render_readme(text: str) -> str:
    """Return the README with each table between its markers regenerated."""
    action = YAML(typ="safe").load(ROOT / "action.yml")
    tables = {
        "inputs": render_inputs(action["inputs"]),
        "outputs": render_outputs(action["outputs"]),
        "exit codes": render_exit_codes(),
    }

    def write_table(match: re.Match[str]) -> str:
        return f"<!-- table: {match[1]} -->\n\n{tables[match[1]]}\n\n<!-- end -->"

    return re.sub(r"<!-- table: ([\w ]+) -->.*?<!-- end -->", write_table, text, flags=re.DOTALL)


def render_table(heading: str, rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join([heading, *(f"| {' | '.join(row)} |" for row in rows)])


def render_inputs(inputs: dict[str, Any]) -> str:
    rows = [
        (f"`{name}`", " ".join(filter(None, (_quote(given.get("default")), _list_others(name)))), given["description"])
        for name, given in inputs.items()
    ]
    return render_table("| input | default (others) | meaning |\n|---|---|---|", rows)


def _quote(default: str | None) -> str:
    return f"`{default}`" if default else ""


def _list_others(name: str) -> str:
    """Return the other values of an input, if it accepts only a few words."""
    field = Inputs.model_fields[name.replace("-", "_")]
    if field.annotation is bool:
        return f"(`{str(not field.default).lower()}`)"
    words = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    others = [f"`{word}`" for word in words if word != field.default]
    return f"({', '.join(others)})" if others else ""


def render_outputs(outputs: dict[str, Any]) -> str:
    rows = [(f"`{name}`", given["description"]) for name, given in outputs.items()]
    return render_table("| output | value |\n|---|---|", rows)


def render_exit_codes() -> str:
    rows = [(code, meaning, check) for code, meaning, check in VERDICTS]
    for error in errors.list_errors():
        meaning = (error.__doc__ or "").strip().splitlines()[0]
        rows.append((error.exit_code, f"{error.title}: {meaning}", CONCLUSIONS.get(error, "failure")))
    rows.sort(key=lambda row: row[0])
    return render_table(
        "| exit code | when | check run |\n|--:|---|---|",
        [(str(code), meaning, check) for code, meaning, check in rows],
    )


if __name__ == "__main__":
    README.write_text(render_readme(README.read_text(encoding="utf-8")), encoding="utf-8")
