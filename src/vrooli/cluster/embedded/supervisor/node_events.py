"""Events about the node that only the supervisor can report. No I/O here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from vrooli.cluster.embedded.host.suspension import Suspension

PATH = "/api/v1/namespaces/default/events"
SOURCE = "vrooli-supervisor"
SUSPENDED = "HostSuspended"


def suspended(node: str, suspension: Suspension) -> dict[str, Any]:
    """The event of a suspension, which lasts until the API server removes it after an hour."""
    ended = datetime.fromtimestamp(suspension.ended, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"generateName": f"{node}.", "namespace": "default"},
        # The kubelet's events have the node's name as its UID, too.
        "involvedObject": {"apiVersion": "v1", "kind": "Node", "name": node, "uid": node},
        "type": "Warning",
        "reason": SUSPENDED,
        "message": suspension.describe(),
        "firstTimestamp": ended,
        "lastTimestamp": ended,
        "count": 1,
        "source": {"component": SOURCE, "host": node},
        "reportingComponent": SOURCE,
        "reportingInstance": node,
    }
