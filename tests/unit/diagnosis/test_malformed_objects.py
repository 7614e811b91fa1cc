"""Whatever an API server answers, a diagnosis ends with a result and never with an error."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.diagnosis.evidence import DEV, evidence, pod_of, rendered
from support.release import helm_secrets
from support.secrets.recorded_failure import contents
from vrooli.diagnosis.bundle import archive
from vrooli.diagnosis.evidence.collection import secrets
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.kube import events as kube_events
from vrooli.redaction import Redactor
from vrooli.release.records import storage

KINDS = (
    *("Pod", "Deployment", "StatefulSet", "ReplicaSet", "Job", "Service", "Ingress", "Node"),
    *("ConfigMap", "PersistentVolumeClaim", "EndpointSlice", "NetworkPolicy", "ResourceQuota"),
    *("PostgresCluster", "RedisFailover", "VaultStaticSecret", "VaultAuth", "VaultConnection"),
    *("HorizontalPodAutoscaler", "StorageClass", "Namespace", "ServiceAccount", "Secret"),
)
# Keys that rules read, so that what is drawn is found by them.
KEYS = st.sampled_from(
    [
        *("metadata", "spec", "status", "name", "namespace", "labels", "annotations", "conditions"),
        *("containers", "containerStatuses", "initContainerStatuses", "state", "waiting", "reason"),
        *("terminated", "lastState", "template", "selector", "matchLabels", "env", "envFrom"),
        *("ownerReferences", "kind", "type", "rules", "volumes", "ports", "replicas", "phase"),
        *("message", "resources", "requests", "restartCount", "ready", "instances", "subsets"),
        *("capacity", "allocatable", "taints", "creationTimestamp", "deletionTimestamp", "x"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


def _object(kind: str, name: str, drawn: dict[str, Any]) -> dict[str, Any]:
    metadata = drawn.get("metadata")
    kept = dict(metadata) if isinstance(metadata, dict) else {}
    # What has no name is left out when it is collected.
    return {**drawn, "kind": kind, "metadata": {"namespace": DEV.namespace, **kept, "name": name}}


OBJECTS = st.lists(
    st.builds(
        _object,
        st.sampled_from(KINDS),
        st.text(min_size=1, max_size=8),
        st.dictionaries(KEYS, ANYTHING, max_size=6),
    ),
    max_size=6,
)


@settings(max_examples=25)
@given(OBJECTS, st.lists(st.dictionaries(KEYS, ANYTHING, max_size=5), max_size=3), st.text())
def test_objects_of_any_shape_are_diagnosed_and_packed(
    bodies: list[dict[str, Any]], events: list[dict[str, Any]], line: str
) -> None:
    seen = replace(
        evidence(*bodies),
        events=kube_events.parse_events(events),
        logs={LogSource(DEV.namespace, "x", "y"): [line, "\udcff\x00"]},
    )
    found = contents(seen, Redactor(["something-secret"]))
    assert found.diagnosis.unavailable is not None
    assert archive.packed("x", found)


@cache
def release() -> Evidence:
    """The release's own objects, rendered once for all that is drawn."""
    return rendered()


@settings(max_examples=10)
@given(st.dictionaries(KEYS, ANYTHING, max_size=6))
def test_an_object_of_the_release_of_any_shape_stops_nothing(drawn: dict[str, Any]) -> None:
    whole = release()
    odd = [_object(item.kind, item.name, drawn) for item in whole.manifests if not item.is_hook]
    found = contents(replace(evidence(*odd), manifests=whole.manifests), Redactor())
    assert archive.files(found)["findings.json"]


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=5), LEAVES, max_size=3), st.binary(max_size=20))
def test_secrets_of_any_shape_are_read(data: dict[str, Any], raw: bytes) -> None:
    for given_data in (data, raw.decode("latin-1"), [1], None):
        body = {"metadata": {"name": "x"}, "type": "Opaque", "data": given_data}
        found = secrets.read(body)
        Redactor(found.values).text("x" * 50)


@given(ANYTHING)
def test_notes_of_helm_of_any_shape_are_read(noted: Any) -> None:
    try:
        written = json.dumps(noted)
    except ValueError:
        return
    packed = helm_secrets.packed(noted)
    for text in (packed, packed[:20], "%%%", written):
        secret = {
            "metadata": {"name": "x", "labels": {"name": "r"}},
            "type": storage.TYPE,
            "data": {"release": text},
        }
        assert len(storage.parse_records([secret], "r", "n")) <= 1


def test_one_odd_object_hides_no_other_trouble() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
    sick = pod_of("vrooli-dev-server", ready=False, state=waiting, phase="Pending")
    odd = {"kind": "Pod", "metadata": {"name": "odd", "namespace": "dev", "labels": 7}, "spec": []}
    found = contents(evidence(odd, sick), Redactor()).diagnosis
    assert "image-pull" in [cause.finding.rule_id for cause in found.causes]
