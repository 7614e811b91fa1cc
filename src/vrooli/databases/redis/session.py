"""Commands to the Redis and Sentinel processes of a RedisFailover, by redis-cli in their pods.

redis-cli takes the password from the pod's environment, and commands from its input.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from vrooli.databases import programs
from vrooli.databases.ownership import Database
from vrooli.databases.programs import Place
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube.objects import name, number, text
from vrooli.kube.status import is_pod_ready
from vrooli.operators.redis import names

# The name of the master in the operator's Sentinels (service/constants.go).
MASTER = "mymaster"
# The time limit of a command, seconds.
COMMAND_S = 10.0
PORTS = {names.REDIS: '"${REDIS_PORT:-6379}"', names.SENTINEL: f"{names.SENTINEL_PORT}"}
# Gives redis-cli the password of the pod's environment.
AUTH = 'if [ -n "$REDIS_PASSWORD" ]; then export REDISCLI_AUTH="$REDIS_PASSWORD"; fi; '
# Begins a reply that reports an error, with redis-cli's option --json.
_ERROR = "error:"


class RedisCommandError(VrooliError):
    """Redis or Sentinel refused a command."""


@dataclass(frozen=True)
class RedisPod:
    """A pod of Redis or Sentinel.

    Attributes:
        name: Its name.
        component: redis or sentinel, also the name of its container.
        address: Its IP address; empty until it has one.
        is_ready: Whether it is ready.
    """

    name: str
    component: str
    address: str
    is_ready: bool


@dataclass(frozen=True)
class Redis(Database):
    """The RedisFailover of a release."""

    API_VERSION, KIND, TITLE = names.API_VERSION, names.KIND, "Redis"

    def replicas(self, component: str) -> int:
        """The requested number of pods of a component."""
        return number(self.body, "spec", component, "replicas", default=names.DEFAULT_REPLICAS)

    def selector(self, component: str) -> str:
        """The label selector of its pods of Redis or Sentinel."""
        return f"{names.FAILOVER_LABEL}={self.name},{names.COMPONENT_LABEL}={component}"

    async def pods(self, component: str = names.REDIS) -> list[RedisPod]:
        """Its pods of Redis or Sentinel that are not being deleted, by name."""
        pods = await self.kube.list("v1", "Pod", self.namespace, self.selector(component))
        return sorted(
            (
                RedisPod(name(pod), component, text(pod, "status", "podIP"), is_pod_ready(pod))
                for pod in pods
                if not text(pod, "metadata", "deletionTimestamp")
            ),
            key=lambda pod: pod.name,
        )

    async def master(self) -> RedisPod:
        """The pod that all ready Sentinels name as the master.

        Raises:
            PrerequisiteError: No Sentinel is ready, they disagree, or they name none of the pods.
        """
        sentinels = [pod for pod in await self.pods(names.SENTINEL) if pod.is_ready]
        addresses = {await self.master_address(sentinel) for sentinel in sentinels}
        masters = [pod for pod in await self.pods() if pod.address in addresses]
        if len(addresses) == 1 and len(masters) == 1:
            return masters[0]
        raise PrerequisiteError(
            f"Redis {self.name} in namespace {self.namespace} has no master: "
            f"{_no_master_reason(len(sentinels), len(addresses))}.",
            "Run `vrooli diagnose` to find the cause.",
        )

    async def master_address(self, sentinel: RedisPod) -> str:
        """The IP address that a Sentinel names as the master's; empty if it knows none."""
        reply = await self.command(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        return str(reply[0]) if isinstance(reply, list) and reply else ""

    async def info(self, pod: RedisPod, section: str) -> dict[str, str]:
        """The fields of a section of ``INFO``; its errors are those of ``command``."""
        lines = str(await self.command(pod, "INFO", section)).splitlines()
        fields = (line.partition(":") for line in lines if not line.startswith("#"))
        return {key: value for key, separator, value in fields if separator}

    async def command(self, pod: RedisPod, *words: str, limit_s: float = COMMAND_S) -> Any:
        """Run one command in a pod; returns its reply as JSON has it, or as text.

        Args:
            pod: A Redis or a Sentinel.
            words: The command and its arguments, which may hold secrets.
            limit_s: The time limit, seconds.

        Raises:
            RedisCommandError: The process refused the command, or cannot be reached.
            WaitTimeoutError: It did not end in time.
            ApiError: Programs may not be run in the pod.
        """
        place = Place(self.namespace, pod.name, pod.component)
        script = f"redis-cli -p {PORTS[pod.component]} --json"
        line = " ".join(map(_quoted, words)) + "\n"
        completed = await programs.run(self.kube, place, script, [], line, limit_s, before=AUTH)
        output = completed.stdout.removesuffix("\n")
        # redis-cli exits with 0 if it cannot connect, and each reply has some text.
        if completed.exit_code or not output or output.startswith(_ERROR):
            raise RedisCommandError(
                f"{pod.component.capitalize()} in pod {place} refused {words[0].upper()}: "
                f"{_reason(output, completed.stderr)}"
            )
        try:
            return json.loads(output)
        except ValueError:  # INFO and others reply with plain text
            return output


def _no_master_reason(sentinels: int, addresses: int) -> str:
    if not sentinels:
        return "no Sentinel is ready"
    if addresses > 1:
        return "its Sentinels name different addresses"
    return "its Sentinels name an address that is no pod's"


def _quoted(word: str) -> str:
    """A word as redis-cli reads it, with an escape for each byte."""
    escaped = "".join(f"\\x{byte:02x}" for byte in word.encode())
    return f'"{escaped}"'


def _reason(output: str, stderr: str) -> str:
    if output.startswith(_ERROR):
        return str(json.loads(output.removeprefix(_ERROR)))
    return (stderr or output).strip() or "redis-cli ended without a message"
