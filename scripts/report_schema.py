"""Write docs/report.schema.json from the report value, and docs/webhook.schema.json from the webhook's payload.

python scripts/report_schema.py
"""

from pathlib import Path

from metricgate.report.formats.report_json import report_schema
from metricgate.report.formats.webhook import webhook_schema

DOCS = Path(__file__).resolve().parent.parent / "docs"

if __name__ == "__main__":
    for name, text in (("report", report_schema()), ("webhook", webhook_schema())):
        (DOCS / f"{name}.schema.json").write_text(text, encoding="utf-8", newline="\n")
