"""A client of one cluster: read, apply, delete and watch objects as plain dictionaries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

import httpx

from vrooli.kube.api_errors import ApiError
from vrooli.kube.objects import uid_of
from vrooli.kube.pods import Pods
from vrooli.kube.reads import Manifest
from vrooli.kube.watches import Watching

FIELD_MANAGER = "vrooli"
# What happens to the objects that a deleted object owns.
Propagation = Literal["Background", "Orphan"]
# Whom the API server names when fields have other owners.
_OWNERS = re.compile(r'conflicts? with "([^"]+)"')
# Characters that YAML takes only as escapes; JSON's own escapes cover those below the space.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Kube(Watching, Pods):
    """The API of one cluster. Make it with ``connect``."""

    async def apply(self, manifest: Mapping[str, Any], *, namespace: str | None = None) -> bool:
        """Apply an object on the server, strictly: an unknown field is refused.

        Returns:
            Whether it changed anything.
        """
        api_version, kind = manifest["apiVersion"], manifest["kind"]
        name = manifest["metadata"]["name"]
        namespace = manifest["metadata"].get("namespace", namespace)
        before = await self.get(api_version, kind, name, namespace)
        after = await self._apply(manifest, namespace, dry_run=False)
        return before is None or _version_of(before) != _version_of(after)

    async def applied(
        self, manifest: Mapping[str, Any], *, namespace: str | None = None
    ) -> Manifest:
        """The object that an apply would make (a server-side dry run, strict, too)."""
        namespace = manifest["metadata"].get("namespace", namespace)
        return await self._apply(manifest, namespace, dry_run=True)

    async def conflicts(
        self, manifest: Mapping[str, Any], manager: str, *, namespace: str | None = None
    ) -> frozenset[str]:
        """The managers whose fields an apply by this manager would change (a dry run)."""
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

    async def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        uid: str = "",
        grace_s: int | None = None,
        propagation: Propagation = "Background",
    ) -> bool:
        """Delete an object; False if there was none.

        A request without an answer is repeated in an outage (``patient``). Without the UID, the
        second one would delete an object that has been made under the same name after the first.

        Args:
            api_version: Its API version.
            kind: Its kind.
            name: Its name.
            namespace: Its namespace; None for an object of the cluster.
            uid: Its UID, where it was read before; empty for any object of this name.
            grace_s: The time that a pod gets to end, seconds; None takes the pod's own.
            propagation: Whether what it owns is deleted in the background, or becomes an orphan.
        """
        try:
            await self._object_call(
                "DELETE",
                f"delete {kind} {name}",
                api_version,
                kind,
                name,
                namespace,
                content=_delete_options(uid, grace_s, propagation),
            )
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return False
            if error.status == httpx.codes.CONFLICT and uid:
                other = await self.get(api_version, kind, name, namespace)
                if uid_of(other) != uid:
                    return False
            raise
        return True

    async def create(self, manifest: Mapping[str, Any], namespace: str | None = None) -> Manifest:
        """Create an object.

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
        """Replace the object that was read, identified by its resourceVersion.

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
        """Apply a JSON merge patch to an object."""
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


def _delete_options(uid: str, grace_s: int | None, propagation: Propagation) -> str:
    conditions = {"preconditions": {"uid": uid}} if uid else {}
    grace = {} if grace_s is None else {"gracePeriodSeconds": grace_s}
    return json.dumps({"propagationPolicy": propagation, **grace, **conditions})


def _as_yaml(manifest: Mapping[str, Any]) -> str:
    """An object as JSON that is valid YAML: no surrogate pairs, control characters escaped."""
    text = json.dumps(manifest, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _version_of(manifest: Manifest) -> str:
    return str(manifest["metadata"].get("resourceVersion", ""))
