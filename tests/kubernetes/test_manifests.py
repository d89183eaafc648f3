"""The manifests for Kubernetes hold against the projects' own schemas; a seeded mistake does not."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples/kubernetes"
SCHEMAS = Path(__file__).parent / "schemas"
RUNNER_SETS = ("runner-set.yaml", "runner-set-pods.yaml")
# Of the chart, not of the resource that it makes.
CHART_ONLY = {"containerMode"}
# The mode's name, and what the chart's template requires with it.
CONTAINER_MODES = {"dind": set(), "kubernetes": {"kubernetesModeWorkVolumeClaim"}, "kubernetes-novolume": set()}


def load(name: str) -> Any:
    return YAML(typ="safe").load(EXAMPLES / name)


def find_mistakes(schema: str, version: str, resource: Any) -> list[str]:
    versions = json.loads((SCHEMAS / f"{schema}.json").read_text(encoding="utf-8"))["versions"]
    validator = Draft202012Validator(versions[version])
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(resource)]


def make_runner_set(values: dict[str, Any]) -> dict[str, Any]:
    """Return the resource that ARC's chart makes of its values."""
    spec = {key: value for key, value in values.items() if key not in CHART_ONLY}
    return {"apiVersion": "actions.github.com/v1alpha1", "kind": "AutoscalingRunnerSet", "spec": spec}


def check_cluster(cluster: Any) -> list[str]:
    return find_mistakes("raycluster", "ray.io/v1", cluster)


def check_runner_set(values: Any) -> list[str]:
    return find_mistakes("runner-set", "actions.github.com/v1alpha1", make_runner_set(values))


def test_the_ray_cluster_holds_against_kuberays_schema() -> None:
    assert check_cluster(load("raycluster.yaml")) == []


@pytest.mark.parametrize("name", RUNNER_SETS)
def test_runner_sets_hold_against_arcs_schema(name: str) -> None:
    values = load(name)

    assert check_runner_set(values) == []
    mode = values.get("containerMode", {"type": "dind"})
    assert CONTAINER_MODES[mode["type"]] <= set(mode)


def test_the_pod_template_is_a_pod_that_arcs_hook_merges() -> None:
    text = load("pod-template.yaml")["data"]["pod.yaml"]
    pod = YAML(typ="safe").load(text)
    values = load("runner-set.yaml")
    values["template"] = copy.deepcopy(pod)

    assert [container["name"] for container in pod["spec"]["containers"]] == ["$job"]
    assert check_runner_set(values) == []


@pytest.mark.parametrize(
    ("name", "check", "path", "value", "words"),
    [
        ("raycluster.yaml", check_cluster, ("spec", "headGroupSpec", "tempalte"), {}, "'tempalte' was unexpected"),
        ("raycluster.yaml", check_cluster, ("spec", "authOptions", "mode"), "password", "is not one of"),
        ("raycluster.yaml", check_cluster, ("spec", "workerGroupSpecs", 0, "maxReplicas"), "4", "is not of type"),
        ("runner-set.yaml", check_runner_set, ("template", "spec", "securityContxt"), {}, "was unexpected"),
        ("runner-set.yaml", check_runner_set, ("minRunners",), "none", "is not of type 'integer'"),
    ],
)
def test_a_mistake_would_be_found(
    name: str,
    check: Callable[[Any], list[str]],
    path: tuple[str | int, ...],
    value: object,
    words: str,
) -> None:
    document = load(name)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    assert words in "\n".join(check(document))
