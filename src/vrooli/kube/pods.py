"""Exec, logs and port-forwarding of pods, and tokens of service accounts."""

from __future__ import annotations

import io
import json
import re
import textwrap
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx_ws  # kr8s' own way to talk to pods, whose errors it passes on
import kr8s
from kr8s._exec import Exec
from kr8s.asyncio.objects import Pod

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import attachment, execution, forbidden
from vrooli.kube.api_errors import ApiError, ConnectionLostError, error_message
from vrooli.kube.forward import Forward
from vrooli.kube.line_stream import iterate_lines
from vrooli.kube.rest import Rest
from vrooli.kube.session import Session, open_session
from vrooli.steps import first_error

# What a kubelet answers in a log's stead when the container was taken away a moment ago.
_NO_LOG = re.compile(r"unable to retrieve container logs for \w+://\w+")
# What ends a program in a pod, or a way to it: no such pod or program, no right, no answer.
_REFUSALS = (
    *(kr8s.ExecError, kr8s.NotFoundError, kr8s.ServerError, kr8s.APITimeoutError),
    *(httpx_ws.HTTPXWSException, httpx.HTTPError, OSError),
)


# The limit of an output of a program that is asked for a state, bytes.
OUTPUT = 8 * 1024**2
# The limit of a command in an error message, characters; a query of SQL has thousands.
WORDS = 80


