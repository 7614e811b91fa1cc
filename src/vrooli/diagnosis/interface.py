"""What a rule is, and what a diagnosis gives. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vrooli.findings import Finding
from vrooli.kube.objects import Ref

if TYPE_CHECKING:
    from vrooli.diagnosis.evidence.model import Evidence, Unseen


@dataclass(frozen=True)
class Symptom:
    """What a rule has seen of one object.

    Attributes:
        about: The object that isn't as it should be: a pod's workload rather than each pod.
        found: What is wrong, in words, with the system's own words where they help.
        remedy: What mends it, in words.
        command: The command that does it, as it can be typed; empty where none can.
        evidence: The lines that show it.
        touches: Other objects that it stops: what is wrong with them follows from this.
        explains: The rules whose symptoms may follow from it, by name; None is all of them, and
            what stops nothing yet explains none.
    """

    about: Ref
    found: str
    remedy: str
    command: str = ""
    evidence: tuple[str, ...] = ()
    touches: tuple[Ref, ...] = ()
    explains: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Rule:
    """One symptom that is recognised.

    Attributes:
        name: Short and stable, part of the JSON output, such as image-pull.
        title: The symptom in words, for the table of rules.
        find: Reads the evidence and gives what it has seen; does no I/O.
        link: Where more about it is written; may be empty.
    """

    name: str
    title: str
    find: Callable[[Evidence], Iterable[Symptom]]
    link: str = ""


@dataclass(frozen=True)
class Cause:
    """One root cause.

    Attributes:
        finding: What it is.
        about: The object that it was found at.
        follows: What else was found and follows from it, the nearest first.
    """

    finding: Finding
    about: Ref
    follows: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What a look at a release gave.

    Attributes:
        causes: The root causes, the one with the most consequences first; none when all is well.
        unseen: What couldn't be looked at, and why.
        missing: That of it without which nobody can say that a release is healthy.
    """

    causes: tuple[Cause, ...]
    unseen: tuple[Unseen, ...]
    missing: tuple[Unseen, ...] = ()
