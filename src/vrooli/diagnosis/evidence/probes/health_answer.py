"""The response of a container to the request of its own probe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from vrooli.diagnosis.evidence.collection.access import FORWARD
from vrooli.diagnosis.evidence.model import Answer, Evidence
from vrooli.diagnosis.evidence.workloads import container
from vrooli.errors import VrooliError
from vrooli.kube import Kube, gather_limited, pod_http
from vrooli.kube.objects import Body, Ref, dig, items, ref_of, text
from vrooli.kube.status import is_pod_ready, pod_status

NAME = "health-answer"
# The maximum number of requests, and the timeout of each, seconds.
MOST, ANSWER_S = 5, 4.0
# Longer responses are not health reports. They are truncated after redaction.
LENGTH = 100_000
PROBES = ("readinessProbe", "startupProbe", "livenessProbe")


@dataclass(frozen=True)
class _Question:
    pod: Ref
    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)


async def run(kube: Kube, evidence: Evidence) -> Sequence[Answer]:
    """The responses of the first running containers that are not ready."""
    questions = list(_questions(evidence))[:MOST]
    return await gather_limited(partial(_fetch_answer, kube), questions)


def successful(evidence: Evidence, pod: Ref) -> Answer | None:
    """The response of a pod that was read; None without one."""
    answer = evidence.answer(NAME, pod)
    return answer if answer is not None and answer.ok else None


def report(answer: Answer) -> Mapping[str, Any]:
    """The health report in a response; empty if there is none."""
    _, _, body = answer.text.partition(" ")
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, Mapping) else {}


def _questions(evidence: Evidence) -> Iterator[_Question]:
    """One request for each workload: its pods have the same response."""
    covered = set()
    for owner, pod in evidence.current if evidence.may(FORWARD) else ():
        if is_pod_ready(pod) or owner in covered:
            continue
        for item in pod_status(pod).running:
            if item.is_ready:
                continue
            question = _question(pod, container(pod, item.name))
            if question is not None:
                covered.add(owner)
                yield question
                break


def _question(pod: Body, spec: Body) -> _Question | None:
    for probe in PROBES:
        http_get = dig(spec, probe, "httpGet")
        if not http_get or text(http_get, "scheme") == "HTTPS":
            continue
        port = http_get.get("port")
        if isinstance(port, str):
            ports = items(spec, "ports")
            port = next(
                (dig(item, "containerPort") for item in ports if item.get("name") == port), 0
            )
        if isinstance(port, int) and port:
            headers = {
                text(item, "name"): text(item, "value") for item in items(http_get, "httpHeaders")
            }
            return _Question(ref_of(pod), port, text(http_get, "path") or "/", headers)
    return None


async def _fetch_answer(kube: Kube, question: _Question) -> Answer:
    pod, port, path, headers = question.pod, question.port, question.path, question.headers
    try:
        answer = await pod_http.get(kube, pod, port, path, limit_s=ANSWER_S, headers=headers)
    except (httpx.HTTPError, OSError, VrooliError) as error:
        return Answer(NAME, pod, f"{type(error).__name__}: {error}", ok=False)
    return Answer(NAME, pod, f"{answer.status} {answer.text[:LENGTH]}")
