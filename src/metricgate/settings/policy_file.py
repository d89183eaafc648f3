"""metricgate.yaml: its text read into a policy, every mistake with its line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from metricgate.errors import ConfigurationError
from metricgate.settings.document import Document, KeyPath, configuration_error, read_document
from metricgate.settings.model_tests import ModelTestsSpec
from metricgate.settings.monitor import (
    DetectorSpec,
    LabelsSpec,
    MonitorMargins,
    MonitorSpec,
    ShownSpec,
    WatchedTableSpec,
)
from metricgate.settings.policy import (
    PREDICTION_TAGS,
    AnchorSpec,
    EvaluationSpec,
    GateSpec,
    MlflowSpec,
    NoiseSpec,
    NotifySpec,
    PipelineSpec,
    Policy,
    PredictionsSpec,
    ReleaseSpec,
    RetrainSpec,
)
from metricgate.settings.proof import ProofSpec
from metricgate.settings.retrain import FreezeSpec, RetrainWhenSpec
from metricgate.settings.serving import ServingGateSpec, ServingSpec

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_SHOWN = 5
_WANTED = {
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "too_short": "must have at least two values",
}
_SECTIONS: dict[str, type[BaseModel]] = {
    "predictions": PredictionsSpec,
    "release": ReleaseSpec,
    "anchor": AnchorSpec,
    "gates": GateSpec,
    "pipeline": PipelineSpec,
    "evaluation": EvaluationSpec,
    "mlflow": MlflowSpec,
    "noise": NoiseSpec,
    "notify": NotifySpec,
    "monitor": MonitorSpec,
    "monitor.detector": DetectorSpec,
    "monitor.labels": LabelsSpec,
    "monitor.margins": MonitorMargins,
    "monitor.shown": ShownSpec,
    "monitor.current": WatchedTableSpec,
    "monitor.reference": WatchedTableSpec,
    "retrain": RetrainSpec,
    "retrain.when": RetrainWhenSpec,
    "retrain.freeze": FreezeSpec,
    "proof": ProofSpec,
    "serving": ServingSpec,
    "serving.gates": ServingGateSpec,
    "tests": ModelTestsSpec,
}


@dataclass(frozen=True, kw_only=True)
class PolicyFile:
    """A policy, where it was read, the line of each of its gates, in their order, and the document itself."""

    policy: Policy
    origin: str
    gate_lines: tuple[int, ...]
    document: Document

    def find_line(self, name: str) -> int:
        """Return the line of a key such as ``pipeline.command``, or of the nearest one around it."""
        return self.document.find_line(tuple(name.split(".")))


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong, and where; ``what`` starts with the name of the place."""

    line: int
    what: str


def read_policy(text: str, *, origin: str) -> Policy:
    """Read the text of metricgate.yaml into a policy; see ``read_policy_file``."""
    return read_policy_file(text, origin=origin).policy


def read_policy_file(text: str, *, origin: str) -> PolicyFile:
    """Read the text of metricgate.yaml.

    Parameters
    ----------
    text : the whole file; an empty one is a policy without rules.
    origin : its name in messages, such as ``metricgate.yaml at main``.

    Raises
    ------
    ConfigurationError
        If it is not YAML or breaks a rule; the message names up to five mistakes, each with its line.
    """
    document = read_document(text, origin)
    value = {} if document.value is None else document.value
    if not isinstance(value, dict):
        raise configuration_error(
            origin,
            1,
            f"the file holds {'a list' if isinstance(value, list) else 'a single value'}.",
            expected="keys such as `predictions:` and `gates:`.",
            fix="start from the file that `metricgate init` writes.",
        )
    try:
        policy = Policy.model_validate(value)
    except ValidationError as error:
        raise _report(origin, [_explain(document, one) for one in error.errors(include_url=False)]) from error
    broken = [
        Mistake(document.find_line(place), f"{name_place(place)} {what}")
        for place, what in _find_broken_references(policy)
    ]
    if broken:
        raise _report(origin, broken)
    lines = tuple(document.find_line(("gates", index)) for index in range(len(policy.gates)))
    return PolicyFile(policy=policy, origin=origin, gate_lines=lines, document=document)


def _find_broken_references(policy: Policy) -> Iterator[tuple[KeyPath, str]]:
    """Yield the place and the fault of each gate that cannot be judged by this policy: wrong sets, slices or bounds."""
    for index, gate in enumerate(policy.gates):
        yield from _check_set(policy, gate, ("gates", index))
        yield from _check_bounds(gate, ("gates", index))


