"""The ways into pods that this user may take: asked first, once for each namespace.

Who isn't let in gets no answer either, which looks like a fault of whoever is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from vrooli.diagnosis.evidence.collection import requirements
from vrooli.diagnosis.evidence.components.vault import vault_address, vault_services
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube import Kube, RequestBudget
from vrooli.kube.fetch import Fetcher
from vrooli.kube.objects import labels, text
from vrooli.kube.status import is_pod_ready
from vrooli.kube.unavailable import Cause, Unavailable
from vrooli.operators.redis.names import FAILOVER_LABEL

EXEC, FORWARD = "exec", "portforward"
WORDS = {EXEC: "run programs in pods", FORWARD: "forward ports of pods"}
# API servers ask for the first of whoever comes by a web socket, and from 1.35 on for both.
VERBS = ("get", "create")
PodAccess = tuple[str, str]


def needed(evidence: Evidence) -> Mapping[PodAccess, list[str]]:
    """The ways that questions take, each with its namespace, and what is asked so."""
    required: dict[PodAccess, list[str]] = {}
    pods, home = evidence.all("Pod"), evidence.namespace
    if pods:
        inside = required.setdefault((EXEC, home), [])
        inside += ["Redis"] if any(FAILOVER_LABEL in labels(pod) for pod in pods) else []
        inside += ["PostgreSQL"] if evidence.all("PostgresCluster") else []
        inside += ["what pods reach and resolve"]
        ailing = any(
            text(pod, "status", "phase") == "Running" and not is_pod_ready(pod) for pod in pods
        )
        required[FORWARD, home] = ["what pods answer to their probes"] if ailing else []
    for service in vault_services(evidence):
        required.setdefault((FORWARD, service.namespace), []).append("Vault")
    return required


async def closed(
    kube: Kube, evidence: Evidence, fetcher: Fetcher, budget: RequestBudget
) -> Mapping[PodAccess, str]:
    """Those that this user may not take, each with why; where it can't be known none is taken."""
    accesses = list(needed(evidence))
    reasons = await asyncio.gather(*(_reason(kube, access, fetcher, budget) for access in accesses))
    return {access: why for access, why in zip(accesses, reasons, strict=True) if why}


async def _reason(kube: Kube, access: PodAccess, fetcher: Fetcher, budget: RequestBudget) -> str:
    """Why a way is closed; empty where it is open."""
    name, namespace = access
    what = f"the right to {WORDS[name]} in {namespace}"

    async def is_allowed(verb: str) -> bool:
        return await budget.run(
            what, lambda _: kube.may(verb, "v1", "Pod", namespace, subresource=name)
        )

    requests = (fetcher.fetch(what, is_allowed(verb), None, None) for verb in VERBS)
    allowed = await asyncio.gather(*requests)
    if False in allowed:
        return f"no right to {WORDS[name]} (pods/{name}) there"
    return f"whether this user may {WORDS[name]} there wasn't answered" if None in allowed else ""


def unavailable(evidence: Evidence) -> list[Unavailable]:
    """What isn't asked, because its way is closed, or because it is nowhere in this cluster."""
    return [
        *_outside(evidence),
        *(
            _unasked(access, what, evidence.closed.get(access, ""))
            for access, what in needed(evidence).items()
            if what and not evidence.may(*access)
        ),
    ]


def _unasked(access: PodAccess, what: Sequence[str], why: str) -> Unavailable:
    part, namespace = access
    needed_ = (name for name, word in requirements.PROBES.items() if word in what)
    return Unavailable(
        f"{' and '.join(dict.fromkeys(what))} in {namespace}",
        why,
        f"Ask for the right to {' and '.join(VERBS)} pods/{part} in namespace {namespace}: "
        f"`kubectl auth can-i create pods --subresource={part} -n {namespace}` says whether it "
        "is there.",
        Cause.FORBIDDEN,
        (requirements.PROBE, next(needed_, "")),
    )


def _outside(evidence: Evidence) -> Iterator[Unavailable]:
    for body in evidence.all("VaultConnection"):
        # Not the whole address: it may hold a password.
        address = vault_address(body)
        if address is not None and not address.is_in_cluster:
            why = "no Service of this cluster: only what the Secrets Operator says of it is known"
            yield Unavailable(f"Vault at {address.host}", why)
