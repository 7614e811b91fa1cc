"""What must have been seen before a release is called healthy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosis.evidence import DEV, diagnosed, vault, whole, with_objects
from vrooli import operators
from vrooli.diagnosis.evidence.collection import kinds, requirements
from vrooli.diagnosis.evidence.model import OTHER_NAMESPACES, Answer, Evidence
from vrooli.diagnosis.evidence.probes import PROBES
from vrooli.kube import Priority
from vrooli.kube.objects import Ref
from vrooli.kube.unavailable import Unavailable

HOME = DEV.namespace
FAILOVER = {"kind": "RedisFailover", "metadata": {"name": "vrooli-rf", "namespace": HOME}}
CONNECTION = {
    "kind": "VaultConnection",
    "metadata": {"name": "v", "namespace": HOME},
    "spec": {"address": "http://vault.security.svc:8200"},
}
LISTED = {kind for _, kind in (*kinds.OF_RELEASE, *kinds.OF_OPERATORS)} | {"Event", "Secret"}


def hiding(seen: Evidence, *places: tuple[str, str]) -> Evidence:
    """The same where these could not be looked at, and nothing of them is known."""
    objects = {
        kind: [
            body for body in found if (kind, body["metadata"].get("namespace", "")) not in places
        ]
        for kind, found in seen.objects.items()
    }
    unavailable = tuple(
        Unavailable(f"{kind} in {where}", "why", place=(kind, where)) for kind, where in places
    )
    return replace(seen, objects=objects, hidden=frozenset(places), unavailable=unavailable)


def missing(seen: Evidence) -> list[str]:
    return [item.resource for item in requirements.missing(seen)]


def test_a_release_of_which_all_was_seen_lacks_nothing() -> None:
    assert missing(whole()) == []
    assert diagnosed(whole()).missing == ()


def test_all_that_is_required_is_looked_at() -> None:
    assert requirements.OF_RELEASE <= LISTED
    assert {k for _, k in kinds.OF_BELOW} >= requirements.OF_OPERATOR | requirements.OF_VAULT
    assert set(requirements.PROBES) <= set(PROBES)
    assert {operator.namespace for operator in operators.OPERATORS} <= set(kinds.BELOW)


@pytest.mark.parametrize("kind", sorted(LISTED))
def test_a_kind_of_the_release_is_missing_only_where_it_is_required(kind: str) -> None:
    is_required = kind in requirements.OF_RELEASE
    assert missing(hiding(whole(), (kind, HOME))) == [f"{kind} in {HOME}"] * is_required


@pytest.mark.parametrize("kind", sorted(requirements.OF_OPERATOR))
def test_an_operator_is_needed_by_what_it_keeps(kind: str) -> None:
    place = (kind, "redis-operator")
    assert missing(hiding(whole(), place)) == []
    assert missing(hiding(with_objects(whole(), FAILOVER), place)) == [f"{kind} in redis-operator"]


def test_an_operator_that_was_found_elsewhere_need_not_be_seen_at_its_usual_place() -> None:
    label, _, value = operators.REDIS.selector.partition("=")
    metadata = {"name": "theirs", "namespace": "databases", "labels": {label: value}}
    seen = with_objects(whole(), FAILOVER, {"kind": "Deployment", "metadata": metadata})
    assert missing(hiding(seen, ("Deployment", "redis-operator"), ("Pod", "redis-operator"))) == []


def test_an_operator_that_is_not_at_its_place_may_be_where_nobody_may_look() -> None:
    seen = with_objects(whole(), FAILOVER)
    gone = {
        **seen.objects,
        "Deployment": [
            body
            for body in seen.all("Deployment", "")
            if body["metadata"]["namespace"] != "redis-operator"
        ],
    }
    hidden = hiding(replace(seen, objects=gone), ("Deployment", OTHER_NAMESPACES))
    assert missing(hidden) == [f"Deployment in {OTHER_NAMESPACES}"]


def test_where_not_even_what_is_wanted_was_seen_every_operator_may_be_needed() -> None:
    kinds = [(kind, HOME) for operator in operators.OPERATORS for kind in operator.kinds]
    seen = hiding(whole(), ("Secret", HOME), *kinds, ("Deployment", "postgres-operator"))
    assert "Deployment in postgres-operator" in missing(seen)


def test_a_vault_of_the_cluster_is_needed_where_the_release_names_it() -> None:
    places = (("Pod", "security"), ("Service", "security"), ("EndpointSlice", "security"))
    named = hiding(with_objects(whole(), CONNECTION, vault()), *places)
    assert missing(named) == ["Pod in security", "Service in security"]
    assert missing(hiding(whole(), *places)) == []


@pytest.mark.parametrize(
    ("place", "is_required"),
    [
        ((requirements.PROBE, "redis-info"), True),
        ((requirements.PROBE, "resolve"), False),
        ((requirements.HELM, "vrooli-dev"), True),
        ((requirements.RULE, "crash-loop"), True),
        ((requirements.LOG, "redis-operator"), True),
        ((requirements.LOG, HOME), False),
        (("", ""), False),
    ],
)
def test_what_is_no_kind_is_required_by_its_name(place: tuple[str, str], is_required: bool) -> None:
    seen = replace(
        with_objects(whole(), FAILOVER), unavailable=(Unavailable("it", "why", place=place),)
    )
    assert missing(seen) == ["it"] * is_required


def test_a_rule_that_could_not_look_leaves_it_open_whether_all_is_well() -> None:
    odd = with_objects(whole(), {"kind": "Pod", "metadata": {"name": "odd", "namespace": HOME}})
    odd = replace(odd, objects={**odd.objects, "Ingress": [7]})  # type: ignore[list-item]
    found = diagnosed(odd)
    assert {item.place[0] for item in found.missing} == {requirements.RULE}


def test_a_database_that_gave_no_answer_is_not_known_to_be_well() -> None:
    redis, cluster = Ref("Pod", "rfr-0", HOME), Ref("PostgresCluster", "db", HOME)
    late = [
        Answer("redis-info", redis, "no answer within 15 s", ok=False),
        Answer("postgres-state", cluster, "refused", ok=False),
        Answer("resolve", redis, "no answer within 5 s", ok=False),
        Answer("redis-info", Ref("Pod", "rfr-1", HOME), "role:master"),
    ]
    found = requirements.silent(late)
    assert [item.reason for item in found] == ["no answer within 15 s", "refused"]
    assert missing(replace(whole(), unavailable=tuple(found))) == [item.resource for item in found]


@pytest.mark.parametrize(
    ("kind", "namespace", "priority"),
    [
        ("Pod", HOME, Priority.REQUIRED),
        ("PostgresCluster", None, Priority.REQUIRED),
        ("ConfigMap", HOME, Priority.OPTIONAL),
        ("Node", None, Priority.OPTIONAL),
        ("Deployment", "redis-operator", Priority.REQUIRED),
        ("Service", "redis-operator", Priority.OPTIONAL),
        ("Service", "vault", Priority.REQUIRED),
        ("Pod", "security", Priority.REQUIRED),
        ("Pod", "kube-system", Priority.OPTIONAL),
        ("Deployment", OTHER_NAMESPACES, Priority.REQUIRED),
        ("DaemonSet", OTHER_NAMESPACES, Priority.OPTIONAL),
    ],
)
def test_what_is_required_is_asked_for_first(
    kind: str, namespace: str | None, priority: Priority
) -> None:
    assert requirements.priority(kind, namespace, HOME) is priority
