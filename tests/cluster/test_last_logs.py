"""The log of a container that crashed, asked for while its kubelet has none."""

from __future__ import annotations

from pathlib import Path

from support import kubelet
from vrooli.chart.manifest import Manifest
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release.follow import Follower
from vrooli.release.hopeless import Trouble
from vrooli.release.scene import EVER

NODE, NAMESPACE = "between-two-starts", "last-logs"
GONE = b"unable to retrieve container logs for containerd://5c3b862d8908de15"
TROUBLE = Trouble("migrate", "main", "CrashLoopBackOff", "ended 2 times", crashed=True)
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
            wanted = Manifest("v1", "Pod", TROUBLE.pod, NAMESPACE, "", POD)
            told = await Follower(bare_kube, [wanted], Progress(), EVER).told(TROUBLE)
        finally:
            await bare_kube.delete("v1", "Node", NODE)
    assert told == [str(TROUBLE), "  starts", "  no such column"]
