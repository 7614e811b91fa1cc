"""Derive root causes from symptoms: the symptoms of dependents are consequences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vrooli.diagnosis.dependency_graph import DependencyGraph, dependencies
from vrooli.diagnosis.evidence.collection import requirements
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Cause, Diagnosis, Rule, Symptom
from vrooli.findings import Finding
from vrooli.kube.objects import MALFORMED_ERRORS, Ref
from vrooli.kube.unavailable import Unavailable
from vrooli.redaction import Redactor

# The maximum length of a line of evidence and of a message, characters.
WIDTH, MESSAGE = 300, 1000
MALFORMED_ADVICE = "Report it, with the bundle that --bundle writes."


@dataclass(frozen=True)
class _Match:
    """A symptom with the rank of its rule in the catalogue, the more specific first."""

    rank: int
    rule: Rule
    symptom: Symptom


def diagnose(evidence: Evidence, rules: Sequence[Rule], redactor: Redactor) -> Diagnosis:
    """Apply the rules to the evidence.

    Args:
        evidence: The evidence.
        rules: The rules, the most specific first: of two about the same object the first one
            is the cause of the second.
        redactor: Redacts secrets in the findings.
    """
    matches: list[_Match] = []
    unavailable = list(evidence.unavailable)
    # Rules quote lines of a log, which may contain parts of a secret.
    logs = {source: redactor.mask_split_values(lines) for source, lines in evidence.logs.items()}
    evidence = replace(evidence, logs=logs)
    for rank, rule in enumerate(rules):
        try:
            matches += (_Match(rank, rule, symptom) for symptom in rule.find(evidence))
        except MALFORMED_ERRORS as error:
            # A malformed object stops one rule, which is reported.
            unavailable.append(_malformed(f"rule {rule.rule_id}", error))
    graph: DependencyGraph = {}
    try:
        graph = dependencies(evidence)
    except MALFORMED_ERRORS as error:
        unavailable.append(_malformed("the dependency graph", error))
    causes = _causes(_once(matches), graph, redactor)
    hidden = tuple(replace(item, reason=redactor.text(item.reason)) for item in unavailable)
    try:
        missing = requirements.missing(replace(evidence, unavailable=hidden))
        if not causes:  # else the verdict is known
            missing += [
                replace(item, reason=redactor.text(item.reason))
                for rule in rules
                for item in rule.undecided(evidence)
            ]
    except MALFORMED_ERRORS as error:
        hidden = (*hidden, _malformed("the required data", error))
        missing = list(hidden)
    return Diagnosis(causes=tuple(causes), unavailable=hidden, missing=tuple(missing))


def _malformed(what: str, error: Exception) -> Unavailable:
    why = f"an object has an unexpected shape ({type(error).__name__}: {error})"
    return Unavailable(what, why, MALFORMED_ADVICE, place=(requirements.RULE, what))


def _once(matches: Iterable[_Match]) -> list[_Match]:
    """The matches without duplicates of a rule and resource."""
    return list({(item.rank, item.symptom.resource): item for item in matches}.values())


def _causes(matches: Sequence[_Match], graph: DependencyGraph, redactor: Redactor) -> list[Cause]:
    """The symptoms without a cause, each with its consequences."""
    following: dict[int, list[_Match]] = {}
    roots = []
    for item, causes in _with_causes(matches, graph):
        for cause in causes:
            following.setdefault(id(cause), []).append(item)
        if not causes:
            roots.append(item)
    pairs = [(root, _after(root, following)) for root in roots]
    # In a cycle the most specific symptom is the cause.
    named = {id(item) for root, after in pairs for item in (root, *after)}
    for item in sorted(matches, key=lambda item: item.rank):
        if id(item) not in named:
            pairs.append((item, _after(item, following)))
            named |= {id(one) for one in (item, *pairs[-1][1])}
    pairs.sort(key=lambda pair: _urgency(*pair))
    return [
        Cause(
            finding=_finding(root, redactor),
            resource=root.symptom.resource,
            consequences=tuple(_finding(item, redactor) for item in after),
        )
        for root, after in pairs
    ]


def _after(root: _Match, following: Mapping[int, Sequence[_Match]]) -> list[_Match]:
    """All consequences of a symptom, direct and indirect, the nearest first."""
    reached = {id(root): root}
    waiting = [root]
    for item in waiting:
        for effect in following.get(id(item), ()):
            if id(effect) not in reached:
                reached[id(effect)] = effect
                waiting.append(effect)
    return waiting[1:]


def _urgency(root: _Match, after: Sequence[_Match]) -> tuple[int, bool, int]:
    """Sort key: most consequences first; last those that can explain little and have none."""
    return -len(after), not after and root.symptom.can_explain is not None, root.rank


def _with_causes(
    matches: Sequence[_Match], graph: DependencyGraph
) -> Iterator[tuple[_Match, Sequence[_Match]]]:
    """Each symptom with its causes, which are about its dependencies."""
    by_ref: dict[Ref, list[_Match]] = {}
    for item in matches:
        for ref in {item.symptom.resource, *item.symptom.affects}:
            by_ref.setdefault(ref, []).append(item)
    for item in matches:
        about = item.symptom.resource
        under = {about, *graph.get(about, ())}
        near = {id(other): other for ref in under for other in by_ref.get(ref, ())}
        yield item, [other for other in near.values() if _follows(item, other, graph)]


def _follows(effect: _Match, cause: _Match, graph: DependencyGraph) -> bool:
    """Whether one symptom follows from another.

    Of two objects that depend on each other (an operator's resource and its pods), and of two
    symptoms of one object, the more specific symptom is the cause.
    """
    explains = cause.symptom.can_explain
    if effect is cause or (explains is not None and effect.rule.rule_id not in explains):
        return False
    upper, lower = effect.symptom.resource, cause.symptom.resource
    down, up = _is_down(upper, cause, graph), _is_down(lower, effect, graph)
    if upper == lower or (down and up):
        return cause.rank < effect.rank
    return down


def _is_down(upper: Ref, cause: _Match, graph: DependencyGraph) -> bool:
    """Whether an object depends on the resource of a symptom, or on one that it affects."""
    under = {upper, *graph.get(upper, ())}
    return (cause.symptom.resource != upper and cause.symptom.resource in under) or any(
        ref in under for ref in cause.symptom.affects
    )


def _finding(item: _Match, redactor: Redactor) -> Finding:
    symptom = item.symptom
    # A redacted command would write the mask to the cluster.
    shown = redactor.text(symptom.command) == symptom.command
    return Finding(
        rule_id=item.rule.rule_id,
        resource=str(symptom.resource),
        # Redact before truncating: a truncated secret is not recognized.
        message=redactor.text(symptom.message)[:MESSAGE],
        remediation=redactor.text(symptom.remediation),
        command=symptom.command if shown else "",
        link=item.rule.link,
        evidence=tuple(line[:WIDTH] for line in redactor.lines(symptom.evidence)),
    )
