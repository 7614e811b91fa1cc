"""The objects of the probe: a namespace, an asking pod, an answering one, a volume. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vrooli.chart.manifest import Manifest

PREFIX = "vrooli-check-"
LABEL = "vrooli.com/scratch"
ACCOUNT = "probe"
PORT = 8080
ANSWERING, CLIENT_SCRIPT = "answering", "asking"
# The Service without an address of its own, whose name stands for the answering pod's.
HEADLESS = "answering-pod"
# Answers every connection with a line.
SERVER = f"""
import socket
s = socket.create_server(("", {PORT}))
while True:
    c, _ = s.accept()
    c.sendall(b"here\\n")
    c.close()
"""
# Tries each question until it is answered or the time is over, and prints what became of it. One
# that follows another is asked after it: a name that is asked for too early stays unknown.
CLIENT = """
import json, socket, sys, threading, time
end = time.monotonic() + float(sys.argv[1])
answers = {}
def ask(name, host, port, then=()):
    while True:
        try:
            if port:
                socket.create_connection((host, port), 2).close()
            else:
                socket.getaddrinfo(host, 80)
            answers[name] = ""
            break
        except OSError as error:
            answers[name] = str(error)
        if time.monotonic() > end:
            break
        time.sleep(0.2)
    if then:
        ask(*then)
threads = [threading.Thread(target=ask, args=each) for each in json.loads(sys.argv[2])]
for each in threads: each.start()
for each in threads: each.join()
print(json.dumps(answers), flush=True)
"""
WRITER = "open('/data/kept', 'w').write('here'); print(open('/data/kept').read(), flush=True)"


@dataclass(frozen=True)
class Recipe:
    """How a pod of the chart's own is made: the image that surely has Python, and its settings.

    Attributes:
        spec: The pod's specification, without its containers.
        container: Its container, without what it runs.
    """

    spec: Mapping[str, Any]
    container: Mapping[str, Any]

    def pod(self, name: str, argv: Sequence[str], *, claim: str = "") -> dict[str, Any]:
        """A pod that runs Python with these arguments."""
        container = {**self.container, "name": "probe", "command": ["python3", *argv]}
        spec = {**self.spec, "serviceAccountName": ACCOUNT, "terminationGracePeriodSeconds": 1}
        if claim:
            container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
            spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
        labels = {"app": name, LABEL: "check"}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {**spec, "containers": [container]},
        }


def recipe(manifests: Sequence[Manifest]) -> Recipe | None:
    """The recipe of the chart's own test pods, which run Python; None where it has none."""
    tests = [item for item in manifests if item.kind == "Pod" and item.is_hook]
    if not tests:
        return None
    spec = dict(tests[0].body["spec"])
    (container,) = spec.pop("containers")
    copied_fields = ("image", "imagePullPolicy", "securityContext", "resources")
    return Recipe(spec, {key: container[key] for key in copied_fields if key in container})


def client_pod(template: Recipe, questions: Sequence[Sequence[Any]], limit_s: float) -> Any:
    """The pod that asks; each question has a name, a host and a port (0: only its address).

    A fourth part is the question that follows it.
    """
    argv = ["-c", CLIENT, f"{limit_s:.1f}", json.dumps(questions)]
    # On another node than the one that answers, where there is another.
    ignored = {"labelSelector": {"matchLabels": {"app": ANSWERING}}}
    term = {**ignored, "topologyKey": "kubernetes.io/hostname"}
    affinity = {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": term}
            ]
        }
    }
    return replace(template, spec={**template.spec, "affinity": affinity}).pod(CLIENT_SCRIPT, argv)


def server_objects(template: Recipe) -> list[dict[str, Any]]:
    """The pod that answers, a Service in front of it, and one that is a name for its address."""
    spec = {"selector": {"app": ANSWERING}, "ports": [{"port": 80, "targetPort": PORT}]}
    return [
        _object("v1", "Service", ANSWERING, spec=spec),
        _object("v1", "Service", HEADLESS, spec={**spec, "clusterIP": "None"}),
        template.pod(ANSWERING, ["-c", SERVER]),
    ]


def volume_objects(template: Recipe, name: str, storage_class: str) -> list[dict[str, Any]]:
    """A small claim of a class ("" is the default), and a pod that writes to it."""
    claim = _object("v1", "PersistentVolumeClaim", name)
    claim["spec"] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "16Mi"}},
        **({"storageClassName": storage_class} if storage_class else {}),
    }
    return [claim, template.pod(name, ["-c", WRITER], claim=name)]


def namespace(name: str) -> dict[str, Any]:
    """A namespace for the probe alone, as strict as the release's."""
    labels = {LABEL: "check", "pod-security.kubernetes.io/enforce": "restricted"}
    return _object("v1", "Namespace", name, labels=labels)


def account() -> dict[str, Any]:
    """The pods' account: the namespace's own comes a moment later than the namespace."""
    return _object("v1", "ServiceAccount", ACCOUNT, automountServiceAccountToken=False)


def _object(
    api_version: str, kind: str, name: str, labels: Mapping[str, str] | None = None, **fields: Any
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": dict(labels or {LABEL: "check"})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
