"""GitHub's own description of its REST API, as the judge of every request and response in these tests.

``github-rest-*.json`` are parts of GitHub's rest-api-description (MIT), descriptions and examples removed.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

SUBSET = Path(__file__).with_name("github-rest-subset.json")
RELEASES = Path(__file__).with_name("github-rest-releases.json")


@dataclass
class Exchange:
    """One request, and one response, as openapi-core wants to see them."""

    method: str
    path: str
    parameters: RequestParameters
    body: bytes | None
    content_type: str
    host_url: str = "http://127.0.0.1"


@dataclass(frozen=True)
class Reply:
    data: bytes
    status_code: int
    headers: Mapping[str, Any]
    content_type: str = "application/json"


class Contract:
    """Refuses what GitHub would refuse, and what GitHub would never answer."""

    def __init__(self) -> None:
        self._description, releases = (json.loads(path.read_text(encoding="utf-8")) for path in (SUBSET, RELEASES))
        self._description["paths"] |= releases["paths"]
        self._description["components"]["schemas"] |= releases["components"]["schemas"]
        self._description["servers"] = [{"url": "/"}]
        _allow_null_in_enums(self._description)
        self._openapi = OpenAPI.from_dict(self._description, config=Config(spec_validator_cls=None))

    def check_request(self, method: str, path: str, query: str, body: bytes) -> str:
        """Return what is wrong with a request, or an empty text."""
        try:
            self._openapi.validate_request(_exchange(method, path, query, body))
        except OpenAPIError as error:
            return f"{type(error).__name__}: {error.__cause__ or error}"
        return ""

    def check_response(self, method: str, path: str, query: str, body: bytes, reply: Reply) -> str:
        """Return what is wrong with a response that the fake is about to send, or an empty text."""
        try:
            self._openapi.validate_response(_exchange(method, path, query, body), reply)
        except OpenAPIError as error:
            return (
                f"{type(error).__name__}: {error.__cause__ or error}: {getattr(error.__cause__, 'schema_errors', '')}"
            )
        return ""

    def has_response(self, method: str, template: str, status: int) -> bool:
        return str(status) in self._description["paths"][template][method.lower()]["responses"]

    def minimal(self, schema: str, **fields: Any) -> dict[str, Any]:
        """Return the smallest object that a named schema allows, with these fields set."""
        value = self._minimal({"$ref": f"#/components/schemas/{schema}"})
        assert isinstance(value, dict)
        return {**value, **fields}

    def _minimal(self, schema: Mapping[str, Any]) -> Any:  # noqa: PLR0911  # one case of the language each
        if "$ref" in schema:
            return self._minimal(
                functools.reduce(lambda node, key: node[key], schema["$ref"][2:].split("/"), self._description)
            )
        if schema.get("nullable"):
            return None
        if "enum" in schema:
            return schema["enum"][0]
        if "allOf" in schema:
            return {key: value for part in schema["allOf"] for key, value in self._minimal(part).items()}
        for choice in ("oneOf", "anyOf"):
            if choice in schema and "properties" not in schema:
                return self._minimal(schema[choice][0])
        if schema.get("type") == "object" or "properties" in schema:
            return {key: self._minimal(schema["properties"][key]) for key in schema.get("required", ())}
        return _SCALARS.get((schema.get("type"), schema.get("format")), _SCALARS.get((schema.get("type"), None)))


def _allow_null_in_enums(node: Any) -> None:
    """GitHub marks a check's conclusion as nullable and answers null, but its list of values lacks it."""
    if isinstance(node, dict):
        if node.get("nullable") and None not in node.get("enum", [None]):
            node["enum"] = [*node["enum"], None]
        for child in node.values():
            _allow_null_in_enums(child)
    elif isinstance(node, list):
        for child in node:
            _allow_null_in_enums(child)


_SCALARS: dict[tuple[Any, Any], Any] = {
    ("string", None): "text",
    ("string", "uri"): "https://example.org/",
    ("string", "date-time"): "2026-01-01T00:00:00Z",
    ("integer", None): 1,
    ("number", None): 1,
    ("boolean", None): False,
    ("array", None): [],
    (None, None): {},
}


@functools.cache
def load_contract() -> Contract:
    """Load the description once for each process (0.7 s)."""
    return Contract()


def _exchange(method: str, path: str, query: str, body: bytes) -> Exchange:
    parameters = RequestParameters(query=ImmutableMultiDict(parse_qsl(query)), header=Headers())
    return Exchange(method.lower(), path, parameters, body or None, "application/json")
