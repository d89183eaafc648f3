"""The dashboard's file: what Grafana would refuse or draw over each other. Its queries run in test_pushed_runs.py."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML

from metricgate.report.formats.exposition import Occurrence, render_exposition
from tests.monitoring.dashboard import DASHBOARD, list_expressions, load_dashboard
from tests.monitoring.servers import MONITORING
from tests.report.reports import make_report

COLUMNS = 24


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def find_sources(part: Any) -> Iterator[dict[str, str]]:
    for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if key == "datasource":
            yield value
        else:
            yield from find_sources(value)


def test_ids_are_unique_and_no_panel_lies_on_another() -> None:
    panels = load_dashboard()["panels"]
    places = [panel["gridPos"] for panel in panels]

    assert len({panel["id"] for panel in panels}) == len(panels) > 5
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= COLUMNS for place in places)
    assert [pair for pair in itertools.combinations(places, 2) if overlap(*pair)] == []


def test_every_data_source_is_the_variable() -> None:
    dashboard = load_dashboard()
    found = list(find_sources(dashboard))

    assert len(found) > len(dashboard["panels"])
    assert {one["uid"] for one in found} == {"${DS}"}
    assert [one["type"] for one in dashboard["templating"]["list"] if one["name"] == "DS"] == ["datasource"]


def test_every_variable_is_declared_and_every_metric_is_exported() -> None:
    dashboard = load_dashboard()
    declared = {one["name"] for one in dashboard["templating"]["list"]}
    exported = set(
        re.findall(
            r"^# TYPE (\w+)", render_exposition(make_report(), Occurrence(ended_at=1, trained_at=1), {}), re.MULTILINE
        )
    )

    assert set(re.findall(r"\$(\w+)", json.dumps([panel["targets"] for panel in dashboard["panels"]]))) <= declared
    assert set(re.findall(r"metricgate_\w+", " ".join(list_expressions(dashboard)))) <= exported


def test_the_rules_name_exported_metrics_and_drift_alone_beside_them() -> None:
    rules = (MONITORING / "rules.yml").read_text(encoding="utf-8")
    exported = set(
        re.findall(
            r"^# TYPE (\w+)", render_exposition(make_report(), Occurrence(ended_at=1, trained_at=1), {}), re.MULTILINE
        )
    )

    unknown = set(re.findall(r"metricgate_\w+", rules)) - exported
    assert unknown == {"metricgate_drift_ratio", "metricgate_drift_limit_ratio"}


def test_the_compose_file_mounts_files_that_exist() -> None:
    compose = YAML(typ="safe").load(MONITORING / "compose.yml")
    mounted = [
        volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])
    ]
    files = [name for name in mounted if name.startswith("./")]

    assert {"prometheus", "pushgateway", "grafana"} == set(compose["services"])
    assert f"./{DASHBOARD.relative_to(MONITORING).parent}/metricgate.json" in files
    assert all((MONITORING / name).exists() for name in files)
    assert all("127.0.0.1:" in port for service in compose["services"].values() for port in service["ports"])
