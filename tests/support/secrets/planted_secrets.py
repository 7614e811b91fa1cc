"""Secrets planted in a live release, where real ones stand by mistake.

In logs, metrics, answers of probes and last words of containers, in arguments, environments,
commands, annotations, ConfigMaps and events. A Secret of the namespace holds those that nothing
else tells.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from support.cluster import sample_deployment, workload
from support.secrets.canaries import Canary, settings
from vrooli.kube import Kube, Manifest

NAME, CRASHES, NEVER = "planted", "planted-crashes", "planted-never-starts"
# The port of its metrics: a bundle holds them.
PORT = 5329
LABELS = {
    "app.kubernetes.io/instance": "vrooli-dev",
    # Without the name of the application: its Services, policies and budgets don't take it.
    "app.kubernetes.io/component": "server",
}
# Writes a file into its log, and answers every request with another, as one that isn't well.
OUTPUT = r"""
use IO::Socket::INET;
$| = 1;
sub all { local $/; open(my $f, "<", "/planted/$_[0]") or die $!; <$f> }
print all("log"), "\n";
my $answer = all("answer");
my $s = IO::Socket::INET->new(LocalPort => 5329, Listen => 5, ReuseAddr => 1) or die $!;
while (my $c = $s->accept) {
    while (<$c>) { last if /^\r?\n/ }
    print $c "HTTP/1.0 503 Down\r\nContent-Length: " . length($answer) . "\r\n\r\n$answer";
    close $c;
}
"""
# Says its arguments, leaves them as its last words, says the last nine in one long line that is cut
# where it is quoted, and ends with an error.
ENDS = r"""
open(my $last, ">", "/dev/termination-log") or die $!;
print $last join("\n", @ARGV);
print "$_\n" for @ARGV, join(" ", @ARGV[-9 .. -1]);
exit 3;
"""
# They stand in environments only.
SETTINGS = list(settings(8))
# How long all of it may take to be there, seconds.
PLANTED_S = 240.0
# Requests at once.
AT_ONCE = 16
# What the kubelet keeps of the last words of a container, bytes.
LAST_WORDS = 4096
COPY = "kubectl.kubernetes.io/last-applied-configuration"


def objects(canaries: Sequence[Canary], namespace: str) -> list[Manifest]:
    """All of it but the events."""
    texts = [item.text for item in canaries]
    saved = {COPY: json.dumps({"all": texts}), "example.com/noted": json.dumps({"all": texts})}
    saved |= {f"example.com/note-{number}": text for number, text in enumerate(texts)}
    plain = {"namespace": namespace, "labels": LABELS}
    metadata = {**plain, "annotations": saved}
    files = {f"file-{number}": text for number, text in enumerate(texts)}
    answer = "\n".join(item.text for item in of_each(canaries, 0))
    return [
        _object("v1", "Secret", NAME, metadata, stringData=_secret_values(canaries)),
        _object(
            "v1",
            "ConfigMap",
            NAME,
            metadata,
            data={**files, "log": "\n".join(texts), "answer": answer},
        ),
        _deployment(NAME, metadata, [_speaker(texts)], volumes=_volumes()),
        _deployment(CRASHES, plain, [_crasher(canaries, number) for number in range(2)]),
        _deployment(NEVER, plain, list(_never(canaries))),
    ]


def of_each(canaries: Sequence[Canary], number: int) -> list[Canary]:
    """One of each shape."""
    shapes = dict.fromkeys(item.shape for item in canaries)
    return [[item for item in canaries if item.shape == shape][number] for shape in shapes]


def _object(
    api_version: str, kind: str, name: str, metadata: dict[str, Any], **more: Any
) -> Manifest:
    named = {**metadata, "name": name}
    return {"apiVersion": api_version, "kind": kind, "metadata": named, **more}


def _secret_values(canaries: Sequence[Canary]) -> dict[str, str]:
    defined = (item for item in canaries if item.known)
    return {
        f"item-{number}": item.secret + "/+" * ("url" in item.shape)
        for number, item in enumerate(defined)
    }


def _deployment(
    name: str, metadata: dict[str, Any], containers: list[dict[str, Any]], **spec: Any
) -> Manifest:
    created = sample_deployment.deployment(spec={**spec, "containers": containers}, name=name)
    created["metadata"] = {**metadata, "name": name}
    template = created["spec"]["template"]["metadata"]
    template["labels"] |= LABELS
    template["annotations"] = metadata.get("annotations", {})
    return created


def _container(name: str, **more: Any) -> dict[str, Any]:
    (plain,) = workload.pod(name)["spec"]["containers"]
    retained = {key: plain[key] for key in ("image", "imagePullPolicy", "securityContext")}
    # They do next to nothing, on a node that others share.
    resources = {**plain["resources"], "requests": {"cpu": "5m", "memory": "8Mi"}}
    return {"name": name, **retained, "resources": resources, **more}


def _volumes() -> list[dict[str, Any]]:
    return [{"name": "files", "configMap": {"name": NAME}}]


def _speaker(texts: list[str]) -> dict[str, Any]:
    """Runs and isn't ready; its log, its metrics and what its probe hears hold secrets."""
    return _container(
        "server",
        command=["perl", "-e", OUTPUT],
        args=texts,
        env=environment(texts),
        ports=[{"name": "metrics", "containerPort": PORT}],
        readinessProbe={"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
        volumeMounts=[{"name": "files", "mountPath": "/planted"}],
    )


def environment(texts: Sequence[str]) -> list[dict[str, str]]:
    """Some texts as variables, and passwords that nothing but their place tells of."""
    plain = (item.text for item in SETTINGS)
    return [
        *({"name": f"SETTING_{number}", "value": text} for number, text in enumerate(texts)),
        *({"name": f"SMTP_LOGIN_{number}", "value": text} for number, text in enumerate(plain)),
    ]


def _crasher(canaries: Sequence[Canary], number: int) -> dict[str, Any]:
    """Its last words, in its state and in its log, are one of each shape."""
    # Those that only a Secret tells come last: that is what is quoted.
    chosen = sorted(of_each(canaries, number), key=lambda item: item.known)
    texts = [item.text for item in chosen]
    assert len("\n".join(texts).encode()) < LAST_WORDS
    return _container(f"part-{number}", command=["perl", "-e", ENDS], args=texts)


def _never(canaries: Sequence[Canary]) -> list[dict[str, Any]]:
    """Commands that somebody gave as one word: what says so quotes them."""
    shapes = ("plain", "an argument", "a header", "an address")
    chosen = [item for item in of_each(canaries, 2) if item.shape in shapes]
    return [_container(f"part-{number}", command=[item.text]) for number, item in enumerate(chosen)]


def events(canaries: Sequence[Canary], namespace: str, now: str) -> list[Manifest]:
    """What happened, as told by whoever tells too much: of the planted pods, and of Vault's."""
    texts = [item.text for item in canaries]
    synced = ("VaultStaticSecret", "vrooli-dev-redis", "secrets.hashicorp.com/v1beta1")
    planted = ("Deployment", NAME, "apps/v1")
    output = [(planted, text) for text in texts] + [(synced, "\n".join(texts))]
    return [
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{NAME}-{number}", "namespace": namespace},
            "involvedObject": {
                "kind": kind,
                "name": name,
                "namespace": namespace,
                "apiVersion": api_version,
            },
            "type": "Warning",
            "reason": "Planted",
            "message": text,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": NAME},
        }
        for number, ((kind, name, api_version), text) in enumerate(output)
    ]


