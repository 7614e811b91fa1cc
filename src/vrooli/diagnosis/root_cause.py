"""From symptoms to root causes: what stands on something that is broken follows from that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vrooli.diagnosis import requirements
from vrooli.diagnosis.dependency_graph import Standing, stands_on
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Cause, Diagnosis, Rule, Symptom
from vrooli.findings import Finding
from vrooli.kube.objects import Ref
from vrooli.kube.unavailable import Unavailable
from vrooli.redaction import Redactor

# How much is shown of a line of evidence, and of what was found, characters.
WIDTH, FOUND = 300, 1000
ODD_ADVICE = "Report it, with the bundle that --bundle writes."
# What reading an object of another shape than usual may raise.
ODD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class _Seen:
    """A symptom, and the place of its rule in the catalogue: the more specific comes first."""

    rank: int
    rule: Rule
    symptom: Symptom


def diagnose(evidence: Evidence, rules: Sequence[Rule], redactor: Redactor) -> Diagnosis:
    """Judge what was seen by some rules.

    Args:
        evidence: What was seen.
        rules: The rules, the most specific first: of two about the same object the first one
            is the cause of the second.
        redactor: Takes out of the findings what is secret in logs and events.
    """
    found: list[_Seen] = []
    unavailable = list(evidence.unavailable)
    # Rules quote some lines of a log: one of them may be a piece of a secret.
    logs = {source: redactor.uncut(lines) for source, lines in evidence.logs.items()}
    evidence = replace(evidence, logs=logs)
    for rank, rule in enumerate(rules):
        try:
            found += (_Seen(rank, rule, symptom) for symptom in rule.find(evidence))
        except ODD as error:
            # An object of a shape that nobody expects stops one rule, and that is said.
            unavailable.append(_odd(f"rule {rule.rule_id}", error))
    standing: Standing = {}
    try:
        standing = stands_on(evidence)
    except ODD as error:
        unavailable.append(_odd("what stands on what", error))
    causes = _causes(_once(found), standing, redactor)
    hidden = tuple(replace(item, reason=redactor.text(item.reason)) for item in unavailable)
    try:
        missing = requirements.missing(replace(evidence, unavailable=hidden))
    except ODD as error:
        hidden = (*hidden, _odd("what is needed", error))
        missing = list(hidden)
    return Diagnosis(causes=tuple(causes), unavailable=hidden, missing=tuple(missing))


def _odd(what: str, error: Exception) -> Unavailable:
    why = f"an object has an unexpected shape ({type(error).__name__}: {error})"
    return Unavailable(what, why, ODD_ADVICE, place=(requirements.RULE, what))


def _once(found: Iterable[_Seen]) -> list[_Seen]:
    """One of each rule and object."""
    return list({(item.rank, item.symptom.resource): item for item in found}.values())


def _causes(found: Sequence[_Seen], standing: Standing, redactor: Redactor) -> list[Cause]:
    """The symptoms that follow from no other, each with all that follow from it."""
    following: dict[int, list[_Seen]] = {}
    roots = []
    for item, causes in _with_causes(found, standing):
        for cause in causes:
            following.setdefault(id(cause), []).append(item)
        if not causes:
            roots.append(item)
    told = [(root, _after(root, following)) for root in roots]
    # Where each follows from another, in a ring, the most specific is taken for the cause.
    named = {id(item) for root, after in told for item in (root, *after)}
    for item in sorted(found, key=lambda item: item.rank):
        if id(item) not in named:
            told.append((item, _after(item, following)))
            named |= {id(one) for one in (item, *told[-1][1])}
    told.sort(key=lambda pair: _urgency(*pair))
    return [
        Cause(
            finding=_finding(root, redactor),
            resource=root.symptom.resource,
            consequences=tuple(_finding(item, redactor) for item in after),
        )
        for root, after in told
    ]


def _after(root: _Seen, following: Mapping[int, Sequence[_Seen]]) -> list[_Seen]:
    """All that follows from a symptom, however far up, the nearest first."""
    reached = {id(root): root}
    waiting = [root]
    for item in waiting:
        for effect in following.get(id(item), ()):
            if id(effect) not in reached:
                reached[id(effect)] = effect
                waiting.append(effect)
    return waiting[1:]


def _urgency(root: _Seen, after: Sequence[_Seen]) -> tuple[int, bool, int]:
    """The one with the most consequences first; last what has few by its nature, and has none."""
    return -len(after), not after and root.symptom.can_explain is not None, root.rank


def _with_causes(
    found: Sequence[_Seen], standing: Standing
) -> Iterator[tuple[_Seen, Sequence[_Seen]]]:
    """Each symptom with those that it follows from: they are about what it stands on."""
    by_ref: dict[Ref, list[_Seen]] = {}
    for item in found:
        for ref in {item.symptom.resource, *item.symptom.affects}:
            by_ref.setdefault(ref, []).append(item)
    for item in found:
        about = item.symptom.resource
        under = {about, *standing.get(about, ())}
        near = {id(other): other for ref in under for other in by_ref.get(ref, ())}
        yield item, [other for other in near.values() if _follows(item, other, standing)]


def _follows(effect: _Seen, cause: _Seen, standing: Standing) -> bool:
    """Whether one symptom follows from another.

    Of two objects that stand on each other (an operator's resource and its pods), and of two
    symptoms of one object, the more specific symptom is the cause.
    """
    explains = cause.symptom.can_explain
    if effect is cause or (explains is not None and effect.rule.rule_id not in explains):
        return False
    upper, lower = effect.symptom.resource, cause.symptom.resource
    down, up = _is_down(upper, cause, standing), _is_down(lower, effect, standing)
    if upper == lower or (down and up):
        return cause.rank < effect.rank
    return down


def _is_down(upper: Ref, cause: _Seen, standing: Standing) -> bool:
    """Whether an object stands on the one of a symptom, or on one that it stops."""
    under = {upper, *standing.get(upper, ())}
    return (cause.symptom.resource != upper and cause.symptom.resource in under) or any(
        ref in under for ref in cause.symptom.affects
    )


def _finding(item: _Seen, redactor: Redactor) -> Finding:
    symptom = item.symptom
    # A command with a mask in it would write the mask into the cluster.
    shown = redactor.text(symptom.command) == symptom.command
    return Finding(
        rule_id=item.rule.rule_id,
        resource=str(symptom.resource),
        # Masked first: a piece of a secret that was cut is no longer known.
        message=redactor.text(symptom.message)[:FOUND],
        remediation=redactor.text(symptom.remediation),
        command=symptom.command if shown else "",
        link=item.rule.link,
        evidence=tuple(line[:WIDTH] for line in redactor.lines(symptom.evidence)),
    )
