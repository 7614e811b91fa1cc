"""How Vault says that it is: initialised, sealed, or nothing at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from vrooli.diagnosis.evidence import Answer, Evidence
from vrooli.diagnosis.objects import Ref, mapping, ref_of, text
from vrooli.diagnosis.standing import vault_service
from vrooli.kube import Kube

NAME = "vault-health"
PORT = 8200
# Vault answers at once, sealed or not, seconds.
ANSWER_S = 3.0


async def ask(kube: Kube, seen: Evidence) -> Sequence[Answer]:
    """The answer of each Vault in this cluster that the release's connections name."""
    services = {vault_service(body) for body in seen.all("VaultConnection")}
    return [
        await _of_one(kube, seen, service)
        for service in services
        if service is not None and seen.has_seen("Pod", service.namespace)
    ]


async def _of_one(kube: Kube, seen: Evidence, service: Ref) -> Answer:
    body = seen.get(service)
    if body is None:
        return Answer(NAME, service, "there is no such Service", ok=False)
    pod = running(seen, service)
    if pod is None:
        return Answer(NAME, service, "no pod runs behind it", ok=False)
    try:
        async with (
            await kube.port_forward(service.namespace, pod, PORT) as port,
            httpx.AsyncClient(timeout=ANSWER_S) as client,
        ):
            answer = await client.get(f"http://127.0.0.1:{port}/v1/sys/health")
    except (httpx.HTTPError, OSError) as error:
        return Answer(NAME, service, f"{type(error).__name__}: {error}", ok=False)
    return Answer(NAME, service, answer.text)


def running(seen: Evidence, service: Ref) -> str | None:
    """The name of a pod that runs behind a Service."""
    selector = mapping(seen.get(service), "spec", "selector")
    pods = seen.pods(selector, service.namespace)
    found = (pod for pod in pods if text(pod, "status", "phase") == "Running")
    pod = next(found, None)
    return None if pod is None else ref_of(pod).name


def answers(seen: Evidence) -> Iterator[tuple[Answer, Mapping[str, Any]]]:
    """The answers that Vaults gave, with what they say of themselves."""
    for answer in seen.answers:
        if answer.probe == NAME and answer.ok:
            said = json.loads(answer.text)
            if isinstance(said, Mapping):
                yield answer, said