class _Output(io.BytesIO):
    """An output of a program in a pod, which could otherwise fill the memory here."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, data: Any) -> int:
        """Keep a part of it.

        Raises:
            ExecError: It is too long.
        """
        if self.tell() + len(data) > self._most:
            raise kr8s.ExecError(f"its output has more than {self._most} bytes")
        return super().write(data)


@dataclass(frozen=True)
class LogRange:
    """The part of a log that is read; all of it by default.

    Attributes:
        tail: The number of last lines; None reads all.
        since_s: Lines of the last so many seconds only.
        since: Lines from this time on only, as the kubelet writes times; the kubelet rounds it
            down to seconds.
    """

    tail: int | None = None
    since_s: int | None = None
    since: str = ""


ALL = LogRange()


class Pods(Rest):
    """The part of the client that deals with pods."""

    async def exec(
        self,
        namespace: str,
        pod: str,
        argv: Sequence[str],
        container: str | None = None,
        *,
        most: int = OUTPUT,
    ) -> str:
        """Run a program in a pod's container and return its standard output.

        Args:
            namespace: The pod's namespace.
            pod: The pod.
            argv: The program and its arguments.
            container: The container; None takes the first one.
            most: The limit of each output, bytes.

        Raises:
            VrooliError: It failed, or an output is too long.
        """
        stdout, stderr = _Output(most), _Output(most)
        try:
            named = {"metadata": {"name": pod, "namespace": namespace}}
            # Only whoever doesn't name a container needs to know those that it has.
            target = (
                Pod(named, api=self._api)
                if container
                else await Pod.get(pod, namespace=namespace, api=self._api)
            )
            # The pod's own exec waits until it is ready; whoever asks why it isn't can't.
            sinks: Any = {"stdout": stdout, "stderr": stderr, "capture_output": False}
            async with Exec(target, list(argv), container=container, **sinks).run():
                pass
        except* _REFUSALS as errors:  # they come in the group of their connection's tasks
            words = textwrap.shorten(" ".join(argv), WORDS, placeholder=" …")
            error = first_error(errors)
            raise _failure(f"`{words}` failed in pod {namespace}/{pod}", error) from errors
        return stdout.getvalue().decode(errors="replace")

    async def run_program(self, program: execution.Program) -> execution.Completed:
        """Run a program in a container until it ends, with its input, outputs and exit code.

        Raises:
            ApiError: There is no such pod, or no permission to run programs in it.
            VrooliError: The connection broke off, or the program could not be started.
        """
        return await self._patience.repeat(
            lambda: execution.run(self._api, program),
            lambda error: isinstance(error, ConnectionLostError) and not error.is_started,
        )

    @asynccontextmanager
    async def session(
        self, namespace: str, pod: str, container: str, argv: Sequence[str]
    ) -> AsyncIterator[Session]:
        """Run a program in a pod's container that reads its standard input during the block.

        Raises:
            VrooliError: There is no such pod or program any more, or the connection ended.
        """
        try:
            async with open_session(self._api, namespace, pod, container, argv) as session:
                yield session
        except* (*_REFUSALS, VrooliError) as errors:
            error = first_error(errors)
            raise VrooliError(f"The session in pod {namespace}/{pod} ended: {error}") from errors

    async def attach_program(self, program: execution.Program, streams: attachment.Streams) -> int:
        """Run a program that is connected to a terminal or to pipes; returns its exit code.

        Raises:
            ApiError: There is no such pod, or no permission to run programs in it.
            StartError: The program could not be started.
            VrooliError: The connection broke off.
        """
        return await attachment.run(self._api, program, streams)

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str | None = None,
        *,
        part: LogRange = ALL,
        follow: bool = False,
        previous: bool = False,
        timestamps: bool = False,
    ) -> AsyncIterator[str]:
        """The lines of a container's log, each after its time and a space with ``timestamps``.

        Raises:
            ApiError: There is no such log, or none any more.
            VrooliError: It broke off.
        """
        flags = {"follow": follow, "previous": previous, "timestamps": timestamps}
        params = {name: "true" for name, is_set in flags.items() if is_set}
        params |= {"container": container} if container else {}
        try:
            async with self._api.call_api(
                "GET",
                version="v1",
                namespace=namespace,
                url=f"pods/{pod}/log",
                params=params | _log_params(part),
                stream=True,
                # kr8s would log in anew, and close the connection that all others use.
                raise_for_status=False,
                timeout=None,
            ) as answer:
                await _check_log(pod, answer)
                async for line in iterate_lines(answer):
                    if _NO_LOG.fullmatch(line):
                        raise ApiError(f"read the log of {pod}", httpx.codes.NOT_FOUND, line)
                    yield line
        except (httpx.HTTPError, kr8s.APITimeoutError, OSError) as error:
            raise VrooliError(f"The log of pod {namespace}/{pod} ended: {error!r}") from error

    async def service_account_token(
        self, namespace: str, name: str, lifetime_s: int, audiences: Sequence[str] = ()
    ) -> str:
        """A new token of a service account; the shortest lifetime is ten minutes.

        Args:
            namespace: The account's namespace.
            name: The account.
            lifetime_s: The lifetime, seconds.
            audiences: Who accepts the token; by default the API server.
        """
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "expirationSeconds": lifetime_s,
                **({"audiences": list(audiences)} if audiences else {}),
            },
        }
        answer = await self._call(
            "POST",
            f"make a token for service account {namespace}/{name}",
            version="v1",
            namespace=namespace,
            url=f"serviceaccounts/{name}/token",
            content=json.dumps(request),
        )
        return str(answer.json()["status"]["token"])

    async def port_forward(self, namespace: str, pod: str, port: int) -> Forward:
        """A port-forward: a context manager, whose value is the local port, or single connections.

        Raises:
            VrooliError: There is no such pod any more, or no answer about it.
        """
        try:
            target = await Pod.get(pod, namespace=namespace, api=self._api)
        except _REFUSALS as error:
            raise _failure(f"Port {port} of pod {namespace}/{pod}", error) from error
        return Forward(target, port)


def _failure(what: str, error: BaseException) -> VrooliError:
    """The error of a request about a pod, with the permission to ask for if that is missing."""
    reason: object = error
    if isinstance(error, httpx_ws.WebSocketUpgradeError):
        reason = f"{error.response.status_code} {error.response.reason_phrase}"
    message = f"{what}: {reason}"
    if forbidden.is_refusal(message):
        return PrerequisiteError(message, forbidden.advice(message))
    return VrooliError(message)


async def _check_log(pod: str, answer: httpx.Response) -> None:
    """Raise the error of a refused request for a log."""
    if answer.is_error:
        await answer.aread()
        raise ApiError(f"read the log of {pod}", answer.status_code, error_message(answer))


def _log_params(part: LogRange) -> dict[str, str]:
    return {
        **({"tailLines": str(part.tail)} if part.tail is not None else {}),
        **({"sinceSeconds": str(part.since_s)} if part.since_s is not None else {}),
        **({"sinceTime": part.since} if part.since else {}),
    }
