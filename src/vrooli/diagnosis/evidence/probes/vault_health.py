"""The health of Vault: initialized, sealed, or no response."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from vrooli.diagnosis.evidence.collection.access import FORWARD
from vrooli.diagnosis.evidence.components.vault import vault_address, vault_service
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube.objects import Body, Ref, dig, mapping, ref_of, text
from vrooli.responses import LimitedClient
from vrooli.vault import tls
from vrooli.vault.address import pod_port

NAME = "vault-health"
# Vault responds at once; the connection to it may be slow on a busy machine, seconds.
ANSWER_S = 10.0
LOCALHOST = "127.0.0.1"
# The shown characters of a response that is not Vault's.
QUOTED = 200


async def run(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
    """The response of each Vault in this cluster that the release uses."""
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
        return Answer(NAME, service, "the Service does not exist", ok=False)
    pod = running(evidence, service)
    if pod is None:
        return Answer(NAME, service, "it has no running pod", ok=False)
    if not evidence.may(FORWARD, service.namespace):
        return None
    try:
        async with vault_client(kube, evidence, connection, pod) as vault:
            answer = await vault.get("sys/health")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        error_text = f"{type(error).__name__}: {error}"
        return Answer(NAME, service, error_text, ok=_is_refusal(connection, error))
    return Answer(NAME, service, answer.text if is_read(answer) else unread(answer))


@asynccontextmanager
async def vault_client(
    kube: Kube, evidence: Evidence, connection: Body, pod: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the Vault of a connection, through a port-forward to its pod."""
    address = vault_address(connection)
    if address is None or address.service is None:
        raise ValueError(f"{ref_of(connection)} references no Service of the cluster")
    service = address.service
    context = await _context(kube, connection)
    server_name = text(connection, "spec", "tlsServerName") or address.host

    async def expect_certificate(request: httpx.Request) -> None:
        """The certificate is for the Service, not for the local port.

        A path begins with a field of an object, which could be the address of another host.
        """
        if (request.url.host, request.url.port) != (LOCALHOST, port):
            raise httpx.InvalidURL("a path of an object is an address")
        request.extensions = {**request.extensions, "sni_hostname": server_name}

    body = evidence.get(Ref("Pod", pod, service.namespace)) or {}
    target_port = pod_port(evidence.get(service) or {}, body, address.port)
    async with (
        await kube.port_forward(service.namespace, pod, target_port) as port,
        LimitedClient(
            base_url=f"{address.scheme}://{LOCALHOST}:{port}{address.path}/v1",
            timeout=ANSWER_S,
            verify=context,
            # No proxy of the environment, which would receive the tokens of logins.
            trust_env=False,
            event_hooks={"request": [expect_certificate]},
        ) as client,
    ):
        yield client


async def _context(kube: Kube, connection: Body) -> ssl.SSLContext:
    """What the operator verifies Vault's certificate with; without a Secret, this machine's CAs."""
    if dig(connection, "spec", "skipTLSVerify"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    name = text(connection, "spec", "caCertSecretRef")
    if not name:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Without a CA, no certificate is valid: the operator does not connect either.
    with contextlib.suppress(ssl.SSLError, ValueError, VrooliError):
        secret = await kube.get("v1", "Secret", name, ref_of(connection).namespace)
        context.load_verify_locations(cadata=tls.authority_in(secret).decode())
    return context


def is_read(answer: httpx.Response) -> bool:
    """Whether a response is from Vault."""
    return _parsed(answer.text) is not None


def unread(answer: httpx.Response) -> str:
    """The message for a response that is not from Vault, such as a proxy's page."""
    page = " ".join(answer.text.split())[:QUOTED]
    return f"its response ({answer.status_code}) cannot be read: {page}"


def _is_refusal(connection: Body, error: Exception) -> bool:
    """Whether a TLS server is there: it closed the connection, or its certificate is not valid.

    It may require a client certificate. Without a server the connection itself fails or times out.
    The operator reports why it does not accept a certificate.
    """
    uses_tls = text(connection, "spec", "address").startswith("https:")
    closed = isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError))
    return uses_tls and (closed or "CERTIFICATE_VERIFY_FAILED" in str(error))


def running(evidence: Evidence, service: Ref) -> str | None:
    """The name of a running pod of a Service."""
    selector = mapping(evidence.get(service), "spec", "selector")
    pods = evidence.pods(selector, service.namespace)
    names = (pod for pod in pods if text(pod, "status", "phase") == "Running")
    pod = next(names, None)
    return None if pod is None else ref_of(pod).name


def answers(evidence: Evidence) -> Iterator[tuple[Answer, Mapping[str, Any]]]:
    """The responses of Vaults with the parsed health."""
    for answer in evidence.answers:
        health = _parsed(answer.text) if answer.probe == NAME and answer.ok else None
        if health is not None:
            yield answer, health


def _parsed(body: str) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, Mapping) else None
