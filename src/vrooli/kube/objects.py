"""Objects as rules read them: named by references, and never trusted to have the usual shape.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]
# Nearly all are plain dictionaries, which is told at once; asking for a Mapping is slow.
_MAPPING = (dict, Mapping)


@dataclass(frozen=True, order=True)
class Ref:
    """An object of the cluster, by kind and name; no namespace for what belongs to none."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def words(self) -> str:
        """What kubectl's commands take: `pod/name -n namespace`."""
        where = f" -n {self.namespace}" if self.namespace else ""
        return f"{self.kind.lower()}/{self.name}{where}"


def ref_of(body: Body) -> Ref:
    """The reference of an object."""
    metadata = body["metadata"]
    return Ref(str(body.get("kind", "")), metadata["name"], str(metadata.get("namespace") or ""))


def dig(value: Any, *path: str) -> Any:
    """What stands at a path of keys, or None where it doesn't lead on."""
    for key in path:
        if not isinstance(value, _MAPPING):
            return None
        value = value.get(key)
    return value


def text(value: Any, *path: str) -> str:
    """The text at a path; a number becomes text, whatever else is there is empty."""
    found = dig(value, *path)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else ""


def number(value: Any, *path: str, default: int = 0) -> int:
    """The whole number at a path; a boolean is none."""
    found = dig(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def mapping(value: Any, *path: str) -> Body:
    """The mapping at a path; empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, _MAPPING) else {}


def items(value: Any, *path: str) -> Sequence[Body]:
    """The mappings in the list at a path; whatever else is in it is left out."""
    found = dig(value, *path)
    return [item for item in found if isinstance(item, _MAPPING)] if isinstance(found, list) else []


def texts(value: Any, *path: str) -> Sequence[str]:
    """The texts in the list at a path; whatever else is in it is left out."""
    found = dig(value, *path)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def name(body: Any) -> str:
    """An object's name; empty where it has none."""
    return text(body, "metadata", "name")


def labels(body: Any) -> Mapping[str, str]:
    """An object's labels."""
    return mapping(body, "metadata", "labels")


def notes(body: Body) -> Mapping[str, str]:
    """An object's annotations."""
    return mapping(body, "metadata", "annotations")


def selects(selector: Body, found: Mapping[str, str]) -> bool:
    """Whether a selector's labels are all among an object's; an empty one selects nothing."""
    return bool(selector) and selector.items() <= found.items()


def matches_selector(selector: Any, found: Mapping[str, str]) -> bool:
    """Whether a label selector, with its expressions, matches labels; an empty one matches all.

    Source: LabelSelector of the Kubernetes API. A Service's selector is read with `selects`.
    """
    return mapping(selector, "matchLabels").items() <= found.items() and all(
        _matches_expression(item, found) for item in items(selector, "matchExpressions")
    )


def _matches_expression(expression: Body, found: Mapping[str, str]) -> bool:
    value, values = found.get(text(expression, "key")), texts(expression, "values")
    match text(expression, "operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False


def has_label(body: Body, selector: str) -> bool:
    """Whether an object has the label of a selector such as `name=value`, or only `name`."""
    name, _, value = selector.partition("=")
    found = labels(body).get(name)
    return found is not None and value in ("", found)


def condition(body: Body, kind: str) -> Body:
    """One of an object's conditions; empty where it has none of that type."""
    found = (item for item in items(body, "status", "conditions") if item.get("type") == kind)
    return next(found, {})


def born(body: Body) -> str:
    """When an object was made."""
    return text(body, "metadata", "creationTimestamp")


def version_of(pod: Body) -> str:
    """Which version of its Deployment a pod is of; empty where it belongs to none."""
    return text(labels(pod), "pod-template-hash")


def is_going(body: Body) -> bool:
    """Whether an object is being deleted."""
    return bool(dig(body, "metadata", "deletionTimestamp"))


def containers(template: Body) -> Sequence[Body]:
    """The containers of a pod's or a template's spec, those that run before the others first."""
    return [*items(template, "spec", "initContainers"), *items(template, "spec", "containers")]


def strings(value: Any) -> Iterator[str]:
    """Every text in a value, wherever it stands."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
