"""What every rule keeps to: silent on a release that is well, never stopped by odd objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from support.diagnosis.evidence import NOW, diagnosed, evidence, well, whole, with_objects
from vrooli.diagnosis import catalog
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.release.rollout import readiness

ODD: tuple[Any, ...] = (None, "text", 7, [], {}, [None, "text", 7, {}], {"name": None})


def test_a_release_that_is_well_yields_no_finding() -> None:
    assert [cause.finding for cause in diagnosed(whole()).causes] == []


def test_a_release_that_is_just_being_deployed_is_not_called_unready() -> None:
    state = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 0}
    seen = with_objects(well(), *({**body, "status": state} for body in well().all("Deployment")))
    young = replace(seen, helm=replace(seen.helm, deployed_at=NOW))
    names = {cause.finding.rule_id for cause in diagnosed(young).causes}
    assert "not-ready" not in names
    assert "not-ready" in {cause.finding.rule_id for cause in diagnosed(seen).causes}


@cache
def _odd() -> list[Evidence]:
    """A release with something odd in the place of each object's parts."""
    changes = [
        partial(change, odd)
        for odd in ODD
        for change in (_with_odd_spec, _with_odd_status, _with_odd_parts)
    ]
    return [_changed(well(), change) for change in changes]


def _changed(seen: Evidence, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Evidence:
    objects = {kind: [change(body) for body in found] for kind, found in seen.objects.items()}
    return replace(seen, objects=objects)


def _with_odd_spec(odd: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "spec": odd}


def _with_odd_status(odd: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "status": odd}


def _with_odd_parts(odd: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    """Each part of its spec and status is odd."""
    parts = {part: body[part] for part in ("spec", "status") if isinstance(body.get(part), dict)}
    return {**body, **{part: dict.fromkeys(found, odd) for part, found in parts.items()}}


# They read objects as a deploy does, which says so of one that has another shape.
AS_DEPLOYS = ("rule not-ready", "rule operator-refuses")


def test_objects_of_unexpected_shapes_stop_no_diagnosis() -> None:
    for odd in _odd():
        assert not [item for item in diagnosed(odd).unavailable if item.resource not in AS_DEPLOYS]


def test_every_rule_has_a_name_a_title_and_a_link_of_its_own() -> None:
    names = [rule.rule_id for rule in catalog.ALL]
    assert len(names) == len(set(names))
    assert all(rule.title and rule.find for rule in catalog.ALL)
    assert [rule.rule_id for rule in catalog.ALL if not rule.link] == ["not-ready"]
    assert readiness.RULES
    assert evidence().all("Pod") == []
