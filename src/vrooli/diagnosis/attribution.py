"""Separate the root causes of a deploy's failure from unrelated ones. No I/O here."""

from __future__ import annotations

import re

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Cause, Diagnosis
from vrooli.kube.objects import ref_of

# Rules based on events, which may be about other objects or past problems.
BY_EVENTS = frozenset({"probe-failing"})


def causes_of(failure: str, diagnosis: Diagnosis, evidence: Evidence) -> tuple[Cause, ...]:
    """The causes, those of the failure first, without unrelated causes from events only.

    Args:
        failure: The deploy's error, with the names of the objects that blocked it.
        diagnosis: The diagnosis.
        evidence: The evidence.
    """
    failing = {
        str(evidence.owner(pod))
        for pod in evidence.all("Pod")
        if _is_named(ref_of(pod).name, failure)
    }
    own = [cause for cause in diagnosis.causes if _is_of(cause, failure, failing)]
    others = [
        cause
        for cause in diagnosis.causes
        if cause not in own and cause.finding.rule_id not in BY_EVENTS
    ]
    return (*own, *others)


def _is_of(cause: Cause, failure: str, failing: set[str]) -> bool:
    about = {str(cause.resource), *(finding.resource for finding in cause.consequences)}
    return bool(about & failing) or _is_named(str(cause.resource), failure)


def _is_named(name: str, text: str) -> bool:
    """Whether a text has a name as a whole word, not as a part of a longer name."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text) is not None
