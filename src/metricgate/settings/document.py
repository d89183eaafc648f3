"""A YAML 1.2 document as plain values, with the line that each one stands on. Nothing in it is ever executed."""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from metricgate.errors import ConfigurationError

MAX_CHARACTERS = 100_000  # seconds to parse
MAX_VALUES = 20_000  # aliases can make a small file huge
MAX_DEPTH = 50
_TOO_MUCH = f"has more than {MAX_VALUES:,} values, or more than {MAX_DEPTH} levels"

Section = TypeVar("Section", bound=BaseModel)
KeyPath = tuple[str | int, ...]
"""Keys and indices from the top of a document."""
_KINDS = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")
_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in _KINDS}


@dataclass(frozen=True)
class Document:
    """The values, and for each key path its line, counted from 1."""

    value: Any
    lines: dict[KeyPath, int]

    def find_line(self, place: KeyPath) -> int:
        """Return the line of a path, or of the nearest one around it."""
        for end in range(len(place), -1, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return 1


def configuration_error(origin: str, line: int | None, what: str, *, expected: str, fix: str) -> ConfigurationError:
    """Return an error that starts with where it is, as compilers write it."""
    where = f"{origin}:{line}" if line else origin
    return ConfigurationError(f"{where}: {what}", expected=expected, fix=fix, topic="the-policy-is-not-valid")


def read_document(text: str, origin: str) -> Document:
    """Read YAML text; ``origin`` is the name of the file in messages.

    Raises
    ------
    ConfigurationError
        If the text is not YAML, holds a key twice, or is too large to be a policy.
    """
    if len(text) > MAX_CHARACTERS:
        raise _too_large(origin, f"is larger than {MAX_CHARACTERS:,} characters")
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH  # so that the parser itself gives up
    yaml.composer.warn_double_anchors = False  # YAML allows it, and a warning would go past the report
    try:
        node = yaml.compose(text)
        return _DocumentReader(yaml, origin).read_document(node)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context or "it is not YAML").split())
        if problem.startswith("maximum depth"):
            raise _too_large(origin, _TOO_MUCH) from error
        raise _not_yaml(origin, mark.line + 1 if mark else None, problem) from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise _not_yaml(origin, None, " ".join(str(error).split())[:200]) from error


def read_section(section: type[Section], text: str, *, origin: str, expected: str, fix: str) -> Section:
    """Return the only key of the text that ``section`` has, so that a mistake elsewhere does not matter to it.

    Raises
    ------
    ConfigurationError
        If the text is not YAML, or the value of that key is wrong.
    """
    document = read_document(text, origin)
    given = document.value if isinstance(document.value, dict) else {}
    try:
        return section.model_validate({key: given[key] for key in section.model_fields if given.get(key) is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place, problem = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
        line = document.find_line(first["loc"])
        raise configuration_error(origin, line, f"{place}: {problem}.", expected=expected, fix=fix) from error


def _not_yaml(origin: str, line: int | None, problem: str) -> ConfigurationError:
    return configuration_error(
        origin,
        line,
        f"this is not valid YAML: {problem}.",
        expected="a YAML 1.2 file.",
        fix="correct that line; often it is an indentation, a missing colon or an unclosed quote.",
    )


def _too_large(origin: str, problem: str) -> ConfigurationError:
    return configuration_error(
        origin, None, f"the file {problem}.", expected="a policy of a few dozen lines.", fix="shorten it."
    )


class _DocumentReader:
    """Turns the parser's nodes into values; counts them, because an alias may repeat a node many times."""

    def __init__(self, yaml: YAML, origin: str) -> None:
        self._construct = yaml.constructor.construct_object
        self._origin = origin
        self._values = 0
        self._lines: dict[KeyPath, int] = {}

    def read_document(self, node: Node | None) -> Document:
        value = None if node is None else self._read(node, ())
        return Document(value, self._lines)

    def _read(self, node: Node, place: KeyPath) -> Any:
        self._values += 1
        if self._values > MAX_VALUES or len(place) > MAX_DEPTH:
            raise _too_large(self._origin, _TOO_MUCH)
        self._lines.setdefault(place, node.start_mark.line + 1)
        if str(node.tag) not in _TAGS:
            raise _not_yaml(self._origin, node.start_mark.line + 1, f"the tag {str(node.tag)[:60]} is not known")
        if isinstance(node, MappingNode):
            return self._read_mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self._read(item, (*place, index)) for index, item in enumerate(node.value)]
        return self._read_scalar(node)

    def _read_mapping(self, node: Node, place: KeyPath) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if str(key_node.tag).endswith(":merge"):
                raise _not_yaml(self._origin, line, "merge keys (<<) are not known in YAML 1.2")
            key = self._read_scalar(key_node) if isinstance(key_node, ScalarNode) else None
            if key is None or isinstance(key, float):
                raise _not_yaml(self._origin, line, "a key must be a word or a whole number")
            if key in values:
                raise configuration_error(
                    self._origin,
                    line,
                    f"'{key}' is given twice; the first time in line {self._lines[*place, key]}.",
                    expected="each key once.",
                    fix="keep one of them.",
                )
            self._lines[*place, key] = line
            values[key] = self._read(value_node, (*place, key))
        return values

    def _read_scalar(self, node: Node) -> Any:
        # Dates stay text, as do the words that YAML 1.1 took for booleans: Yes is a label, not true.
        if str(node.tag).endswith(":timestamp"):
            return node.value
        return self._construct(node)
