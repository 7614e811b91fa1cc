"""How a new value reaches the Secret that pods read, and the databases."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube, Manifest
from vrooli.kube.objects import text
from vrooli.operators.vso import names as vso
from vrooli.rotation import targets
from vrooli.rotation.model import SyncedSecret, Target

# A change of this annotation makes the Vault Secrets Operator read Vault at once, since 0.9;
# otherwise it does so at intervals (vso.refreshAfter).
SYNC = "vrooli.com/rotation-requested-at"
# The reason of the rotator's event for a value that cannot be used.
REFUSED = "RotationFailed"
ANOTHER_VALUE = "Run the same command again: it writes another value to Vault."


async def request_sync(kube: Kube, target: SyncedSecret) -> None:
    """Make the Vault Secrets Operator read the secret now."""
    annotations = {SYNC: datetime.now(UTC).isoformat()}
    await kube.patch(
        *(vso.API_VERSION, vso.STATIC_SECRET, target.sync["metadata"]["name"], target.namespace),
        {"metadata": {"annotations": annotations}},
    )


async def await_secret(
    kube: Kube,
    namespace: str,
    name: str,
    is_new: Callable[[Mapping[str, str]], bool],
    timeout_s: float,
    progress: Progress,
) -> None:
    """Wait until the data of a Secret is the new one.

    Raises:
        WaitTimeoutError: It is not.
    """

    def reason(body: Manifest | None) -> str | None:
        return None if is_new(targets.data_of(body)) else "it has the previous value"

    await kube.wait_for("v1", "Secret", name, namespace, reason, timeout_s, progress)


async def await_completion(
    kube: Kube, target: Target, timeout_s: float, progress: Progress
) -> None:
    """Wait until the rotator has removed the previous password from the database.

    Raises:
        WaitTimeoutError: It has not.
    """

    def reason(body: Manifest | None) -> str | None:
        is_rotating = target.kind.state in targets.data_of(body)
        return "the database still accepts the previous password" if is_rotating else None

    await kube.wait_for(
        *("v1", "Secret", target.state_secret, target.namespace, reason, timeout_s, progress)
    )


@asynccontextmanager
async def rotator_events(
    kube: Kube, target: SyncedSecret, progress: Progress, advice: str = ANOTHER_VALUE
) -> AsyncIterator[None]:
    """Report the rotator's events during the block.

    Args:
        kube: The cluster.
        target: The secret.
        progress: Reports the events.
        advice: What to do if the rotator refuses the value.

    Raises:
        VrooliError: The rotator refuses the value.
    """
    began = datetime.now(UTC)

    async def report() -> None:
        with contextlib.suppress(ApiError):  # events are optional
            fields = f"involvedObject.name={target.rotator}"
            watching = kube.watch("v1", "Event", target.namespace, fields=fields)
            async with contextlib.aclosing(watching) as events:
                async for change, body in events:
                    if change != "ADDED" or _time(body) < began:
                        continue
                    if text(body, "reason") == REFUSED:
                        raise VrooliError(
                            f"The rotator refuses the new value: {text(body, 'message')}", advice
                        )
                    progress.report(text(body, "message"))

    async with asyncio.TaskGroup() as group:
        reporting = group.create_task(report()) if target.rotator else None
        yield
        if reporting is not None:
            reporting.cancel()


def _time(event: Manifest) -> datetime:
    moment = text(event, "eventTime") or text(event, "metadata", "creationTimestamp")
    return datetime.fromisoformat(moment)
