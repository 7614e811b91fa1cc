"""Getters for the fields of objects, which need not have the usual shape.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vrooli import shell

Body = Mapping[str, Any]
# What reading data of an unexpected shape may raise.
MALFORMED_ERRORS = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
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
        """The arguments by which kubectl's commands name it: `pod/name -n namespace`."""
        where = f" -n {shell.label(self.namespace)}" if self.namespace else ""
        kind = self.kind.lower()
        return f"{shell.segment(kind)}/{shell.name(self.name, kind)}{where}"


def ref_of(body: Body) -> Ref:
    """The reference of an object."""
    metadata = body["metadata"]
    return Ref(str(body.get("kind", "")), metadata["name"], str(metadata.get("namespace") or ""))


def label_selector(labels: Mapping[str, Any]) -> str:
    """The selector of objects with all these labels, as list requests take it: `key=value,…`."""
    return ",".join(f"{key}={value}" for key, value in labels.items())


def dig(value: Any, *path: str) -> Any:
    """The value at a path of keys; None if there is none."""
    for key in path:
        if not isinstance(value, _MAPPING):
            return None
        value = value.get(key)
    return value


def text(value: Any, *path: str) -> str:
    """The text at a path; a number becomes text, whatever else is there is empty."""
    item = dig(value, *path)
    if isinstance(item, str):
        return item
    return str(item) if isinstance(item, (int, float)) and not isinstance(item, bool) else ""


def number(value: Any, *path: str, default: int = 0) -> int:
    """The whole number at a path; a boolean is none."""
    item = dig(value, *path)
    return item if isinstance(item, int) and not isinstance(item, bool) else default


def mapping(value: Any, *path: str) -> Body:
    """The mapping at a path; empty where there is none."""
    item = dig(value, *path)
    return item if isinstance(item, _MAPPING) else {}


def items(value: Any, *path: str) -> Sequence[Body]:
    """The mappings in the list at a path; whatever else is in it is left out."""
    item = dig(value, *path)
    return [one for one in item if isinstance(one, _MAPPING)] if isinstance(item, list) else []


def texts(value: Any, *path: str) -> Sequence[str]:
    """The texts in the list at a path; whatever else is in it is left out."""
    item = dig(value, *path)
    return [one for one in item if isinstance(one, str)] if isinstance(item, list) else []


def name(body: Any) -> str:
    """An object's name; empty where it has none."""
    return text(body, "metadata", "name")


def labels(body: Any) -> Mapping[str, str]:
    """An object's labels."""
    return mapping(body, "metadata", "labels")


def annotations_of(body: Any) -> Mapping[str, str]:
    """An object's annotations."""
    return mapping(body, "metadata", "annotations")


def owners(body: Any) -> Sequence[Body]:
    """The owner references of an object."""
    return items(body, "metadata", "ownerReferences")


def selects(selector: Body, actual: Mapping[str, str]) -> bool:
    """Whether a selector's labels are all among an object's; an empty one selects nothing."""
    return bool(selector) and selector.items() <= actual.items()


def matches_selector(selector: Any, actual: Mapping[str, str]) -> bool:
    """Whether a label selector, with its expressions, matches labels; an empty one matches all.

    Source: LabelSelector of the Kubernetes API. A Service's selector is read with `selects`.
    """
    return mapping(selector, "matchLabels").items() <= actual.items() and all(
        _matches_expression(item, actual) for item in items(selector, "matchExpressions")
    )


def _matches_expression(expression: Body, actual: Mapping[str, str]) -> bool:
    value, values = actual.get(text(expression, "key")), texts(expression, "values")
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
    actual = labels(body).get(name)
    return actual is not None and value in ("", actual)


def condition(body: Body, kind: str) -> Body:
    """One of an object's conditions; empty where it has none of that type."""
    conditions = items(body, "status", "conditions")
    return next((item for item in conditions if item.get("type") == kind), {})


def creation_time(body: Any) -> str:
    """When an object was created, as text."""
    return text(body, "metadata", "creationTimestamp")


def uid_of(body: Any) -> str:
    """The UID of an object; empty if there is none."""
    return text(body, "metadata", "uid")


def version_of(pod: Body) -> str:
    """The version of its Deployment that a pod or a ReplicaSet has; empty if it has none."""
    return text(labels(pod), "pod-template-hash")


def is_deleted(body: Any) -> bool:
    """Whether an object is being deleted."""
    return bool(dig(body, "metadata", "deletionTimestamp"))


def containers(template: Body) -> Sequence[Body]:
    """The containers of a pod's or a template's spec, those that run before the others first."""
    return [*items(template, "spec", "initContainers"), *items(template, "spec", "containers")]


def port_number(pod: Body, port: object) -> int:
    """The number of a port of a pod, by name or number; 0 if the pod has no such port."""
    if isinstance(port, int):
        return port
    for container in (*items(pod, "spec", "containers"), *items(pod, "spec", "initContainers")):
        for item in items(container, "ports"):
            number = item.get("containerPort")
            if item.get("name") == port and isinstance(number, int):
                return number
    return 0


def strings(value: Any) -> Iterator[str]:
    """Every text in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
