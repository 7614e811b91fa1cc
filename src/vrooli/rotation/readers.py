"""The pods that read a Secret as environment variables, and which value they have.

A digest of the value is compared in the pod, so that the value does not leave it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube import Kube, gather_limited
from vrooli.kube.execution import Program
from vrooli.kube.objects import Body, items, label_selector, mapping, name, text
from vrooli.kube.status import has_ended
from vrooli.rotation.model import SyncedSecret

WORKLOADS = ("Deployment", "StatefulSet")
# A shell removes line ends after the value.
_DIGEST = 'printf %s "$(printenv "$1")" | sha256sum'
# The operator of Redis reads its own key with the same value.
ALIASES = {"REDIS_PASSWORD": "password"}
POLL_S = 1.0
# The time limit of a digest, the connection to its pod included, seconds.
DIGEST_S = 20.0


@dataclass(frozen=True)
class Reader:
    """A container that reads a key of a Secret.

    Attributes:
        workload: The kind and name of its workload.
        selector: The labels of the workload's pods.
        container: The container.
        variable: The environment variable with the value.
    """

    workload: str
    selector: Mapping[str, str]
    container: str
    variable: str


async def find(kube: Kube, target: SyncedSecret, key: str) -> list[Reader]:
    """The containers of the namespace whose environment has a key of the published Secret."""
    bodies = [
        {"kind": kind, **body}
        for kind in WORKLOADS
        for body in await kube.list("apps/v1", kind, target.namespace)
    ]
    return [reader for body in bodies for reader in _readers(body, target.published, key)]


def _readers(body: Body, secret: str, key: str) -> Iterator[Reader]:
    workload = f"{text(body, 'kind')}/{name(body)}"
    selector = mapping(body, "spec", "selector", "matchLabels")
    for container in items(body, "spec", "template", "spec", "containers"):
        for variable in _variables(container, secret, key):
            yield Reader(workload, selector, text(container, "name"), variable)


def _variables(container: Body, secret: str, key: str) -> Iterator[str]:
    """The variables of a container with the key's value, by `envFrom` and by `env`."""
    sources = items(container, "envFrom")
    if any(text(source, "secretRef", "name") == secret for source in sources):
        yield key
    for setting in items(container, "env"):
        reference = mapping(setting, "valueFrom", "secretKeyRef")
        if text(reference, "name") == secret and text(reference, "key") in (key, ALIASES.get(key)):
            yield text(setting, "name")


async def await_values(
    kube: Kube,
    target: SyncedSecret,
    values: Mapping[str, str],
    timeout_s: float,
    progress: Progress,
) -> list[str]:
    """Wait until all pods that read keys of the published Secret have the values.

    Args:
        kube: The cluster.
        target: The secret.
        values: The values by key; an empty one also stands for a key that was removed.
        timeout_s: The time limit, seconds.
        progress: Reports the pods that it waits for.

    Returns:
        The names of the pods.

    Raises:
        WaitTimeoutError: Some still have another one.
    """
    readers = await _find(kube, target, values)
    pods: list[str] = []
    old: Sequence[str] = ()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while True:
                states = await _states(kube, target.namespace, readers)
                pods, old = sorted(states), sorted(pod for pod, new in states.items() if not new)
                if not old:
                    return pods
                progress.report(f"waits for {', '.join(old)}")
                await asyncio.sleep(POLL_S)
    raise WaitTimeoutError(
        f"These pods do not use the new value after {timeout_s:.0f} s: {', '.join(old)}.",
        "Run `vrooli diagnose` to find the cause; then run the same command again. It continues "
        "this rotation.",
    )


async def is_missing(kube: Kube, target: SyncedSecret, values: Mapping[str, str]) -> bool:
    """Whether a pod that reads the secret has another value; pods that do not answer do not count.

    Without a rotator, nothing else shows that a rotation was interrupted.
    """
    readers = await _find(kube, target, values)
    return False in (await _states(kube, target.namespace, readers)).values()


async def _find(
    kube: Kube, target: SyncedSecret, values: Mapping[str, str]
) -> list[tuple[Reader, str]]:
    """The containers that read keys, each with the digest of the value."""
    return [
        # The shell in the pod removes line ends, too.
        (reader, sha256(value.rstrip("\n").encode()).hexdigest())
        for key, value in values.items()
        for reader in await find(kube, target, key)
    ]


async def _states(
    kube: Kube, namespace: str, readers: Sequence[tuple[Reader, str]]
) -> dict[str, bool | None]:
    """Whether each pod has the values of the digests; None if it does not answer."""
    questions = [
        (text(pod, "metadata", "name"), reader, digest)
        for reader, digest in readers
        for pod in await _pods(kube, namespace, reader)
    ]

    async def has_value(question: tuple[str, Reader, str]) -> tuple[str, bool | None]:
        pod, reader, digest = question
        argv = ["sh", "-c", _DIGEST, "sh", reader.variable]
        program = Program(namespace, pod, reader.container, argv)
        with contextlib.suppress(VrooliError, TimeoutError):  # it starts or ends just now
            async with asyncio.timeout(DIGEST_S):
                completed = await kube.run_program(program)
                return pod, completed.stdout.startswith(digest)
        return pod, None

    states: dict[str, bool | None] = {}
    for pod, new in await gather_limited(has_value, questions):
        answers = (states.get(pod, True), new)
        states[pod] = False if False in answers else None if None in answers else True
    return states


async def _pods(kube: Kube, namespace: str, reader: Reader) -> list[Body]:
    selector = label_selector(reader.selector)
    return [pod for pod in await kube.list("v1", "Pod", namespace, selector) if not has_ended(pod)]
