"""A client of one cluster: read, apply, delete and watch objects as plain dictionaries."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import httpx
import kr8s

from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.pods import Pods
from vrooli.kube.rest import REQUEST_S, ApiError, parsed

Manifest = dict[str, Any]
Manifests = list[Manifest]
# Says what an object (None: there is none) lacks, in words; None when it lacks nothing.
Reason = Callable[[Manifest | None], str | None]

FIELD_MANAGER = "vrooli"
# A watch is asked for again after this long: connections that died unseen end here, seconds.
WATCH_S = 60
# What an API server answers while it starts, stops or has too much to do.
BUSY = (429, 500, 502, 503, 504)
# Objects of one answer to a list.
PAGE = 500
# What the server is asked for where an object's contents are nobody's business.
_NAMES, _NAMES_OF = "application/json;as=PartialObjectMetadata", "g=meta.k8s.io;v=v1"
# How long a watch that ended rests before it is asked for again, seconds.
PAUSE_S = 0.2
# Whom the API server names when fields have other owners.
_OWNERS = re.compile(r'conflicts? with "([^"]+)"')
# Characters that YAML takes only as escapes; JSON's own escapes cover those below the space.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Kube(Pods):
    """The API of one cluster. Make it with ``connect``."""

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
        after = await self._apply(manifest, namespace, dry_run=dry_run)
        return before is None or _version_of(before) != _version_of(after)

    async def applied(
        self, manifest: Mapping[str, Any], *, namespace: str | None = None
    ) -> Manifest:
        """What an object would be if it were applied; nothing is changed."""
        namespace = manifest["metadata"].get("namespace", namespace)
        return await self._apply(manifest, namespace, dry_run=True)

    async def conflicts(
        self, manifest: Mapping[str, Any], manager: str, *, namespace: str | None = None
    ) -> frozenset[str]:
        """Who owns fields that an object's manager would give other values; changes nothing."""
        namespace = manifest["metadata"].get("namespace", namespace)
        try:
            await self._apply(manifest, namespace, dry_run=True, manager=manager, force=False)
        except ApiError as error:
            if error.status != httpx.codes.CONFLICT:
                raise
            return frozenset(_OWNERS.findall(error.message))
        return frozenset()

    async def _apply(
        self,
        manifest: Mapping[str, Any],
        namespace: str | None,
        *,
        dry_run: bool,
        manager: str = FIELD_MANAGER,
        force: bool = True,
    ) -> Manifest:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        params = {
            "fieldManager": manager,
            "force": str(force).lower(),
            "fieldValidation": "Strict",
            **({"dryRun": "All"} if dry_run else {}),
        }
        answer = await self._object_call(
            "PATCH",
            f"apply {kind} {name}",
            manifest["apiVersion"],
            kind,
            name,
            namespace,
            params=params,
            content=_as_yaml(manifest),
            headers={"content-type": "application/apply-patch+yaml"},
        )
        return dict(answer.json())

    async def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> Manifest | None:
        """The object, or None when there is none (or no such kind)."""
        doing = f"read {kind} {name}"
        try:
            answer = await self._object_call("GET", doing, api_version, kind, name, namespace)
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return parsed(doing, answer)

    async def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: str | None = None,
        *,
        names_only: bool = False,
    ) -> Manifests:
        """The objects of a kind, in a namespace or in all, by label selector or all.

        With ``names_only`` the server sends their metadata alone: no Secret's contents, say.
        """
        pages = self.pages(api_version, kind, namespace, labels, names_only=names_only)
        return [item async for page in pages for item in page]

    async def pages(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: str | None = None,
        *,
        names_only: bool = False,
    ) -> AsyncGenerator[Manifests, None]:
        """The objects of a kind, some at a time: all of many thousands take much memory."""
        params = {"limit": str(PAGE), **({"labelSelector": labels} if labels else {})}
        headers = {"accept": f"{_NAMES}List;{_NAMES_OF}"} if names_only else {}
        while True:
            answer = await self._object_call(
                "GET",
                f"list {kind}",
                api_version,
                kind,
                "",
                namespace,
                params=params,
                headers=headers,
            )
            page = parsed(f"list {kind}", answer)
            # A list's items carry neither apiVersion nor kind; some servers write none as null.
            items = page.get("items") or ()
            yield [{"apiVersion": api_version, "kind": kind, **item} for item in items]
            if not (rest := (page.get("metadata") or {}).get("continue")):
                return
            params["continue"] = rest

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

    async def create(self, manifest: Mapping[str, Any], namespace: str | None = None) -> Manifest:
        """Make an object that isn't there yet.

        Raises:
            ApiError: It is there (status 409), or the server refuses it.
        """
        api_version, kind = manifest["apiVersion"], manifest["kind"]
        name = manifest["metadata"].get("name", "")
        answer = await self._object_call(
            "POST",
            f"create {kind} {name}".rstrip(),
            api_version,
            kind,
            "",
            namespace,
            content=json.dumps(manifest),
            headers={"content-type": "application/json"},
        )
        return dict(answer.json())

    async def replace(self, manifest: Mapping[str, Any]) -> Manifest:
        """Put an object in the place of the one that was read, with its resourceVersion.

        Raises:
            ApiError: Somebody has changed it since (status 409), or the server refuses it.
        """
        api_version, kind = manifest["apiVersion"], manifest["kind"]
        name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace")
        answer = await self._object_call(
            "PUT",
            f"change {kind} {name}",
            api_version,
            kind,
            name,
            namespace,
            content=json.dumps(manifest),
            headers={"content-type": "application/json"},
        )
        return dict(answer.json())

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
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        *,
        name: str = "",
        names_only: bool = False,
    ) -> AsyncGenerator[tuple[str, Manifest], None]:
        """Each object as it is now and whenever it changes, for ever.

        With ``names_only`` the server sends their metadata alone.

        Yields:
            The event (ADDED, MODIFIED, DELETED) and the object.

        Raises:
            ApiError: The server refuses the watch.
        """
        url, scoped = await self._resource(api_version, kind)
        params = {"watch": "true", "timeoutSeconds": str(WATCH_S)}
        if name:
            params["fieldSelector"] = f"metadata.name={name}"
        headers = {"accept": f"{_NAMES};{_NAMES_OF}"} if names_only else {}
        while True:
            try:
                async with self._api.call_api(
                    "GET",
                    version=api_version,
                    namespace=namespace if scoped else None,
                    url=url,
                    params=params,
                    headers=headers,
                    stream=True,
                    timeout=WATCH_S + REQUEST_S,
                ) as answer:
                    async for line in answer.aiter_lines():
                        event = json.loads(line)
                        if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
                            yield event["type"], event["object"]
            except (httpx.TransportError, kr8s.APITimeoutError):
                pass  # the server went away for a moment: ask again
            except kr8s.ServerError as error:
                status = error.response.status_code if error.response is not None else 0
                if status not in BUSY:
                    raise ApiError(f"watch {kind}", status, str(error)) from error
            await asyncio.sleep(PAUSE_S)

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


def _as_yaml(manifest: Mapping[str, Any]) -> str:
    """An object as JSON that is YAML, too: YAML takes no surrogate pairs, and few bare controls."""
    text = json.dumps(manifest, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _version_of(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))
