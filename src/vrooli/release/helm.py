"""Calls of the Helm engine that change a release, and their errors. Records are read elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import helm_python

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import forbidden
from vrooli.redaction import Redactor
from vrooli.release.model import Release

T = TypeVar("T")


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