async def plant(kube: Kube, bodies: Sequence[Manifest]) -> None:
    """Make all of it, and wait until each container has said or done what it is for."""
    # Pods whose files aren't there yet wait for a while before they look again.
    for kinds in (True, False):
        some = [body for body in bodies if (body["kind"] == "Deployment") is not kinds]
        await _each(some, lambda body: kube.create(body, body["metadata"]["namespace"]))
    await _wait_planted(kube, bodies[0]["metadata"]["namespace"])


async def remove(kube: Kube, bodies: Sequence[Manifest]) -> None:
    """Take all of it away, what isn't there as well, and wait until the pods are gone."""
    namespace = bodies[0]["metadata"]["namespace"]

    async def one(body: Manifest) -> None:
        await kube.delete(body["apiVersion"], body["kind"], body["metadata"]["name"], namespace)

    await _each(bodies, one)
    for name in REQUIRED:
        await sample_deployment.gone(kube, namespace, name)
    # What the cluster itself told of the pods quotes their commands.
    message = await kube.list("v1", "Event", namespace)
    await _each([body for body in message if body["metadata"]["name"].startswith(NAME)], one)


async def _each(bodies: Sequence[Manifest], do: Callable[[Manifest], Awaitable[object]]) -> None:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(body: Manifest) -> None:
        async with free:
            await do(body)

    await asyncio.gather(*map(one, bodies))


async def _wait_planted(kube: Kube, namespace: str) -> None:
    began = time.monotonic()
    while absent := [text for name in REQUIRED for text in await _missing(kube, namespace, name)]:
        assert time.monotonic() - began < PLANTED_S, "\n".join(absent)
        await asyncio.sleep(0.5)


async def _missing(kube: Kube, namespace: str, name: str) -> list[str]:
    """The containers that haven't yet said or done what they are for."""
    pods = await kube.list("v1", "Pod", namespace, f"app={name}")
    states = [item for pod in pods for item in pod["status"].get("containerStatuses", [])]
    if not states:
        return [f"{name} has no containers: {[pod['status'] for pod in pods]}"]
    return [f"{name}: {state}" for state in states if not REQUIRED[name](state)]


def _runs(state: dict[str, Any]) -> bool:
    return "running" in state["state"]


def _has_ended_twice(state: dict[str, Any]) -> bool:
    return state["restartCount"] > 0 and "terminated" in state["lastState"]


REQUIRED = {NAME: _runs, CRASHES: _has_ended_twice, NEVER: _has_ended_twice}
