"""The objects of the probe: a namespace, a client pod, a server pod, a volume. No I/O."""

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
# The headless Service whose name resolves to the server pod.
HEADLESS = "answering-pod"
# Responds to every connection with a line.
SERVER = f"""
import socket
s = socket.create_server(("", {PORT}))
while True:
    c, _ = s.accept()
    c.sendall(b"here\\n")
    c.close()
"""
# Retries each connection until it succeeds or times out, and prints the results. A dependent
# connection starts after the first one: DNS caches a name that is queried too early as unknown.
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
    """The template of a probe pod: an image of the chart that has Python, and its settings.

    Attributes:
        spec: The pod's spec without its containers.
        container: Its container without the command.
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
    """The recipe of the chart's test pods, which run Python; None if it has none."""
    tests = [item for item in manifests if item.kind == "Pod" and item.is_hook]
    if not tests:
        return None
    spec = dict(tests[0].body["spec"])
    (container,) = spec.pop("containers")
    copied_fields = ("image", "imagePullPolicy", "securityContext", "resources")
    return Recipe(spec, {key: container[key] for key in copied_fields if key in container})


def client_pod(template: Recipe, questions: Sequence[Sequence[Any]], limit_s: float) -> Any:
    """The client pod; each question has a name, a host and a port (0: only resolve the host).

    The optional fourth part is the question that depends on it.
    """
    argv = ["-c", CLIENT, f"{limit_s:.1f}", json.dumps(questions)]
    # On a different node than the server pod, if there is one.
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
    """The server pod, its Service and its headless Service."""
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
    """A namespace for the probe, with the pod security level of the release's."""
    labels = {LABEL: "check", "pod-security.kubernetes.io/enforce": "restricted"}
    return _object("v1", "Namespace", name, labels=labels)


def account() -> dict[str, Any]:
    """The service account of the pods: the namespace's default account is created with a delay."""
    return _object("v1", "ServiceAccount", ACCOUNT, automountServiceAccountToken=False)


def _object(
    api_version: str, kind: str, name: str, labels: Mapping[str, str] | None = None, **fields: Any
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": dict(labels or {LABEL: "check"})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
