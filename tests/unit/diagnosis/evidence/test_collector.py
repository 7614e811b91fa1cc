"""What couldn't be looked at isn't taken for missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import DEV, diagnosed, whole
from vrooli.diagnosis.evidence.collection import kinds
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import ref_of

KINDS = sorted({kind for _, kind in (*kinds.OF_CLUSTER, *kinds.OF_OPERATORS)})
PLACED = [
    (kind, namespace)
    for namespace in (DEV.namespace, *kinds.BELOW)
    for kind in sorted({kind for _, kind in (*kinds.OF_RELEASE, ("v1", "Secret"))})
]


def without(seen: Evidence, kind: str, namespace: str) -> Evidence:
    """The same where a kind couldn't be looked at there; "" is everywhere."""
    objects = {name: list(found) for name, found in seen.objects.items()}
    kept = [
        body for body in objects.pop(kind, []) if namespace and ref_of(body).namespace != namespace
    ]
    if namespace:
        objects[kind] = kept
    return replace(seen, objects=objects, hidden=frozenset({(kind, namespace)}))


def with_only(seen: Evidence, kind: str) -> Evidence:
    """The same where nothing but one kind of the namespace could be looked at."""
    hidden = frozenset((other, "") for other in {*KINDS, *(kind for kind, _ in PLACED)} - {kind})
    return replace(seen, objects={kind: seen.objects.get(kind, [])}, hidden=hidden)


def told(seen: Evidence) -> list[tuple[str, str]]:
    """What is found, each by its rule and object."""
    return [
        (finding.rule_id, finding.resource)
        for cause in diagnosed(seen).causes
        for finding in (cause.finding, *cause.consequences)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_the_cluster_that_could_not_be_seen_is_not_missing(kind: str) -> None:
    assert told(without(whole(), kind, "")) == []


@pytest.mark.parametrize(("kind", "namespace"), PLACED)
def test_a_kind_that_could_not_be_seen_in_a_namespace_is_not_missing(
    kind: str, namespace: str
) -> None:
    assert told(without(whole(), kind, namespace)) == []


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in PLACED}))
def test_who_sees_one_kind_alone_is_told_of_nothing_else(kind: str) -> None:
    assert told(with_only(whole(), kind)) == []
