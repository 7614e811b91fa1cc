"""The Secrets and ConfigMaps that a pod reads are found in its spec."""

from __future__ import annotations

from vrooli.kube.references import Reference, of_pod


def test_every_place_of_a_pod_that_names_an_object_is_read() -> None:
    container = {
        "env": [
            {"name": "A", "value": "literal"},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "one", "key": "b"}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "two", "key": "c"}}},
            {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "envFrom": [{"secretRef": {"name": "three"}}, {"configMapRef": {"name": "four"}}],
    }
    volumes = [
        {"name": "a", "secret": {"secretName": "five", "items": [{"key": "x"}, {"key": "y"}]}},
        {"name": "b", "configMap": {"name": "six"}},
        {"name": "c", "projected": {"sources": [{"secret": {"name": "seven"}}]}},
        {"name": "d", "emptyDir": {}},
    ]
    spec = {
        "containers": [container],
        "initContainers": [{"envFrom": [{"secretRef": {"name": "eight"}}]}],
        "volumes": volumes,
    }
    assert set(of_pod(spec)) == {
        Reference("Secret", "one", "b"),
        Reference("ConfigMap", "two", "c"),
        Reference("Secret", "three"),
        Reference("ConfigMap", "four"),
        Reference("Secret", "five", "x"),
        Reference("Secret", "five", "y"),
        Reference("ConfigMap", "six"),
        Reference("Secret", "seven"),
        Reference("Secret", "eight"),
    }


def test_an_optional_object_is_marked() -> None:
    sources = [{"secretRef": {"name": "one", "optional": True}}]
    spec = {"containers": [{"envFrom": sources}]}
    assert list(of_pod(spec)) == [Reference("Secret", "one", is_optional=True)]


def test_malformed_specs_name_nothing() -> None:
    spec = {"containers": [{"env": "x", "envFrom": [None, {"secretRef": []}]}], "volumes": {"a": 1}}
    assert list(of_pod(spec)) == []
