"""Which pods read a Secret, and whether they have the new value."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import output, pod
from support.release.rotated_secrets import PLACE, POSTGRES_SYNC, deployment
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress, silent
from vrooli.kube.execution import Completed, Program
from vrooli.rotation import readers
from vrooli.rotation.model import Rotated, Target
from vrooli.rotation.readers import Reader

TARGET = Target(PLACE, POSTGRES_SYNC, "rotator", "state", name=Rotated.POSTGRES)
SECRET = "vrooli-postgres-creds"
PROGRESS = Progress("rotate", silent)
NEW = {"DB_PASSWORD": "new"}

pytestmark = pytest.mark.anyio


def setting(name: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


SERVER = deployment("server", {"name": "main", "envFrom": [{"secretRef": {"name": SECRET}}]})
TOOL = deployment("tool", {"name": "main", "env": [setting("PGPASSWORD", SECRET, "DB_PASSWORD")]})
OTHER = deployment("other", {"name": "main", "env": [setting("DB_USER", SECRET, "DB_USER")]})


async def test_readers_are_found_by_both_kinds_of_references() -> None:
    result = await readers.find(FakeCluster(SERVER, TOOL, OTHER), TARGET, "DB_PASSWORD")
    assert result == [
        Reader("Deployment/server", {"app": "server"}, "main", "DB_PASSWORD"),
        Reader("Deployment/tool", {"app": "tool"}, "main", "PGPASSWORD"),
    ]


def cluster_with(values: dict[str, str]) -> FakeCluster:
    """Pods of the server whose variable has a value."""
    cluster = FakeCluster(SERVER, *(pod(name, {"app": "server"}) for name in values))

    def run(program: Program) -> Completed:
        assert program.argv[-1] == "DB_PASSWORD"
        assert "sha256sum" in program.argv[2]
        digest = sha256(values[program.pod].encode()).hexdigest()
        return output(f"{digest}  -\n")

    for name in values:
        cluster.server.programs.handlers[PLACE, name, "main"] = run
    return cluster


async def test_all_pods_with_the_new_value_end_the_wait() -> None:
    cluster = cluster_with({"a": "new", "b": "new"})
    assert await readers.await_values(cluster, TARGET, NEW, 5, PROGRESS) == ["a", "b"]
    assert not any("new" in program.argv for program in cluster.server.programs.ran)


async def test_pods_with_another_value_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "POLL_S", 0.01)
    with pytest.raises(WaitTimeoutError, match=r"do not use the new value after 0 s: b\."):
        await readers.await_values(
            cluster_with({"a": "new", "b": "old"}), TARGET, NEW, 0.05, PROGRESS
        )


async def test_a_finished_pod_does_not_count() -> None:
    cluster = cluster_with({"a": "new"})
    cluster.add({**pod("done", {"app": "server"}), "status": {"phase": "Succeeded"}})
    assert await readers.await_values(cluster, TARGET, NEW, 5, PROGRESS) == ["a"]
