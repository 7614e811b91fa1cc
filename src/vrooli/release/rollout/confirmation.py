"""Who is to blame that a release can't become ready: believed after a while, told with its log."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube.status.missing_config import parse_missing_config
from vrooli.release import secret_redaction
from vrooli.release.rollout.failures import Trouble
from vrooli.release.rollout.log_cause import telling_line

# Lines of a crashed container's log that are told.
LOG_LINES = 10
# How often it is asked for, a while apart: a container's log goes a moment before the next one's.
LOG_TRIES = 4
LOG_PAUSE_S = 1.0


class Blame:
    """Remembers since when each container of a namespace has stood in a release's way."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube, self._namespace = kube, namespace
        self._since: dict[str, float] = {}

    async def lines(self, troubles: Sequence[Trouble]) -> list[str]:
        """What stands in the way and won't pass, in words; none while there is hope.

        Args:
            troubles: What stands in the way now, believed or not.
        """
        lasting = [item for item in self._lasting(troubles) if await self._is_true(item)]
        return [line for item in lasting for line in await self.told(item)]

    def _lasting(self, troubles: Sequence[Trouble]) -> list[Trouble]:
        """What has stood in the way for as long as it must to be believed."""
        now, before = time.monotonic(), self._since
        # Kubernetes' words change from try to try: it is the container that is in trouble.
        self._since = {item.place: before.get(item.place, now) for item in troubles}
        return [item for item in troubles if now - self._since[item.place] >= item.lasts_s]

    async def _is_true(self, trouble: Trouble) -> bool:
        """Whether what the kubelet misses isn't there: it looks again only after 10 to 15 s."""
        missing = parse_missing_config(trouble.message)
        if missing is None or not missing.name:
            return True
        keys = await self._keys(missing.kind, missing.name)
        return missing.key not in (keys or ()) if missing.key else keys is None

    async def _keys(self, kind: str, name: str) -> set[str] | None:
        """The keys of a Secret or ConfigMap; None where it isn't there or may not be seen."""
        try:
            body = await self._kube.get("v1", kind, name, self._namespace)
        except VrooliError:
            return None
        return None if body is None else {*body.get("data", {}), *body.get("binaryData", {})}

    async def told(self, trouble: Trouble) -> list[str]:
        """A trouble, with the end of the log of what crashed; without secrets."""
        redactor = await secret_redaction.redactor(self._kube, self._namespace)
        log = await self._last_log(trouble) if trouble.crashed else []
        why = telling_line(log)
        first = f"{trouble}: {why}" if why else str(trouble)
        return [redactor.text(first), *(f"  {line}" for line in redactor.lines(log))]

    async def _last_log(self, trouble: Trouble) -> list[str]:
        """The end of the log of what crashed; for a moment, between two starts, there is none."""
        for _ in range(LOG_TRIES):
            for previous in (True, False):
                log = self._kube.logs(
                    self._namespace,
                    trouble.pod,
                    trouble.container or None,
                    tail=LOG_LINES,
                    previous=previous,
                )
                with contextlib.suppress(VrooliError):
                    return [line async for line in log]
            await asyncio.sleep(LOG_PAUSE_S)
        return []
