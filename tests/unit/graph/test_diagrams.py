"""The reasons of arrows, the layout, the SVG and the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from support.chart import rendering
from vrooli.chart.manifest import Manifest
from vrooli.graph.diagrams import catalog
from vrooli.graph.model import ArrowStatus, Diagram, State
from vrooli.graph.render import html, svg
from vrooli.graph.render.layout import compute_layout


def drawn(values: Mapping[str, Any] | None = None) -> dict[str, Diagram]:
    found = catalog.build_diagrams(rendering.render(values).values())
    return {diagram.name: diagram for diagram in found}


def keys(diagram: Diagram) -> set[tuple[str, str]]:
    return {arrow.key for arrow in diagram.arrows}


def test_an_arrow_disappears_without_the_policy_rule_that_allows_it() -> None:
    objects = rendering.render()
    policy = objects["NetworkPolicy/demo-jobs"]
    spec = {**policy.body["spec"], "egress": policy.body["spec"]["egress"][:3]}
    objects[policy.key] = Manifest(
        policy.api_version,
        policy.kind,
        policy.name,
        policy.namespace,
        policy.source,
        {**policy.body, "spec": spec},
    )
    found = catalog.build_diagrams(objects.values(), ["architecture"])[0]
    assert ("Jobs", "NSFW") not in keys(found)
    assert ("Jobs", "Redis") in keys(found)


def test_an_arrow_names_the_field_that_supports_it() -> None:
    found = drawn()["architecture"]
    (arrow,) = [item for item in found.arrows if item.key == ("Jobs", "NSFW")]
    assert [str(reason) for reason in arrow.reasons] == [
        "NetworkPolicy/demo-jobs spec.egress[3] = port 8000",
        "ConfigMap/demo-connections data.NSFW_DETECTOR_URL = http://demo-nsfw-detector:8000",
    ]


def test_without_policies_each_address_in_the_settings_supports_an_arrow() -> None:
    found = keys(drawn({"networkPolicies": {"enabled": False}})["architecture"])
    assert {("Server", "PGO"), ("Jobs", "NSFW"), ("Server", "NSFW")} <= found


def test_external_databases_are_drawn() -> None:
    found = drawn(
        {
            "pgoPostgresql": {"enabled": False},
            "externalPostgresql": {"host": "db.example.com", "port": 5433},
            "spotahomeRedis": {"enabled": False},
            "externalRedis": {"host": "redis.example.com"},
        }
    )
    assert {("Server", "PGPrimary"), ("Jobs", "RedisMaster")} <= keys(found["connectivity"])
    titles = {node.id: node.title for node in found["connectivity"].nodes}
    assert titles["PGPrimary"] == ("PostgreSQL", "db.example.com", "outside the cluster")


def test_passwords_in_addresses_are_redacted_in_reasons() -> None:
    objects = rendering.render()
    found = objects["ConfigMap/demo-connections"]
    url = "http://me:hunter2secret@demo-nsfw-detector:8000"
    body = {**found.body, "data": {**found.body["data"], "NSFW_DETECTOR_URL": url}}
    objects[found.key] = Manifest("v1", "ConfigMap", found.name, found.namespace, "", body)
    assert "hunter2secret" not in str(catalog.build_diagrams(objects.values()))


@pytest.mark.parametrize("spec", [None, {}, [], "text", {"template": None}, {"rules": [None, 3]}])
def test_malformed_objects_do_not_prevent_drawing(spec: Any) -> None:
    objects = [
        Manifest(item.api_version, item.kind, item.name, "", "", {**item.body, "spec": spec})
        for item in rendering.render().values()
    ]
    assert len(catalog.build_diagrams(objects)) == 4


@pytest.mark.parametrize("name", catalog.BUILDERS)
def test_boxes_do_not_overlap_and_arrows_avoid_other_boxes(name: str) -> None:
    diagram = drawn()[name]
    boxes = compute_layout(diagram).nodes
    for one, box in boxes.items():
        for other, against in boxes.items():
            if one < other:
                apart = box.x + box.width <= against.x or against.x + against.width <= box.x
                above = box.y + box.height <= against.y or against.y + against.height <= box.y
                assert apart or above, f"{one} lies on {other}"
    for key, points in svg._compute_drawing(diagram).paths.items():
        for x, y in points:
            inside = [
                node
                for node, box in boxes.items()
                if box.x < x < box.x + box.width and box.y < y < box.y + box.height
            ]
            assert not set(inside) - set(key), f"{key} runs through {inside}"


def test_the_svg_is_well_formed_and_has_every_arrow_with_its_symbol_and_text() -> None:
    diagram = drawn()["connectivity"]
    judged = {(diagram.name, "Jobs", "NSFW"): ArrowStatus(State.BROKEN, "scaled to <0> & gone")}
    root = ET.fromstring(svg.render([diagram], judged))  # noqa: S314 - our own text
    arrows = {item.get("data-arrow"): item for item in root.iter() if item.get("data-arrow")}
    assert len(arrows) == len(diagram.arrows)
    words = "".join(arrows["connectivity/Jobs/NSFW"].itertext())
    assert "✕" in words
    assert "broken: scaled to <0> & gone" in words


def test_the_page_is_self_contained() -> None:
    text = html.render(
        tuple(drawn().values()), {}, title="x", problems=("<script>alert(1)</script>",)
    )
    assert re.findall(r'(?:src|href)=["\'][^"\']*', text) == []
    assert "<script>alert" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
