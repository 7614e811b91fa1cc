"""Where the load of a drill goes: the Ingress of an embedded cluster, or forwarded ports."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import httpx

from vrooli.drills import http_load
from vrooli.drills.http_load import Target
from vrooli.drills.site import Site
from vrooli.errors import PrerequisiteError
from vrooli.graph.manifests.evidence import Route, find_routes
from vrooli.kube import Kube
from vrooli.kube.common_labels import COMPONENT, INSTANCE
from vrooli.kube.objects import items, name, number, text, texts
from vrooli.kube.status import is_pod_ready

UI, SERVER = "ui", "server"
# How long the first answer may take, seconds.
FIRST_ANSWER_S = 30.0
LOCAL = ("", "127.0.0.1", "localhost")


@asynccontextmanager
async def reached(site: Site, urls: Mapping[str, str]) -> AsyncIterator[Target]:
    """The target during the block; its first answer has been received.

    Args:
        site: The release.
        urls: The addresses of the cluster's Ingress on 127.0.0.1, by scheme; empty if it has none
            there, and then ports of pods are forwarded.

    Raises:
        PrerequisiteError: It has no page, or does not answer.
    """
    async with AsyncExitStack() as stack:
        if urls:
            target = await _ingress(site, urls)
        else:
            target = await _forwarded(site, stack)
        yield await _checked(target)


async def _ingress(site: Site, urls: Mapping[str, str]) -> Target:
    """The route of the page, by the address of the Ingress controller."""
    pages = {
        item.name
        for item in site.manifests
        if item.kind == "Service" and text(item.body, "metadata", "labels", COMPONENT) == UI
    }
    routes = (item for item in find_routes(site.manifests) if item.path == "/")
    route = next((item for item in routes if item.service in pages), None)
    if route is None:
        raise PrerequisiteError(
            f"Release {site.release} has no Ingress for its page.", "Run the drill without --load."
        )
    host = "" if route.host in LOCAL else route.host
    secret = _tls_secret(route)
    scheme = "https" if secret else "http"
    authority = await _certificate(site.kube, secret, site.release.namespace) if secret else None
    return Target(urls[scheme], host, authority)


def _tls_secret(route: Route) -> str:
    for block in items(route.manifest.body, "spec", "tls"):
        if route.host in texts(block, "hosts"):
            return text(block, "secretName")
    return ""


async def _certificate(kube: Kube, secret: str, namespace: str) -> str:
    body = await kube.get("v1", "Secret", secret, namespace)
    encoded = text(body or {}, "data", "tls.crt")
    if not encoded:
        raise PrerequisiteError(
            f"Secret {secret} in namespace {namespace} has no certificate of the Ingress."
        )
    return base64.b64decode(encoded).decode()


async def _forwarded(site: Site, stack: AsyncExitStack) -> Target:
    addresses = {}
    for component in (UI, SERVER):
        selector = f"{INSTANCE}={site.release.name},{COMPONENT}={component}"
        pods = await site.kube.list("v1", "Pod", site.release.namespace, selector)
        pod = next(filter(is_pod_ready, pods), None)
        ports = items(pod or {}, "spec", "containers")
        port = next((number(p, "containerPort") for c in ports for p in items(c, "ports")), 0)
        if pod is None or not port:
            raise PrerequisiteError(
                f"Release {site.release} has no ready pod of {component} with a port.",
                "Run `vrooli diagnose` to find the cause.",
            )
        forward = await site.kube.port_forward(site.release.namespace, name(pod), port)
        addresses[component] = f"http://127.0.0.1:{await stack.enter_async_context(forward)}"
    return Target(addresses[UI], api=addresses[SERVER])


async def _checked(target: Target) -> Target:
    """The target, with posts only if the server has those of the reference services."""
    async with target.client() as client:
        try:
            page = await client.get(target.locate("/"), timeout=FIRST_ANSWER_S)
            posts = await client.get(target.locate(http_load.READS[0]), timeout=FIRST_ANSWER_S)
        except httpx.HTTPError as error:
            place = urlsplit(target.url).netloc
            raise PrerequisiteError(
                f"The release does not answer at {place}: {error!r}",
                "Run `vrooli diagnose` to find the cause.",
            ) from error
    if page.is_error:
        raise PrerequisiteError(f"The page of the release answers with {page.status_code}.")
    is_json = posts.headers.get("content-type", "").startswith("application/json")
    return replace(target, has_posts=posts.is_success and is_json)
