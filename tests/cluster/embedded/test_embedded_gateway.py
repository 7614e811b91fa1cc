"""Traefik serves HTTPRoutes of Gateways, with and without TLS, and reports on those it can't."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.cluster import workload
from support.programs import certificates
from vrooli.cluster.embedded.cluster import EmbeddedCluster
from vrooli.kube import Kube
from vrooli.kube.status import GATEWAY_API, route_problems, route_unready_reason

pytestmark = [pytest.mark.anyio, pytest.mark.root]
WITHOUT_TLS = {"name": "traefik", "namespace": "kube-system"}
READY_S = 180
OK = 200


@pytest.fixture(scope="module")
async def kube(shared: EmbeddedCluster) -> AsyncIterator[Kube]:
    """A client of a cluster with a page that nothing leads to yet."""
    async with await Kube.connect(shared.kubeconfig) as client:
        await client.apply(workload.service("page"), namespace="default")
        await workload.run_pod(client, workload.pod("page"))
        yield client
        await client.delete("v1", "Pod", "page", "default")


async def _served(kube: Kube, route: dict[str, Any]) -> None:
    """Apply a route and wait until Traefik has accepted it."""
    await kube.apply(route, namespace="default")
    name = route["metadata"]["name"]

    def reason(body: dict[str, Any] | None) -> str | None:
        return "it does not exist" if body is None else route_unready_reason(body)

    await kube.wait_for(GATEWAY_API, "HTTPRoute", name, "default", reason, READY_S)


async def _get(url: str, verify: ssl.SSLContext | bool = True) -> httpx.Response:
    """The answer to a request, as soon as the pod of Traefik that serves it has the route.

    One pod reports on the route, and the other may not have it, nor its certificate, yet.
    """
    for attempt in range(READY_S):
        try:
            async with httpx.AsyncClient(verify=verify, timeout=30) as client:
                answer = await client.get(url)
        except httpx.ConnectError:
            if attempt == READY_S - 1:
                raise
        else:
            if answer.status_code == OK:
                return answer
        await asyncio.sleep(1)
    raise AssertionError(f"no answer with status 200 in {READY_S} s: {answer.status_code}")


async def test_a_route_of_the_clusters_gateway_answers_on_localhost(
    kube: Kube, shared: EmbeddedCluster
) -> None:
    await _served(kube, workload.http_route("page", WITHOUT_TLS))
    answer = await _get(f"{shared.urls()['http']}/page")
    assert answer.text == "page kept nothing"


async def test_the_listener_of_a_gateway_terminates_tls_with_its_certificate(
    kube: Kube, shared: EmbeddedCluster, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificates.self_signed(certificate, key)
    data = {file.name: base64.b64encode(file.read_bytes()).decode() for file in (certificate, key)}
    secret = {"type": "kubernetes.io/tls", "data": data}
    metadata = {"name": "localhost-tls"}
    await kube.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **secret}, namespace="default"
    )
    listener = {
        "name": "https",
        "protocol": "HTTPS",
        "port": 8443,
        "hostname": "localhost",
        "tls": {"certificateRefs": [{"name": "localhost-tls"}]},
    }
    gateway = {"gatewayClassName": "traefik", "listeners": [listener]}
    await kube.apply(
        {
            "apiVersion": GATEWAY_API,
            "kind": "Gateway",
            "metadata": {"name": "secure"},
            "spec": gateway,
        },
        namespace="default",
    )
    route = workload.http_route("page", {"name": "secure", "sectionName": "https"}, "localhost")
    route["metadata"]["name"] = "secure-page"
    await _served(kube, route)
    port = httpx.URL(shared.urls()["https"]).port
    trust = ssl.create_default_context(cafile=str(certificate))
    answer = await _get(f"https://localhost:{port}/page", trust)
    assert answer.text == "page kept nothing"


@pytest.mark.parametrize(
    ("parent", "backend", "message"),
    [
        ({**WITHOUT_TLS, "sectionName": "other"}, "page", "does not accept it: NoMatchingParent"),
        (WITHOUT_TLS, "missing", "cannot resolve its backends: BackendNotFound"),
        ({"name": "missing"}, "page", "no controller"),
    ],
)
async def test_a_route_that_is_not_served_has_the_reason_of_traefik(
    kube: Kube, parent: dict[str, str], backend: str, message: str
) -> None:
    route = workload.http_route(backend, parent)
    route["metadata"]["name"] = "refused"
    await kube.apply(route, namespace="default")

    def reason(body: dict[str, Any] | None) -> str | None:
        problems = route_problems(body or {})
        return None if any(message in str(item) for item in problems) else str(problems)

    try:
        await kube.wait_for(GATEWAY_API, "HTTPRoute", "refused", "default", reason, READY_S)
    finally:
        await kube.delete(GATEWAY_API, "HTTPRoute", "refused", "default")
