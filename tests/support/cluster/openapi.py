"""JSON schemas of everything that an API server serves, made from what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vrooli.kube import Kube

# Where kubeconform looks, below the folder.
LOCATION = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"


async def write_schemas(kube: Kube, api_versions: Iterable[str], folder: Path) -> None:
    """Write a strict schema of each kind of some API versions, such as apps/v1, into a folder."""
    for version in api_versions:
        place = f"{'apis' if '/' in version else 'api'}/{version}"
        action = f"describe {version}"
        answer = await kube._call("GET", action, base="/openapi/v3", version="", url=place)
        _write(_strict(answer.json()["components"]["schemas"]), folder)


def _write(schemas: dict[str, Any], folder: Path) -> None:
    """Write the schema of each kind, which references the others in the same folder."""
    kinds = [
        (kind, name)
        for name, schema in schemas.items()
        for kind in schema.get("x-kubernetes-group-version-kind", ())
    ]
    for kind, name in kinds:
        # kubeconform calls the group without a name by its version.
        group = kind["group"] or kind["version"]
        path = folder / group / f"{kind['kind'].lower()}_{kind['version']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        path.write_text(json.dumps(whole))


def _strict(node: Any) -> Any:
    """The same schema, which takes no key that it doesn't name."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _strict(value) for key, value in node.items()}
    if _is_closed(node):
        result["additionalProperties"] = False
    return result


def _is_closed(node: dict[str, Any]) -> bool:
    named = isinstance(node.get("properties"), dict) and node.get("type") == "object"
    open_ones = ("additionalProperties", "x-kubernetes-preserve-unknown-fields")
    return named and not any(key in node for key in open_ones)
