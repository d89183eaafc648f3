"""Write a Kubernetes resource's schema for the tests, from the CRD of the project that defines it.

python scripts/vendor_schemas.py CRD.yaml OUT.json SOURCE

SOURCE says where the CRD is from: the project, the commit, the path, the licence. Descriptions are left out.
"""

import json
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


def main(crd: str, out: str, source: str) -> int:
    document = YAML(typ="safe").load(Path(crd))
    group, kind = document["spec"]["group"], document["spec"]["names"]["kind"]
    versions = {
        f"{group}/{version['name']}": close(version["schema"]["openAPIV3Schema"])
        for version in document["spec"]["versions"]
        if version["served"]
    }
    text = json.dumps({"source": source, "kind": kind, "versions": versions}, separators=(",", ":"), sort_keys=True)
    Path(out).write_text(text + "\n", encoding="utf-8")
    return 0


def close(schema: Any) -> Any:
    """Return the schema without descriptions, and refusing keys that it does not name, as the API server reports them."""
    if isinstance(schema, list):
        return [close(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(part) for key, part in schema.items() if key != "description" or not isinstance(part, str)}
    named = schema.get("properties")
    open_ended = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(named, dict) and schema.get("type") == "object" and not open_ended:
        closed["additionalProperties"] = False
    return closed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
