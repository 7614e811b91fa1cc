"""What is refused to those who keep a release: secrets, pods, changes of databases. No I/O here.

Vault's refusals are told by events only, the API server's by events and conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vrooli.kube.events import Event
from vrooli.kube.status import deployment_unready_reason, workload_status
from vrooli.release.rollout import operator_progress, readiness
from vrooli.release.rollout.context import Scene
from vrooli.release.rollout.failures import Trouble

KIND = "VaultStaticSecret"
# Vault's answers that asking again doesn't change: no such role, no right, no such secret.
REFUSED = re.compile(r"Code: (?:400|403|404)")
# Once may be a moment before its policy was written.
TIMES = 2
# It asks again after 5 s, and ever later, seconds.
LASTS_S = 10.0
# An operator may just be about to do it, seconds.
OPERATED_S = 30.0
# What a pod misses may come, and its controller tries again after 41 s only, seconds; an invalid
# pod stays invalid.
PODS_S = 75.0
INVALID, PODS = "is invalid: ", re.compile(r"^the pods of StatefulSet/\S+ are refused")
# Both operators look at least every half minute, and write a volume's new size at once, seconds.
RESIZED_S = 60.0
DATABASES = ("PostgresCluster", "RedisFailover")
# Other pods that end make room in a quota.
QUOTA = "exceeded quota"


def refused(scene: Scene) -> Iterator[Trouble]:
    """What is refused to the release's secrets, databases and Deployments."""
    yield from _secrets(scene)
    for item in scene.wanted or ():
        body = None if item.is_hook else scene.seen.find(item.kind, item.name)
        if body is None:
            continue
        refusals = [message for message in _refusals(body, scene) if QUOTA not in message]
        if refusals:
            yield from (trouble(item.key, one, _lasts_s(body, one)) for one in refusals)
        elif body.get("kind") in DATABASES:
            for message in operator_progress.small_volumes(body, scene.seen):
                yield trouble(item.key, message, RESIZED_S)


def _lasts_s(body: Mapping[str, Any], message: str) -> float:
    """How long a refusal must last to be believed, seconds."""
    of_pods = body.get("kind") not in DATABASES or PODS.match(message)
    return PODS_S if of_pods and INVALID not in message else OPERATED_S


def trouble(key: str, message: str, lasts_s: float = OPERATED_S) -> Trouble:
    """What is refused to an object, by kind and name."""
    return Trouble(key, "", "refused", message, lasts_s=lasts_s)


def _refusals(body: Mapping[str, Any], scene: Scene) -> Iterator[str]:
    if body.get("kind") in DATABASES:
        yield from operator_progress.refusals(body, scene.seen)
    elif body.get("kind") == "Deployment" and deployment_unready_reason(body) is not None:
        yield from filter(None, (workload_status(body).refusal,))
    elif body.get("kind") == "StatefulSet":
        yield from filter(None, (operator_progress.refused_pods(body, scene.seen),))


def _secrets(scene: Scene) -> Iterator[Trouble]:
    """The release's secrets that aren't there because Vault refused them more than once."""
    for item in scene.wanted or ():
        if item.kind != KIND or readiness.lack(item, scene.seen) is None:
            continue
        said = [event for event in scene.seen.events if _tells(event, item.name, scene)]
        if sum(event.count for event in said) >= TIMES:
            message = " ".join(said[-1].message.split())
            yield Trouble(f"{KIND}/{item.name}", "", "refused by Vault", message, lasts_s=LASTS_S)


def _tells(event: Event, name: str, scene: Scene) -> bool:
    return (
        (event.about.kind, event.about.name) == (KIND, name)
        and REFUSED.search(event.message) is not None
        and event.last is not None
        and event.last >= scene.began
    )
