"""What the API server allows the rotator: what it rotates, and nothing else of its namespace."""

from __future__ import annotations

from typing import Any

import pytest

from support.chart.rendering import render
from vrooli.kube import Kube

pytestmark = [pytest.mark.anyio, pytest.mark.root]

NAMESPACE = "rotator-rights"
ALLOWED = (
    ("delete", "", "pods", "rfr-vrooli-rf-0"),
    ("list", "", "pods", ""),
    ("patch", "apps", "deployments", "demo-server"),
    ("patch", "", "secrets", "vrooli-redis-creds"),
    ("patch", "databases.spotahome.com", "redisfailovers", "vrooli-rf"),
)
REFUSED = (
    ("delete", "", "pods", "demo-server-0"),
    ("delete", "", "pods", "vrooli-pg-instance1-abcd-0"),
    ("delete", "", "pods", "rfr-other-0"),
    ("delete", "", "pods", ""),
    ("create", "", "pods", ""),
    ("patch", "apps", "deployments", "demo-ui"),
    ("list", "", "secrets", ""),
    ("get", "", "secrets", "vrooli-openai-creds"),
    ("patch", "databases.spotahome.com", "redisfailovers", "other"),
)


async def test_the_rotator_may_change_what_it_rotates_and_nothing_else(bare_kube: Kube) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    await bare_kube.apply(namespace)
    objects = render()
    for kind in ("ServiceAccount", "Role", "RoleBinding"):
        body = objects[f"{kind}/demo-rotator"].body
        for subject in body.get("subjects", ()):
            subject["namespace"] = NAMESPACE
        await bare_kube.apply(body, namespace=NAMESPACE)
    assert [right for right in ALLOWED if not await _is_allowed(bare_kube, *right)] == []
    assert [right for right in REFUSED if await _is_allowed(bare_kube, *right)] == []


async def _is_allowed(kube: Kube, verb: str, group: str, resource: str, name: str) -> bool:
    attributes = {"verb": verb, "group": group, "resource": resource, "name": name}
    review: dict[str, Any] = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "metadata": {},
        "spec": {
            "user": f"system:serviceaccount:{NAMESPACE}:demo-rotator",
            "resourceAttributes": {"namespace": NAMESPACE, **attributes},
        },
    }
    return bool((await kube.create(review))["status"]["allowed"])
