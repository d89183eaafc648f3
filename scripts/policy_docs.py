"""Write what follows from the policy's fields: docs/metricgate.schema.json, and the tables of keys in docs/policy.md.

python scripts/policy_docs.py
"""

import json
import re
from pathlib import Path
from typing import Any

from metricgate.settings.policy import policy_schema

DOCS = Path(__file__).resolve().parent.parent / "docs"
SCHEMA_FILE = DOCS / "metricgate.schema.json"
REFERENCE_FILE = DOCS / "policy.md"
WORDS = {"string": "text", "number": "number", "integer": "number", "boolean": "true/false", "object": "mapping"}


def render_schema() -> str:
    """Return the text of the schema file."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"


def render_reference(text: str) -> str:
    """Return the reference with each table between its markers written anew."""
    schema = policy_schema()
    sections = {"Policy": schema, **schema["$defs"]}

    def write_table(match: re.Match[str]) -> str:
        return f"<!-- keys: {match[1]} -->\n\n{_table(sections[match[1]], sections)}\n\n<!-- end -->"

    return re.sub(r"<!-- keys: (\w+) -->.*?<!-- end -->", write_table, text, flags=re.DOTALL)


def _table(section: dict[str, Any], sections: dict[str, Any]) -> str:
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    required = section.get("required", [])
    for key, field in section["properties"].items():
        default = "required" if key in required else _default(field)
        meaning = field.get("description") or _referred(field, sections)["description"]
        rows.append(f"| `{key}` | {_kind(field, sections)} | {default} | {meaning} |")
    return "\n".join(rows)


def _referred(field: dict[str, Any], sections: dict[str, Any]) -> dict[str, Any]:
    """Return the section that a key holds; its own description stands for the key's where both are the same."""
    section: dict[str, Any] = sections[field["$ref"].rpartition("/")[2]]
    return section


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    return "" if value in (None, [], {}) else f"`{json.dumps(value).strip(chr(34))}`"


def _kind(field: dict[str, Any], sections: dict[str, Any]) -> str:
    """Return in words which values a key takes."""
    if "$ref" in field:
        return _kind(_referred(field, sections), sections)
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    for choice in ("anyOf", "oneOf"):
        if choice in field and "properties" not in field:
            kinds = [_kind(part, sections) for part in field[choice] if part.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "pattern" in field:
        return "time" if field.get("format") == "time span" else "percentage"
    if field["type"] == "array":
        return f"list of {_kind(field['items'], sections)}"
    return WORDS[field["type"]]


def main() -> None:
    SCHEMA_FILE.write_text(render_schema(), encoding="utf-8")
    REFERENCE_FILE.write_text(render_reference(REFERENCE_FILE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
