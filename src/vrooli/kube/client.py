"""A client of one cluster: read, apply, delete and watch objects as plain dictionaries."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import kr8s
from kr8s.asyncio.objects import Pod

from vrooli.errors import EnvironmentLackError, VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.forward import Forward
from vrooli.steps import first_error

Manifest = dict[str, Any]
# Says what an object (None: there is none) lacks, in words; None when it lacks nothing.
Reason = Callable[[Manifest | None], str | None]

FIELD_MANAGER = "vrooli"
# How long one answer of the API server may take, seconds.
REQUEST_S = 30.0
# A watch is asked for again after this long: connections that died unseen end here, seconds.
WATCH_S = 60


class ApiError(VrooliError):
    """The API server refused a request; ``status`` is its HTTP status."""

    def __init__(self, doing: str, status: int, message: str) -> None:
        advice = "Ask for the missing right, or use another kubeconfig." if status == 403 else ""  # noqa: PLR2004
        super().__init__(f"The API server refused to {doing}: {message}", advice)
        self.status = status


class Kube:
    """The API of one cluster. Make it with ``connect``."""

    def __init__(self, api: kr8s.asyncio.Api) -> None:
        self._api = api
        self._resources: dict[str, dict[str, tuple[str, bool]]] = {}

    @classmethod
    async def connect(cls, kubeconfig: Path, context: str | None = None) -> Kube:
        """Connect to the cluster that a kubeconfig names.

        Raises:
            EnvironmentLackError: Nothing answers there.
        """
        try:
            with warnings.catch_warnings():
                # kr8s warns of versions newer than itself; our requests are plain REST.
                warnings.simplefilter("ignore", UserWarning)
                api = await kr8s.asyncio.api(kubeconfig=str(kubeconfig), context=context)
        except (httpx.HTTPError, kr8s.APITimeoutError, OSError, ValueError) as error:
            raise EnvironmentLackError(
                f"No Kubernetes API answers for {kubeconfig}: {error}",
                "Start the cluster (`vrooli cluster start`), or name another kubeconfig.",
            ) from error
        api.timeout = REQUEST_S
        return cls(api)

    async def close(self) -> None:
        """Close the connections; a client that is used again opens new ones."""
        # kr8s has no such method of its own.
        session = self._api._session
        if session is not None:
            await session.aclose()

    async def __aenter__(self) -> Kube:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def version(self) -> str:
        """The API server's version, such as v1.37.2."""
        answer = await self._call("GET", "read its version", base="/version", version="")
        return str(answer.json()["gitVersion"])

    async def healthy(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            await self._call("GET", "say that it is ready", base="/readyz", version="")
        except VrooliError:
            return False
        return True

    async def apply(
        self, manifest: Mapping[str, Any], *, namespace: str | None = None, dry_run: bool = False
    ) -> bool:
        """Apply an object on the server, strictly: an unknown field is refused.

        Returns:
            Whether it changed anything.
        """
        api_version, kind = manifest["apiVersion"], manifest["kind"]
        name = manifest["metadata"]["name"]
        namespace = manifest["metadata"].get("namespace", namespace)
        before = await self.get(api_version, kind, name, namespace)
        params = {
            "fieldManager": FIELD_MANAGER,
            "force": "true",
            "fieldValidation": "Strict",
            **({"dryRun": "All"} if dry_run else {}),
        }
        answer = await self._object_call(
            "PATCH",
            f"apply {kind} {name}",
            api_version,
            kind,
            name,
            namespace,
            params=params,
            content=json.dumps(manifest),
            headers={"content-type": "application/apply-patch+yaml"},
        )
        if before is None:
            return True
        after = answer.json()
        return bool(_version_of(before) != _version_of(after))

    async def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> Manifest | None:
        """The object, or None when there is none (or no such kind)."""
        try:
            answer = await self._object_call(
                "GET", f"read {kind} {name}", api_version, kind, name, namespace
            )
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return dict(answer.json())

    async def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: str | None = None,
    ) -> list[Manifest]:
        """The objects of a kind, in a namespace or in all, by label selector or all."""
        params = {"labelSelector": labels} if labels else {}
        answer = await self._object_call(
            "GET", f"list {kind}", api_version, kind, "", namespace, params=params
        )
        # A list's items carry neither apiVersion nor kind.
        return [
            {"apiVersion": api_version, "kind": kind, **item} for item in answer.json()["items"]
        ]

    async def delete(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> bool:
        """Delete an object and, after it, what it owns; False when there was none."""
        try:
            await self._object_call(
                "DELETE",
                f"delete {kind} {name}",
                api_version,
                kind,
                name,
                namespace,
                content=json.dumps({"propagationPolicy": "Background"}),
            )
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return False
            raise
        return True

    async def patch(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        change: Mapping[str, Any],
    ) -> None:
        """Merge a change into an object that exists."""
        await self._object_call(
            "PATCH",
            f"change {kind} {name}",
            api_version,
            kind,
            name,
            namespace,
            content=json.dumps(change),
            headers={"content-type": "application/merge-patch+json"},
        )

    async def watch(
        self, api_version: str, kind: str, namespace: str | None = None, *, name: str = ""
    ) -> AsyncGenerator[tuple[str, Manifest], None]:
        """Each object as it is now and whenever it changes, for ever.

        Yields:
            The event (ADDED, MODIFIED, DELETED) and the object.
        """
        url, scoped = await self._resource(api_version, kind)
        params = {"watch": "true", "timeoutSeconds": str(WATCH_S)}
        if name:
            params["fieldSelector"] = f"metadata.name={name}"
        while True:
            with contextlib.suppress(httpx.TransportError, kr8s.APITimeoutError):
                async with self._api.call_api(
                    "GET",
                    version=api_version,
                    namespace=namespace if scoped else None,
                    url=url,
                    params=params,
                    stream=True,
                    timeout=WATCH_S + REQUEST_S,
                ) as answer:
                    async for line in answer.aiter_lines():
                        event = json.loads(line)
                        if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
                            yield event["type"], event["object"]
            await asyncio.sleep(0.2)

    async def wait_for(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        reason: Reason,
        timeout_s: float,
        progress: Progress | None = None,
    ) -> Manifest:
        """Wait until an object lacks nothing, by watching it.

        Returns:
            The object; empty when there is none and ``reason`` wants it so.

        Raises:
            WaitTimeoutError: It still lacked something at the limit.
            VrooliError: What ``reason`` raised for a state without hope.
        """
        found = await self.get(api_version, kind, name, namespace)
        last = reason(found)
        if last is None:
            return found or {}
        began = time.monotonic()
        try:
            watching = contextlib.aclosing(self.watch(api_version, kind, namespace, name=name))
            async with asyncio.timeout(timeout_s), watching as events:
                async for event, seen in events:
                    last = reason(None if event == "DELETED" else seen)
                    if last is None:
                        return seen
                    if progress is not None:
                        progress.say(last)
        except TimeoutError:
            pass
        waited = time.monotonic() - began
        raise WaitTimeoutError(
            f"{kind} {name} is not ready after {waited:.0f} s: {last}",
            f"Look at `kubectl describe {kind.lower()} {name}"
            + (f" -n {namespace}`." if namespace else "`."),
        )

    async def exec(
        self, namespace: str, pod: str, argv: Sequence[str], container: str | None = None
    ) -> str:
        """Run a program in a pod's container, and give what it printed.

        Raises:
            VrooliError: It failed.
        """
        target = await Pod.get(pod, namespace=namespace, api=self._api)
        try:
            done = await target.exec(list(argv), container=container)
        except* kr8s.ExecError as errors:  # it comes in the group of its connection's tasks
            words = " ".join(argv)
            error = first_error(errors)
            raise VrooliError(f"`{words}` failed in pod {namespace}/{pod}: {error}") from errors
        return bytes(done.stdout).decode(errors="replace")

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str | None = None,
        *,
        tail: int | None = None,
        follow: bool = False,
        previous: bool = False,
    ) -> AsyncIterator[str]:
        """The lines of a container's log."""
        params = {
            **({"container": container} if container else {}),
            **({"tailLines": str(tail)} if tail is not None else {}),
            **({"follow": "true"} if follow else {}),
            **({"previous": "true"} if previous else {}),
        }
        try:
            async with self._api.call_api(
                "GET",
                version="v1",
                namespace=namespace,
                url=f"pods/{pod}/log",
                params=params,
                stream=True,
                timeout=None,
            ) as answer:
                async for line in answer.aiter_lines():
                    yield line
        except kr8s.ServerError as error:
            raise VrooliError(f"The log of pod {namespace}/{pod} can't be read: {error}") from error

    async def service_account_token(self, namespace: str, name: str, lifetime_s: int) -> str:
        """A new token of a service account; the API server gives none under ten minutes."""
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": lifetime_s},
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

    async def port_forward(
        self, namespace: str, pod: str, port: int
    ) -> AbstractAsyncContextManager[int]:
        """A context manager whose value is a local port that leads to the pod's."""
        target = await Pod.get(pod, namespace=namespace, api=self._api)
        return Forward(target, remote_port=port, local_port="auto")

    async def _object_call(
        self,
        method: str,
        doing: str,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        **settings: Any,
    ) -> httpx.Response:
        url, scoped = await self._resource(api_version, kind)
        return await self._call(
            method,
            doing,
            version=api_version,
            namespace=namespace if scoped else None,
            url=f"{url}/{name}" if name else url,
            **settings,
        )

    async def _call(self, method: str, doing: str, **settings: Any) -> httpx.Response:
        try:
            async with self._api.call_api(method, raise_for_status=False, **settings) as answer:
                response: httpx.Response = answer
        except (httpx.HTTPError, kr8s.APITimeoutError, OSError) as error:
            raise EnvironmentLackError(
                f"The API server did not answer when asked to {doing}: {error!r}",
                "See whether the cluster runs: `vrooli cluster status`.",
            ) from error
        if response.is_error:
            raise ApiError(doing, response.status_code, _message(response))
        return response

    async def _resource(self, api_version: str, kind: str) -> tuple[str, bool]:
        """The plural name of a kind, and whether its objects live in namespaces."""
        if kind not in self._resources.get(api_version, {}):
            answer = await self._call(
                "GET", f"list the kinds of {api_version}", version=api_version
            )
            self._resources[api_version] = {
                resource["kind"]: (resource["name"], resource["namespaced"])
                for resource in answer.json()["resources"]
                if "/" not in resource["name"]
            }
        try:
            return self._resources[api_version][kind]
        except KeyError:
            raise ApiError(f"find kind {kind}", 404, f"{api_version} has no such kind") from None


def _version_of(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        return response.text.strip() or response.reason_phrase
