"""The Grafana dashboard as a test sees it: its panels, and its queries with the variables filled in."""

import json
from collections.abc import Iterator
from typing import Any

from tests.monitoring.servers import MONITORING

DASHBOARD = MONITORING / "grafana/metricgate.json"


def load_dashboard() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return value


def list_expressions(dashboard: dict[str, Any], **variables: str) -> Iterator[str]:
    """Yield every query, as Grafana would send it for these values of the variables."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = str(target["expr"]).replace("$__range", "1h").replace("$__rate_interval", "5m")
            for name, value in variables.items():
                expression = expression.replace(f"${name}", value)
            yield expression