def _check_set(policy: Policy, gate: GateSpec, place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    sets = policy.judged_sets
    names = [name for name in sets if name]
    if ":" in gate.metric:
        for key in ("set", "slices"):
            if getattr(gate, key):
                yield (*place, key), f"cannot be used: {gate.metric} is one number in a metrics file, without rows"
    elif not sets:
        fix = f"add predictions:, or name a number in a metrics file (metrics.json:{gate.metric})"
        yield (*place, "metric"), f"is {gate.metric}, which is computed from predictions, but none are named; {fix}"
    elif gate.set is not None and gate.set not in sets:
        yield (*place, "set"), f"names the prediction set '{gate.set}', {_known(gate.set, names)}"
    elif gate.set is None and len(sets) > 1:
        yield place, f"needs set: with one of the prediction sets {', '.join(names)}"
    else:
        yield from _check_slices(gate, sorted(sets[gate.set or next(iter(sets))].slices), place)


def _check_slices(gate: GateSpec, declared: list[str], place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for column in gate.slices:
        if column not in declared:
            yield (*place, "slices"), f"names '{column}', {_known(column, declared)} (under predictions: slices:)"


def _check_bounds(gate: GateSpec, place: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if gate.min is not None and gate.max is not None and gate.min > gate.max:
        yield (*place, "min"), f"is {gate.min:g}, more than max, which is {gate.max:g}: no value can pass"


def _known(name: str, known: list[str]) -> str:
    if not known:
        return "but none is declared"
    near = get_close_matches(name, known, n=1)
    return (
        f"which is not declared; did you mean {near[0]}?"
        if near
        else f"which is not declared; known are {', '.join(known)}"
    )


def name_place(place: KeyPath) -> str:
    """Return a path as people write it: ``gates[1].max_drop``."""
    name = ""
    for part in place:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else part
    return name or "the file"


def _report(origin: str, mistakes: list[Mistake]) -> ConfigurationError:
    ordered = sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.line)
    shown = "; ".join(f"{origin}:{mistake.line}: {mistake.what}" for mistake in ordered[:MAX_SHOWN])
    more = f"; and {len(ordered) - MAX_SHOWN} more" if len(ordered) > MAX_SHOWN else ""
    return ConfigurationError(
        f"{shown}{more}" + ("" if shown.endswith("?") and not more else "."),
        expected="the keys and values that docs/policy.md lists.",
        fix="correct the line" + ("s." if len(ordered) > 1 else "."),
        topic="the-policy-is-not-valid",
    )


def _explain(document: Document, error: "ErrorDetails") -> Mistake:
    place = tuple(part for part in error["loc"] if part not in PREDICTION_TAGS)
    if error["type"] == "invalid_key":
        return Mistake(document.find_line(place), f"{shorten_value(error['input'])} is not a key; put a name in quotes")
    return Mistake(document.find_line(place), f"{name_place(place)} {_describe(place, error)}")


def _describe(place: KeyPath, error: "ErrorDetails") -> str:
    given = shorten_value(error["input"])
    match error["type"]:
        case "extra_forbidden":
            known = tuple(_find_section(place).model_fields)
            near = get_close_matches(str(place[-1]), known, n=1)
            return "is not a key; " + (f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}")
        case "missing":
            return "is missing"
        case "value_error":
            return error["msg"].removeprefix("Value error, ")
        case _:
            wanted = _WANTED.get(error["type"]) or error["msg"].replace("Input should", "must")
            return f"{wanted}, found {given}{_suggest(place, error)}"


def _suggest(place: KeyPath, error: "ErrorDetails") -> str:
    given = error["input"]
    if place == ("confidence",):
        number = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%?\s*", str(given))
        if number and 50 < float(number[1]) < 100:
            return f"; did you mean {float(number[1]) / 100:g}?"
    if error["type"] == "string_type" and isinstance(given, int | float):
        return "; put it in quotes"
    return ""


def _find_section(place: KeyPath) -> type[BaseModel]:
    around = ".".join(str(part) for part in place[:-1] if not isinstance(part, int))
    return _SECTIONS.get(around, _SECTIONS.get(str(place[0]), Policy)) if len(place) > 1 else Policy


def shorten_value(value: Any) -> str:
    text = "nothing" if value is None else " ".join(repr(value).split())
    return f"{text[:57]}..." if len(text) > 60 else text
