"""What is believed to stand in a release's way, and the log of a container that crashed."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

from support.cluster import kubelet
from vrooli.kube import Kube
from vrooli.kube.watcher import Watcher
from vrooli.release.rollout import queries
from vrooli.release.rollout.confirmation import FailureConfirmer
from vrooli.release.rollout.failures import PodFailure

NODE, NAMESPACE = "between-two-starts", "last-logs"
GONE = b"unable to retrieve container logs for containerd://5c3b862d8908de15"
TROUBLE = PodFailure("migrate", "main", "CrashLoopBackOff", "ended 2 times", crashed=True)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": TROUBLE.pod, "namespace": NAMESPACE},
    "spec": {
        "nodeName": NODE,
        "automountServiceAccountToken": False,
        "containers": [{"name": TROUBLE.container, "image": "none"}],
    },
}


async def test_the_last_log_is_asked_for_again_when_its_container_has_just_gone(
    bare_kube: Kube, tmp_path: Path
) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    await bare_kube.create(namespace)
    await bare_kube.create(account, NAMESPACE)
    logs = [GONE, GONE, b"starts\nno such column\n"]
    with kubelet.running(tmp_path, logs) as port:
        await kubelet.join(bare_kube, port, NODE)
        await bare_kube.create(POD, NAMESPACE)
        try:
            told = await FailureConfirmer(bare_kube, NAMESPACE).format_failure(TROUBLE)
        finally:
            await bare_kube.delete("v1", "Node", NODE)
    assert told == [f"{TROUBLE}: no such column", "  starts", "  no such column"]


async def test_what_a_kubelet_misses_is_believed_only_while_it_is_missing(bare_kube: Kube) -> None:
    """A kubelet looks again after 10 to 15 s only: what it says may be over long since."""
    home = "what-is-missing"
    await bare_kube.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}},
    )
    blame = FailureConfirmer(bare_kube, home)
    for kind, said, key in (
        ("Secret", 'secret "late" not found', None),
        ("ConfigMap", 'configmap "late" not found', None),
        ("Secret", f"couldn't find key KEY in Secret {home}/late", "KEY"),
        ("ConfigMap", f"couldn't find key KEY in ConfigMap {home}/late", "KEY"),
    ):
        trouble = PodFailure("page", "main", "CreateContainerConfigError", said)
        found = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "late"}}
        assert await blame.confirm([trouble]) == [str(trouble)]
        if key:
            await bare_kube.apply(found, namespace=home)
            assert await blame.confirm([trouble]) == [str(trouble)]
            found["data"] = {key: "dmFsdWU="}
        await bare_kube.apply(found, namespace=home)
        assert await blame.confirm([trouble]) == []
        await bare_kube.delete("v1", kind, "late", home)


async def test_what_passes_is_believed_after_a_while_only(bare_kube: Kube) -> None:
    blame = FailureConfirmer(bare_kube, "default")
    passing = PodFailure("page", "main", "ErrImagePull", "the registry is away", grace_period_s=0.2)
    assert await blame.confirm([passing]) == []
    await asyncio.sleep(0.3)
    assert await blame.confirm([passing]) == [str(passing)]
    assert await blame.confirm([]) == []
    assert await blame.confirm([passing]) == []


async def test_a_secret_that_vault_refuses_is_seen_by_its_operators_events(bare_kube: Kube) -> None:
    home = "refused"
    await bare_kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}})
    kinds = (("secrets.hashicorp.com/v1beta1", "VaultStaticSecret"), queries.EVENT)
    watcher = Watcher(bare_kube, home, partial(queries.fetch, bare_kube), queries.is_optional)
    async with asyncio.TaskGroup() as group, asyncio.timeout(120):
        watcher.watch(group, queries.queries(kinds, home))
        for kind, reason in (("Pod", "Failed"), ("VaultStaticSecret", "VaultClientError")):
            await bare_kube.create(_warning(home, kind, reason), home)
        while not watcher.snapshot.events:
            watcher.changed.clear()
            await watcher.changed.wait()
        watcher.stop()
    assert [event.reason for event in watcher.snapshot.events] == ["VaultClientError"]


def _warning(home: str, kind: str, reason: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"some.{reason.lower()}", "namespace": home},
        "involvedObject": {"kind": kind, "name": "some", "namespace": home},
        "type": "Warning",
        "reason": reason,
        "message": "Code: 403",
    }
