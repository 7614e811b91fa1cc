"""How Vault says that it is: initialised, sealed, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from vrooli.diagnosis.evidence.collection.access import FORWARD
from vrooli.diagnosis.evidence.components.vault import vault_address, vault_service
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.kube import Kube
from vrooli.kube.objects import Body, Ref, mapping, ref_of, text
from vrooli.vault.address import pod_port

NAME = "vault-health"
# Vault answers at once, sealed or not; the way to it takes a while on a busy machine, seconds.
ANSWER_S = 10.0
# Characters of an answer that isn't Vault's own.
QUOTED = 200


async def run(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
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
    address = vault_address(connection)
    if address is None or address.service is None:
        raise ValueError(f"{ref_of(connection)} names no Service of the cluster")
    service = address.service
    body = evidence.get(Ref("Pod", pod, service.namespace)) or {}
    target_port = pod_port(evidence.get(service) or {}, body, address.port)
    async with (
        await kube.port_forward(service.namespace, pod, target_port) as port,
        httpx.AsyncClient(
            base_url=f"{address.scheme}://127.0.0.1:{port}{address.path}/v1",
            timeout=ANSWER_S,
            # Its certificate names the Service, not this end of the way; the API server leads it
            # to that pod and no other. Whether the operator trusts it, the operator says.
            verify=False,  # noqa: S501
        ) as client,
    ):
        yield client


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
