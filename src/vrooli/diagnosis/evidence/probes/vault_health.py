"""How Vault says that it is: initialised, sealed, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from vrooli.diagnosis.dependency_graph import vault_service
from vrooli.diagnosis.evidence.access import FORWARD
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.kube import Kube
from vrooli.kube.objects import Body, Ref, containers, items, mapping, ref_of, text

NAME = "vault-health"
PORT = 8200
# Where an address names no port.
PORTS = {"http": 80, "https": 443}
# Vault answers at once, sealed or not; the way to it takes a while on a busy machine, seconds.
ANSWER_S = 10.0
# Characters of an answer that isn't Vault's own.
QUOTED = 200


async def ask(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
    """The answer of each Vault in this cluster that the release's connections name."""
    connections = {vault_service(body): body for body in evidence.all("VaultConnection")}
    replies = [
        await _fetch_health(kube, evidence, service, connection)
        for service, connection in connections.items()
        if service is not None and evidence.is_readable("Pod", service.namespace)
    ]
    return [answer for answer in replies if answer is not None]


async def _fetch_health(
    kube: Kube, evidence: Evidence, service: Ref, connection: Body
) -> Answer | None:
    if evidence.get(service) is None:
        return Answer(NAME, service, "there is no such Service", ok=False)
    pod = running(evidence, service)
    if pod is None:
        return Answer(NAME, service, "no pod runs behind it", ok=False)
    if not evidence.may(FORWARD, service.namespace):
        return None
    try:
        async with vault_client(kube, evidence, connection, pod) as vault:
            answer = await vault.get("sys/health")
    except (httpx.HTTPError, OSError) as error:
        error_text = f"{type(error).__name__}: {error}"
        return Answer(NAME, service, error_text, ok=_is_refusal(connection, error))
    return Answer(NAME, service, answer.text if is_read(answer) else unread(answer))


@asynccontextmanager
async def vault_client(
    kube: Kube, evidence: Evidence, connection: Body, pod: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the Vault that a connection names, by a port that leads into its pod."""
    address = urlsplit(text(connection, "spec", "address"))
    service = vault_service(connection) or Ref("Service", "")
    pod_port = target(evidence, service, pod, address.port or PORTS.get(address.scheme, PORT))
    async with (
        await kube.port_forward(service.namespace, pod, pod_port) as port,
        httpx.AsyncClient(
            base_url=f"{address.scheme}://127.0.0.1:{port}{address.path.rstrip('/')}/v1",
            timeout=ANSWER_S,
            # Its certificate names the Service, not this end of the way; the API server leads it
            # to that pod and no other. Whether the operator trusts it, the operator says.
            verify=False,  # noqa: S501
        ) as client,
    ):
        yield client


def target(evidence: Evidence, service: Ref, pod: str, port: int) -> int:
    """The port of a pod that a port of its Service leads to."""
    spec = mapping(evidence.get(service), "spec")
    port_entry = next((item for item in items(spec, "ports") if item.get("port") == port), {})
    target_port = port_entry.get("targetPort")
    if text(spec, "clusterIP") == "None" or not target_port:
        return port
    if isinstance(target_port, int):
        return target_port
    ports = (
        item.get("containerPort")
        for container in containers(evidence.get(Ref("Pod", pod, service.namespace)) or {})
        for item in items(container, "ports")
        if item.get("name") == target_port
    )
    return next((match for match in ports if isinstance(match, int)), port)


def is_read(answer: httpx.Response) -> bool:
    """Whether an answer is one of Vault's."""
    return _parsed(answer.text) is not None


def unread(answer: httpx.Response) -> str:
    """What is said of an answer that is none of Vault's, such as a proxy's page."""
    page = " ".join(answer.text.split())[:QUOTED]
    return f"its answer ({answer.status_code}) can't be read: {page}"


def _is_refusal(connection: Body, error: Exception) -> bool:
    """Whether somebody is there who speaks TLS, and not with us: it may want a certificate.

    Whoever isn't there doesn't get as far as that: the connection itself fails, or nothing comes.
    """
    uses_tls = text(connection, "spec", "address").startswith("https:")
    return uses_tls and isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError))


def running(evidence: Evidence, service: Ref) -> str | None:
    """The name of a pod that runs behind a Service."""
    selector = mapping(evidence.get(service), "spec", "selector")
    pods = evidence.pods(selector, service.namespace)
    names = (pod for pod in pods if text(pod, "status", "phase") == "Running")
    pod = next(names, None)
    return None if pod is None else ref_of(pod).name


def answers(evidence: Evidence) -> Iterator[tuple[Answer, Mapping[str, Any]]]:
    """The answers that Vaults gave, with what they say of themselves."""
    for answer in evidence.answers:
        health = _parsed(answer.text) if answer.probe == NAME and answer.ok else None
        if health is not None:
            yield answer, health


def _parsed(body: str) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(body)
    except ValueError:
        return None
    return parsed if isinstance(parsed, Mapping) else None
