"""Requests to one cluster's API server, with our errors and limits."""

from __future__ import annotations

import asyncio
import atexit
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import httpx
import kr8s

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import connection_errors, handshakes, patience
from vrooli.kube.api_errors import ApiError, NoAnswerError, build_error, parse_response
from vrooli.kube.objects import MALFORMED_ERRORS
from vrooli.kube.patience import Patience

# How long it may take until somebody is there, and until the first answer of whoever is, seconds:
# a busy server takes the connection at once and answers late.
CONNECT_S, VERSION_S = 10.0, 30.0
# How long one answer of the API server may take, seconds.
REQUEST_S = 30.0


class Rest:
    """A connection to one API server. Make it with ``connect``."""

    def __init__(self, api: kr8s.asyncio.Api) -> None:
        self._api = api
        self._resources: dict[str, dict[str, tuple[str, bool]]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._patience = Patience()

    @classmethod
    async def connect(cls, kubeconfig: Path, context: str | None = None) -> Self:
        """Connect to the cluster that a kubeconfig names.

        Raises:
            PrerequisiteError: Nothing answers there, or not as an API server does.
        """
        handshakes.close_cancelled()
        # Not the one that kr8s keeps for a kubeconfig: whoever closed that would close it for all
        # others, in the middle of their requests.
        api = kr8s.asyncio.Api(kubeconfig=str(kubeconfig), context=context, bypass_factory=True)
        client = cls(api)
        try:
            async with asyncio.timeout(CONNECT_S):
                await api.auth
        except (*MALFORMED_ERRORS, OSError, subprocess.SubprocessError) as error:
            raise PrerequisiteError(
                f"The kubeconfig {kubeconfig} can't be used ({type(error).__name__}: {error}).",
                "Get the cluster's kubeconfig anew, or name another cluster.",
            ) from error
        finally:
            atexit.register(_remove, *_key_files(api))
        api.timeout = httpx.Timeout(VERSION_S, connect=CONNECT_S)
        try:
            async with asyncio.timeout(VERSION_S):
                await client._check_version()
        except connection_errors.FAILURES as error:
            await client.close()
            is_nobody = isinstance(error.__cause__, httpx.ConnectTimeout)
            limit_s = CONNECT_S if is_nobody else VERSION_S
            raise connection_errors.build_error(api.auth.server, error, limit_s) from error
        api.timeout = REQUEST_S
        return client

    async def _check_version(self) -> None:
        """Check that an API server answers and accepts this client."""
        # kr8s' own look warns of versions newer than itself; our requests are plain REST.
        (await self._api.async_version())["gitVersion"]

    async def close(self) -> None:
        """Close the connections; a client that is used again opens new ones."""
        # kr8s has no such method of its own.
        session = self._api._session
        if session is not None:
            await session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def version(self) -> str:
        """The API server's version, such as v1.37.2."""
        action = "read its version"
        answer = await self._call("GET", action, base="/version", version="")
        return str(parse_response(action, answer).get("gitVersion", ""))

    async def healthy(self) -> bool:
        """Whether the API server says that it is ready."""
        try:
            # kr8s ends each path with a slash, and this one is only known without: it goes into
            # an empty query.
            await self._call_once("GET", "say that it is ready", base="/readyz?", version="")
        except VrooliError:
            return False
        return True

    async def serves(self, api_version: str, kind: str) -> bool:
        """Whether the API server has a kind in a version."""
        try:
            await self._resource(api_version, kind)
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return False
            raise
        return True

    async def may(
        self,
        verb: str,
        api_version: str,
        kind: str,
        namespace: str,
        *,
        subresource: str = "",
        account: tuple[str, str] | None = None,
        itself: bool = False,
    ) -> bool:
        """Whether a verb is allowed on a kind's objects in a namespace.

        Args:
            verb: What.
            api_version: The kind's version.
            kind: The kind.
            namespace: Where.
            subresource: A part of the objects, such as status.
            account: Ask for this service account (namespace and name) instead.
            itself: Ask for the object of the namespace itself, which rules in it are about, too.
        """
        resource, scoped = await self._resource(api_version, kind)
        group = api_version.rpartition("/")[0]
        attributes = {"verb": verb, "group": group, "resource": resource}
        if subresource:
            attributes["subresource"] = subresource
        if scoped or itself:
            attributes["namespace"] = namespace
        if itself:
            attributes["name"] = namespace
        answer = await self._call(
            "POST",
            f"say who may {verb} {kind}",
            version="authorization.k8s.io/v1",
            url="subjectaccessreviews" if account else "selfsubjectaccessreviews",
            content=json.dumps({"spec": {"resourceAttributes": attributes, **_user(account)}}),
            headers={"content-type": "application/json"},
        )
        return bool(answer.json()["status"]["allowed"])

    async def own_rules(self, namespace: str) -> list[dict[str, Any]]:
        """The known rules that grant this client permissions in a namespace."""
        answer = await self._call(
            "POST",
            "say what this client may",
            version="authorization.k8s.io/v1",
            url="selfsubjectrulesreviews",
            content=json.dumps({"spec": {"namespace": namespace}}),
            headers={"content-type": "application/json"},
        )
        return list(answer.json()["status"].get("resourceRules") or [])

    async def plural(self, api_version: str, kind: str) -> str:
        """The plural name of a kind, as rules name it."""
        return (await self._resource(api_version, kind))[0]

    async def _object_call(
        self,
        method: str,
        action: str,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        **settings: Any,
    ) -> httpx.Response:
        url, scoped = await self._resource(api_version, kind)
        return await self._call(
            method,
            action,
            version=api_version,
            namespace=namespace if scoped else None,
            url=f"{url}/{name}" if name else url,
            **settings,
        )

    def patient(self) -> AbstractContextManager[None]:
        """Within the block, requests wait for an API server that does not answer for a while.

        A request that may have had an effect is only repeated if that changes nothing.
        """
        return self._patience.block()

    async def _call(self, method: str, action: str, **settings: Any) -> httpx.Response:
        return await self._patience.repeat(
            lambda: patience.repeat_refused(lambda: self._call_once(method, action, **settings)),
            lambda error: patience.is_repeatable(method, error),
        )

    async def _call_once(self, method: str, action: str, **settings: Any) -> httpx.Response:
        try:
            async with self._api.call_api(method, raise_for_status=False, **settings) as answer:
                response: httpx.Response = answer
        except (httpx.HTTPError, kr8s.APITimeoutError, OSError) as error:
            raise NoAnswerError(
                f"The API server did not answer a request to {action}: {error!r}",
                "See whether the cluster runs: `vrooli cluster status`.",
            ) from error
        if response.is_error:
            raise build_error(action, response)
        return response

    async def _resource(self, api_version: str, kind: str) -> tuple[str, bool]:
        """The plural name of a kind, and whether its objects live in namespaces."""
        # Of many that ask at once the first asks the server for all.
        async with self._locks[api_version]:
            if kind not in self._resources.get(api_version, {}):
                await self._read_resources(api_version)
        try:
            return self._resources[api_version][kind]
        except KeyError:
            raise ApiError(f"find kind {kind}", 404, f"{api_version} has no such kind") from None

    async def _read_resources(self, api_version: str) -> None:
        action = f"list the kinds of {api_version}"
        answer = await self._call("GET", action, version=api_version)
        self._resources[api_version] = {
            resource["kind"]: (resource["name"], resource["namespaced"])
            for resource in parse_response(action, answer).get("resources") or ()
            if "/" not in resource["name"]
        }


def _key_files(api: kr8s.asyncio.Api) -> Iterator[Path]:
    """The files that kr8s wrote of the kubeconfig's inline data and never removes."""
    auth = api.auth
    for values, name, path in (
        (auth._user, "client-key-data", auth.client_key_file),
        (auth._user, "client-certificate-data", auth.client_cert_file),
        (auth._cluster, "certificate-authority-data", auth.server_ca_file),
    ):
        if name in values and path:
            yield Path(str(path))


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _user(account: tuple[str, str] | None) -> dict[str, Any]:
    """The user and groups of a service account; nothing for this client itself."""
    if account is None:
        return {}
    namespace, name = account
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    return {
        "user": f"system:serviceaccount:{namespace}:{name}",
        "groups": [*groups, "system:authenticated"],
    }
