"""The conditions that the controllers of Gateways write for a route."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.kube.status import Parent, parents_of, route_problems, route_unready_reason

REF: dict[str, Any] = {"name": "public", "namespace": "gateways", "sectionName": "https"}
PARENT = Parent("public", "gateways", "https")


def report(
    ref: dict[str, Any] | None = None, generation: int | None = 2, **conditions: Any
) -> dict[str, Any]:
    """What a controller writes for one parent: each condition as its status and its reason."""
    observed = {} if generation is None else {"observedGeneration": generation}
    return {
        "parentRef": ref or REF,
        "controllerName": "example.com/gateway",
        "conditions": [
            {"type": name, "status": status, "reason": reason, "message": "", **observed}
            for name, (status, reason) in conditions.items()
        ],
    }


def route(*reports: dict[str, Any], refs: tuple[dict[str, Any], ...] = (REF,)) -> dict[str, Any]:
    """An HTTPRoute with these parents and reports."""
    return {
        "metadata": {"name": "demo", "namespace": "dev", "generation": 2},
        "spec": {"parentRefs": list(refs)},
        "status": {"parents": list(reports)},
    }


GOOD: dict[str, Any] = {"Accepted": ("True", "Accepted"), "ResolvedRefs": ("True", "ResolvedRefs")}


@pytest.mark.parametrize(
    "reports",
    [
        [report(**GOOD)],
        [report(Accepted=("True", "Accepted"))],
        [report(generation=None, **GOOD)],
        [report({**REF, "group": "gateway.networking.k8s.io", "kind": "Gateway"}, **GOOD)],
        # Of another parent, of which the route is no concern any more.
        [report({"name": "old"}, Accepted=("False", "NoMatchingParent")), report(**GOOD)],
    ],
)
def test_a_route_that_its_parent_accepts_is_ready(reports: list[dict[str, Any]]) -> None:
    assert route_unready_reason(route(*reports)) is None


@pytest.mark.parametrize(
    ("reports", "message", "is_pending"),
    [
        ([], "has no controller that has reported on it", True),
        ([report({**REF, "sectionName": "http"}, **GOOD)], "no controller", True),
        ([report(generation=1, **GOOD)], "has not processed its last change", True),
        ([report(ResolvedRefs=("True", ""))], "has not accepted it yet", True),
        (
            [report(Accepted=("False", "NotAllowedByListeners"))],
            "does not accept it: NotAllowedByListeners",
            False,
        ),
        (
            [report(Accepted=("Unknown", "Pending"))],
            "does not accept it: Pending",
            True,
        ),
        (
            [report(**{**GOOD, "ResolvedRefs": ("False", "BackendNotFound")})],
            "cannot resolve its backends: BackendNotFound",
            False,
        ),
    ],
)
def test_a_route_that_its_parent_does_not_serve_has_a_reason(
    reports: list[dict[str, Any]], message: str, is_pending: bool
) -> None:
    (problem,) = route_problems(route(*reports))
    assert problem.parent == PARENT
    assert message in problem.message
    assert problem.is_pending is is_pending
    assert route_unready_reason(route(*reports)) == str(problem)


def test_each_parent_needs_a_report_of_its_own() -> None:
    refs = (REF, {"name": "internal"})
    reason = route_unready_reason(route(report(**GOOD), refs=refs))
    assert reason == "Gateway/internal in dev has no controller that has reported on it"


def test_the_namespace_of_a_parent_is_that_of_the_route_unless_it_is_set() -> None:
    own = route(report({"name": "internal"}, **GOOD), refs=({"name": "internal"},))
    assert parents_of(own) == (Parent("internal", "dev"),)
    assert route_unready_reason(own) is None


def test_a_parent_of_another_kind_is_left_out() -> None:
    mesh = {"group": "", "kind": "Service", "name": "demo-ui"}
    refs = (mesh, {**mesh, "group": "core.example.com"})
    assert parents_of(route(refs=refs)) == ()


def test_malformed_reports_are_no_acceptance() -> None:
    reports: tuple[Any, ...] = (None, [], "", [None], [{"parentRef": REF}], [{"conditions": {}}])
    for wrong in reports:
        body = {**route(), "status": {"parents": wrong}}
        assert route_unready_reason(body)
