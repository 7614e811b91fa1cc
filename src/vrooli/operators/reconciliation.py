"""Which objects an operator has reconciled since its start. No I/O here.

An operator that is replaced leaves the status of its objects as it is: `observedGeneration` and
conditions are then those of the version before. Only its own counters tell that the new one has
worked on them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vrooli.kube.events import Event
from vrooli.kube.objects import Body, ref_of, text

# The counter of every operator that is built with controller-runtime, by controller and result.
# Source: its package pkg/internal/controller/metrics.
RECONCILIATIONS = "controller_runtime_reconcile_total"
# VSO repeats an attempt that failed after 5 s: an older warning is of an attempt before a success,
# seconds.
REPEATED_S = 30.0
_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?")
_LABEL = re.compile(r'(?<!\w)(\w++)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Evidence:
    """What shows which objects an operator has reconciled.

    Attributes:
        bodies: The objects of its kinds.
        metrics: The metrics of its pod, in the text format of Prometheus.
        events: The events about the objects.
        since: When its pod was created.
        now: When this was read.
    """

    bodies: Sequence[Body]
    metrics: str
    events: Sequence[Event]
    since: datetime
    now: datetime


def samples(metrics: str, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
    """The labels and the value of each sample of a metric; values that are not finite are omitted.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    for line in metrics.splitlines():
        match = _SAMPLE.fullmatch(line.strip())
        if match and match[1] == name and math.isfinite(value := _parse_number(match[3])):
            yield dict(_LABEL.findall(match[2] or "")), value


def _parse_number(text: str) -> float:
    """The number; NaN if the text is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def uncounted(evidence: Evidence) -> Iterator[str]:
    """The kinds of which controller-runtime counts fewer successes than there are objects."""
    counts = Counter[str]()
    for labels, value in samples(evidence.metrics, RECONCILIATIONS):
        if labels.get("result") != "error":
            counts[labels.get("controller", "")] += int(value)
    kinds = Counter(text(body, "kind") for body in evidence.bodies)
    for kind, count in sorted(kinds.items()):
        if (done := counts[kind.lower()]) < count:
            yield f"{done} of {count} {kind} objects are reconciled"


def warned(evidence: Evidence, kind: str) -> Iterator[str]:
    """The objects of a kind about which the operator's last event is a current warning."""
    oldest = max(evidence.since, evidence.now - timedelta(seconds=REPEATED_S))
    last = {
        (event.about.namespace, event.about.name): event
        for event in evidence.events
        if event.about.kind == kind and event.last is not None and event.last >= oldest
    }
    refs = {(ref.namespace, ref.name) for ref in map(ref_of, evidence.bodies)}
    for (namespace, name), event in sorted(last.items()):
        if event.type == "Warning" and (namespace, name) in refs:
            message = " ".join(event.message.split())
            yield f"{kind}/{name} in namespace {namespace}: {event.reason}: {message}"
