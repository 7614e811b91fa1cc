"""The interface of diagnosis rules and the result of a diagnosis. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vrooli.findings import Finding
from vrooli.kube.objects import Ref

if TYPE_CHECKING:
    from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.unavailable import Unavailable


@dataclass(frozen=True)
class Symptom:
    """A problem that a rule finds at one resource.

    Attributes:
        resource: The resource that has the problem: the workload of a pod rather than each pod.
        message: The problem, in words; quotes the original message where that helps.
        remediation: How to fix it, in words.
        command: The command that fixes it, ready to paste; may be empty.
        evidence: Lines of logs, events or objects that show the problem.
        affects: Other resources that fail because of it: their symptoms are consequences of it.
        can_explain: The ids of the rules whose symptoms can be consequences of it. None means any
            rule; an empty tuple means that it has no consequences yet.
    """

    resource: Ref
    message: str
    remediation: str
    command: str = ""
    evidence: tuple[str, ...] = ()
    affects: tuple[Ref, ...] = ()
    can_explain: tuple[str, ...] | None = None


def nothing(evidence: Evidence) -> Iterable[Unavailable]:
    """What a rule cannot judge yet if it can always judge."""
    del evidence
    return ()


@dataclass(frozen=True)
class Rule:
    """A diagnosis rule.

    Attributes:
        rule_id: Short and stable, part of the JSON output, such as image-pull.
        title: The symptom in words, for the table of rules.
        find: Yields the symptoms in the evidence; does no I/O.
        link: The address of further documentation; may be empty.
        undecided: Yields what is neither a problem nor known to be healthy yet; does no I/O.
    """

    rule_id: str
    title: str
    find: Callable[[Evidence], Iterable[Symptom]]
    link: str = ""
    undecided: Callable[[Evidence], Iterable[Unavailable]] = nothing


@dataclass(frozen=True)
class Cause:
    """A root cause.

    Attributes:
        finding: The problem.
        resource: The resource that has the problem.
        consequences: The other findings that follow from it, the nearest first.
    """

    finding: Finding
    resource: Ref
    consequences: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """The result of a diagnosis.

    Attributes:
        causes: The root causes, the one with the most consequences first; empty if none was found.
        unavailable: The data that could not be read.
        missing: The part of it that is required to call the release healthy.
    """

    causes: tuple[Cause, ...]
    unavailable: tuple[Unavailable, ...]
    missing: tuple[Unavailable, ...] = ()
