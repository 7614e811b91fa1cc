"""The kinds of access to pods that this user has, checked once for each namespace.

Without this check, a denied request would look like a fault of the probed component.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from vrooli import shell
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
# API servers require the first for web sockets, and both since Kubernetes 1.35.
VERBS = ("get", "create")
PodAccess = tuple[str, str]


def needed(evidence: Evidence) -> Mapping[PodAccess, list[str]]:
    """The kinds of access that the probes need, each with its namespace and its targets."""
    required: dict[PodAccess, list[str]] = {}
    pods, home = evidence.all("Pod"), evidence.namespace
    if pods:
        inside = required.setdefault((EXEC, home), [])
        inside += ["Redis"] if any(FAILOVER_LABEL in labels(pod) for pod in pods) else []
        inside += ["PostgreSQL"] if evidence.all("PostgresCluster") else []
        inside += ["connectivity and DNS of pods"]
        ailing = any(
            text(pod, "status", "phase") == "Running" and not is_pod_ready(pod) for pod in pods
        )
        required[FORWARD, home] = ["health reports of pods"] if ailing else []
    for service in vault_services(evidence):
        required.setdefault((FORWARD, service.namespace), []).append("Vault")
    return required


async def closed(
    kube: Kube, evidence: Evidence, fetcher: Fetcher, budget: RequestBudget
) -> Mapping[PodAccess, str]:
    """The denied kinds of access, each with the reason; an unknown permission counts as denied."""
    accesses = list(needed(evidence))
    reasons = await asyncio.gather(*(_reason(kube, access, fetcher, budget) for access in accesses))
    return {access: why for access, why in zip(accesses, reasons, strict=True) if why}


async def _reason(kube: Kube, access: PodAccess, fetcher: Fetcher, budget: RequestBudget) -> str:
    """Why access is denied; empty if it is allowed."""
    name, namespace = access
    what = f"the permission to {WORDS[name]} in {namespace}"

    async def is_allowed(verb: str) -> bool:
        return await budget.run(
            what, lambda _: kube.may(verb, "v1", "Pod", namespace, subresource=name)
        )

    requests = (fetcher.fetch(what, partial(is_allowed, verb), None, None) for verb in VERBS)
    allowed = await asyncio.gather(*requests)
    if False in allowed:
        return f"no permission to {WORDS[name]} (pods/{name})"
    return f"the permission to {WORDS[name]} could not be checked" if None in allowed else ""


def unavailable(evidence: Evidence) -> list[Unavailable]:
    """The skipped probes: those without permission, and those of targets outside the cluster."""
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
        shell.checked(
            f"Ask an administrator for permission to {' and '.join(VERBS)} pods/{part} in "
            f"namespace {shell.label(namespace)}. To check it: `kubectl auth can-i create pods "
            f"--subresource={part} -n {shell.label(namespace)}`."
        ),
        Cause.FORBIDDEN,
        (requirements.PROBE, next(needed_, "")),
    )


def _outside(evidence: Evidence) -> Iterator[Unavailable]:
    for body in evidence.all("VaultConnection"):
        # Not the complete address: it may contain a password.
        address = vault_address(body)
        if address is not None and not address.is_in_cluster:
            why = (
                "it is not a Service of this cluster: only the Vault Secrets Operator's status is "
                "known"
            )
            yield Unavailable(f"Vault at {address.host}", why)
