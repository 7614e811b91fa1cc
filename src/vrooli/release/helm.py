"""Calls of the Helm engine that change a release, and their errors. Records are read elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import helm_python
from helm_python import _native

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import forbidden
from vrooli.redaction import Redactor
from vrooli.release.model import Release

T = TypeVar("T")

# The functions of the engine's library.
INSTALL, UPGRADE = "helm_install", "helm_upgrade"


async def call(
    release: Release,
    operation: Callable[[helm_python.Config], T],
    cancel: helm_python.HelmContext | None = None,
) -> T:
    """Call Helm in a thread.

    Args:
        release: The release.
        operation: The call.
        cancel: Is cancelled together with the caller, so that Helm writes the record's end.
    """

    def run() -> T:
        with helm_python.Config(
            kubeconfig_path=release.kubeconfig, namespace=release.namespace
        ) as helm:
            return operation(helm)

    task = asyncio.create_task(asyncio.to_thread(run))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if cancel is not None:
            cancel.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


def apply(
    function: str,
    config: helm_python.Config,
    context: helm_python.HelmContext,
    chart: Path,
    name: str,
    values: Mapping[str, Any],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Install or upgrade a release without the engine's validation on this side.

    The API server refuses unknown fields in both cases, since Kubernetes 1.25. With its validation,
    the engine reads the server's OpenAPI document for each object, only to find out whether the
    server does so: about 1 s for a release. The library has an option for that, which the methods
    of its Python package do not pass on (helm-python-sdk 0.2.2).

    Args:
        function: The library's function.
        config: The connection to the cluster.
        context: Cancels the operation.
        chart: The chart, a folder or a package.
        name: The release's name.
        values: The chart's values.
        options: Further options of the library; those without a value are omitted.

    Raises:
        HelmError: It failed.
    """
    given = {key: value for key, value in options.items() if value is not None}
    result: dict[str, Any] = json.loads(
        _native.call_string(
            function,
            config._raw(),
            context._raw(),
            _native.HANDLE(0),  # the chart is not loaded yet
            os.fspath(chart),
            name,
            json.dumps(values),
            json.dumps({**given, "disable_openapi_validation": True}),
        )
    )
    return result


def failure(release: Release, action: str, error: helm_python.HelmError) -> VrooliError:
    """Convert Helm's error; it may quote values that the API server refused, so it is redacted."""
    message = Redactor().text(error.detail)
    if is_forbidden(error):
        return PrerequisiteError(
            f"This kubeconfig may not {action} {release.name} in namespace {release.namespace}: "
            f"{message}",
            forbidden.advice(error.detail),
        )
    return VrooliError(
        f"Helm could not {action} {release.name} in namespace {release.namespace}: {message}",
        "Run the same command again; it continues where it stopped.",
    )


def is_forbidden(error: helm_python.HelmError) -> bool:
    """Whether Helm failed for lack of a permission."""
    return forbidden.is_refusal(error.detail)
