"""The ways into pods that this user may take: asked first, once for each namespace.

Who isn't let in gets no answer either, which looks like a fault of whoever is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from vrooli.diagnosis.evidence import Evidence, Unseen
from vrooli.diagnosis.looking import Looking
from vrooli.diagnosis.objects import is_ready, labels, text
from vrooli.diagnosis.standing import vault_host, vault_service, vault_services
from vrooli.kube import Kube
from vrooli.release.readiness import REDIS_NAME

EXEC, FORWARD = "exec", "portforward"
WORDS = {EXEC: "run programs in pods", FORWARD: "forward ports of pods"}
# API servers ask for the first of whoever comes by a web socket, and from 1.35 on for both.
VERBS = ("get", "create")
Way = tuple[str, str]


def needed(seen: Evidence) -> Mapping[Way, list[str]]:
    """The ways that questions take, each with its namespace, and what is asked so."""
    found: dict[Way, list[str]] = {}
    pods, home = seen.all("Pod"), seen.namespace
    if pods:
        inside = found.setdefault((EXEC, home), [])
        inside += ["Redis"] if any(REDIS_NAME in labels(pod) for pod in pods) else []
        inside += ["PostgreSQL"] if seen.all("PostgresCluster") else []
        inside += ["what pods reach and resolve"]
        ailing = any(
            text(pod, "status", "phase") == "Running" and not is_ready(pod) for pod in pods
        )
        found[FORWARD, home] = ["what pods answer to their probes"] if ailing else []
    for service in vault_services(seen):
        found.setdefault((FORWARD, service.namespace), []).append("Vault")
    return found


async def closed(kube: Kube, seen: Evidence, looking: Looking) -> frozenset[Way]:
    """Those that this user may not take; where it can't be known none is taken either."""
    ways = list(needed(seen))
    allowed = await asyncio.gather(*(_allowed(kube, way, looking) for way in ways))
    return frozenset(way for way, is_open in zip(ways, allowed, strict=True) if not is_open)


async def _allowed(kube: Kube, way: Way, looking: Looking) -> bool:
    name, namespace = way
    asked = (
        looking.at(
            f"the right to {WORDS[name]} in {namespace}",
            kube.may(verb, "v1", "Pod", namespace, subresource=name),
            False,
        )
        for verb in VERBS
    )
    return all(await asyncio.gather(*asked))


def unseen(seen: Evidence) -> list[Unseen]:
    """What isn't asked, because its way is closed, or because it is nowhere in this cluster."""
    return [
        *_outside(seen),
        *(
            Unseen(
                f"{' and '.join(dict.fromkeys(what))} in {way[1]}",
                f"no right to {WORDS[way[0]]} (pods/{way[0]}) there",
            )
            for way, what in needed(seen).items()
            if what and not seen.may(*way)
        ),
    ]


def _outside(seen: Evidence) -> Iterator[Unseen]:
    for body in seen.all("VaultConnection"):
        # Not the whole address: it may hold a password.
        host = vault_host(body)
        if host and vault_service(body) is None:
            why = "no Service of this cluster: only what the Secrets Operator says of it is known"
            yield Unseen(f"Vault at {host}", why)
