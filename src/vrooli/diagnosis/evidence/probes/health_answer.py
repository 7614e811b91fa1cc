"""What a container answers to the question of its own probe, asked once more by us."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from vrooli.diagnosis.evidence.access import FORWARD
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.workloads import container
from vrooli.errors import VrooliError
from vrooli.kube import Kube, each
from vrooli.kube.objects import Body, Ref, dig, items, ref_of, text
from vrooli.kube.status import is_pod_ready, pod_status

NAME = "health-answer"
# How many are asked, and how long each may take, seconds: a check behind it has its own limit.
MOST, ANSWER_S = 5, 4.0
# Longer answers are none of a health check. What is shown of one is cut once it is masked.
LENGTH = 100_000
PROBES = ("readinessProbe", "startupProbe", "livenessProbe")


@dataclass(frozen=True)
class _Question:
    pod: Ref
    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)


async def ask(kube: Kube, seen: Evidence) -> Sequence[Answer]:
    """The answers of the first few containers that run and aren't ready."""
    questions = list(_questions(seen))[:MOST]
    return await each(partial(_of_one, kube), questions)


def report(answer: Answer) -> Mapping[str, Any]:
    """The health report in an answer; empty where it is none."""
    _, _, body = answer.text.partition(" ")
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _questions(seen: Evidence) -> Iterator[_Question]:
    """One for each workload: its pods say the same."""
    asked = set()
    for owner, pod in seen.current if seen.may(FORWARD) else ():
        if is_pod_ready(pod) or owner in asked:
            continue
        for item in pod_status(pod).running:
            if item.is_ready:
                continue
            found = _question(pod, container(pod, item.name))
            if found is not None:
                asked.add(owner)
                yield found
                break


def _question(pod: Body, spec: Body) -> _Question | None:
    for probe in PROBES:
        wanted = dig(spec, probe, "httpGet")
        if not wanted or text(wanted, "scheme") == "HTTPS":
            continue
        port = wanted.get("port")
        if isinstance(port, str):
            ports = items(spec, "ports")
            port = next(
                (dig(item, "containerPort") for item in ports if item.get("name") == port), 0
            )
        if isinstance(port, int) and port:
            headers = {
                text(item, "name"): text(item, "value") for item in items(wanted, "httpHeaders")
            }
            return _Question(ref_of(pod), port, text(wanted, "path") or "/", headers)
    return None


async def _of_one(kube: Kube, question: _Question) -> Answer:
    pod = question.pod
    try:
        async with (
            await kube.port_forward(pod.namespace, pod.name, question.port) as port,
            httpx.AsyncClient(timeout=ANSWER_S) as client,
        ):
            answer = await client.get(
                f"http://127.0.0.1:{port}{question.path}", headers=question.headers
            )
    except (httpx.HTTPError, OSError, VrooliError) as error:
        return Answer(NAME, pod, f"{type(error).__name__}: {error}", ok=False)
    return Answer(NAME, pod, f"{answer.status_code} {answer.text[:LENGTH]}")
