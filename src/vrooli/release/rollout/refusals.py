"""Refusals of Vault and of the API server: Secrets, pods, changes of databases. No I/O here.

Vault's refusals appear in events only, the API server's in events and conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vrooli.kube.events import Event
from vrooli.kube.status import deployment_unready_reason, workload_status
from vrooli.operators import progress as operator_progress
from vrooli.operators.catalog import databases
from vrooli.release.rollout import readiness
from vrooli.release.rollout.context import RolloutContext
from vrooli.release.rollout.failures import PodFailure

KIND = "VaultStaticSecret"
# Vault's responses that a retry does not change: no such role, no permission, no such secret.
REFUSED = re.compile(r"Code: (?:400|403|404)")
# A single refusal may precede the policy.
TIMES = 2
# VSO retries after 5 s, with growing intervals, seconds.
VAULT_GRACE_S = 10.0
# An operator may still apply the change, seconds.
OPERATED_S = 30.0
# A pod's missing dependency may still be created, and its controller retries only after 41 s,
# seconds; an invalid pod stays invalid.
PODS_S = 75.0
INVALID, PODS = "is invalid: ", re.compile(r"^the pods of StatefulSet/\S+ are refused")
# Both operators reconcile at least every 30 s and write a volume's new size at once, seconds.
RESIZED_S = 60.0
DATABASES = databases()
# A quota may become free when other pods end.
QUOTA = "exceeded quota"


def find_refusals(context: RolloutContext) -> Iterator[PodFailure]:
    """Find refusals of the release's Secrets, databases and Deployments."""
    yield from _secrets(context)
    for item in context.manifests or ():
        body = None if item.is_hook else context.snapshot.find(item.kind, item.name)
        if body is None:
            continue
        refusals = [message for message in _refusals(body, context) if QUOTA not in message]
        if refusals:
            yield from (
                build_failure(item.key, one, _grace_period_s(body, one)) for one in refusals
            )
        elif (resource := DATABASES.get(item.kind)) is not None:
            for message in operator_progress.small_volumes(resource, body, context.snapshot):
                yield build_failure(item.key, message, RESIZED_S)


def _grace_period_s(body: Mapping[str, Any], message: str) -> float:
    """The grace period of a refusal, seconds."""
    of_pods = body.get("kind") not in DATABASES or PODS.match(message)
    return PODS_S if of_pods and INVALID not in message else OPERATED_S


def build_failure(key: str, message: str, grace_period_s: float = OPERATED_S) -> PodFailure:
    """The failure of an object that was refused, by kind and name."""
    return PodFailure(key, "", "refused", message, grace_period_s=grace_period_s)


def _refusals(body: Mapping[str, Any], context: RolloutContext) -> Iterator[str]:
    if (resource := DATABASES.get(body.get("kind", ""))) is not None:
        yield from operator_progress.refusals(resource, body, context.snapshot)
    elif body.get("kind") == "Deployment" and deployment_unready_reason(body) is not None:
        yield from filter(None, (workload_status(body).refusal,))
    elif body.get("kind") == "StatefulSet":
        yield from filter(None, (operator_progress.refused_pods(body, context.snapshot),))


def _secrets(context: RolloutContext) -> Iterator[PodFailure]:
    """The release's Secrets that Vault refused more than once."""
    for item in context.manifests or ():
        if item.kind != KIND or readiness.unready_reason(item, context.snapshot) is None:
            continue
        refusal_events = [
            event for event in context.snapshot.events if _is_refusal(event, item.name, context)
        ]
        if sum(event.count for event in refusal_events) >= TIMES:
            message = " ".join(refusal_events[-1].message.split())
            yield PodFailure(
                f"{KIND}/{item.name}", "", "refused by Vault", message, grace_period_s=VAULT_GRACE_S
            )


def _is_refusal(event: Event, name: str, context: RolloutContext) -> bool:
    return (
        (event.about.kind, event.about.name) == (KIND, name)
        and REFUSED.search(event.message) is not None
        and event.last is not None
        and event.last >= context.began
    )
