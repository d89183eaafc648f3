"""Write docs/report.schema.json from the report value.

python scripts/report_schema.py
"""

from pathlib import Path

from metricgate.report.formats.report_json import report_schema

SCHEMA_FILE = Path(__file__).resolve().parent.parent / "docs" / "report.schema.json"

if __name__ == "__main__":
    SCHEMA_FILE.write_text(report_schema(), encoding="utf-8", newline="\n")
