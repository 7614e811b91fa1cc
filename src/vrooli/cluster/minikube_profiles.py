"""The profiles of minikube on this machine."""

from __future__ import annotations

import json
import shutil

from vrooli import process
from vrooli.errors import CommandError, PrerequisiteError

# How long minikube may take to list them, seconds.
LIST_S = 60.0


async def fetch_running() -> list[str]:
    """The running profiles; none if minikube is not installed.

    Raises:
        PrerequisiteError: minikube does not answer.
    """
    if shutil.which("minikube") is None:
        return []
    argv = ["minikube", "profile", "list", "--output", "json"]
    try:
        result = await process.run(argv, timeout_s=LIST_S, check=False)
    except CommandError as error:
        raise PrerequisiteError(
            error.message, "Name the cluster: --cluster embedded, kind or context:NAME."
        ) from error
    if result.status != 0:
        return []
    return parse_running(result.output)


def parse_running(text: str) -> list[str]:
    """The running profiles of ``minikube profile list --output json``."""
    try:
        profiles = json.loads(text).get("valid") or []
    except (json.JSONDecodeError, AttributeError):
        return []
    # Newer versions report OK, older ones Running.
    return [entry["Name"] for entry in profiles if entry.get("Status") in ("Running", "OK")]
